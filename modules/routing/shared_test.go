package routing

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/bus"
	"github.com/kapok-hotline/kapok/platform/bus/bustest"
	"github.com/kapok-hotline/kapok/platform/clock"
	"github.com/kapok-hotline/kapok/platform/ledger"
	"github.com/kapok-hotline/kapok/platform/ledger/ledgertest"
	"github.com/kapok-hotline/kapok/platform/store"
	"github.com/kapok-hotline/kapok/platform/store/storetest"
)

// town is several processes of one house: one database, one ledger, one bus, a routing module each.
type town struct {
	t      *testing.T
	db     *store.DB
	ledger *ledger.Ledger
	nodes  []*node

	mu     sync.Mutex
	answer func(context.Context, Order) (Reply, error) // of who decides
	number int                                         // of Decide calls, so that an old stop ends nothing new
	joined map[id.Contact]id.User
	busy   map[id.User]id.Contact // rung or talking
	rings  map[id.User]id.Offer   // by which, the newest one
	order  []id.Contact           // as answered
	double []string
	take   func(o contact.Offer) time.Duration // how long an agent lets it ring; negative: for ever
	heard  map[id.Contact]bool                 // there
	hear   []func(id.Contact, int64, bool)
	live   func(Live) Live // how a process that starts sees live state; nil: as it is
}

// node is one process.
type node struct {
	*Module
	town    *town
	name    id.Node
	leases  *leases
	journal *ledger.Journal
	end     context.CancelFunc
	done    chan error
}

func newTown(t *testing.T, buses ...*bus.Bus) *town {
	t.Helper()
	db := storetest.SQLite(t)
	y := &town{
		t: t, db: db, joined: map[id.Contact]id.User{}, busy: map[id.User]id.Contact{}, rings: map[id.User]id.Offer{}, heard: map[id.Contact]bool{},
		take: func(contact.Offer) time.Duration { return -1 },
	}
	must(t, db.Migrate(t.Context(), "routing", New(Deps{}).Migrations()))
	y.ledger = ledgertest.New(t, db, openFold{})
	must(t, queueTable.Put(t.Context(), db, "vat", Queue{Code: "vat", Name: "VAT", Site: "gz", RingS: 20, WrapupS: 30}))
	for i, b := range buses {
		y.nodes = append(y.nodes, y.start(id.Node(fmt.Sprintf("n%d", i+1)), b))
	}
	return y
}

func (y *town) start(name id.Node, b *bus.Bus) *node {
	y.t.Helper()
	bucket, err := b.Bucket(y.t.Context(), "live", bus.BucketConfig{})
	must(y.t, err)
	var live Live = bucket
	if y.live != nil {
		live = y.live(live)
	}
	log := slog.New(slog.NewTextHandler(y.t.Output(), nil)).With("node", name)
	n := &node{town: y, name: name, leases: &leases{given: make(chan *lease, 8)}, journal: ledger.NewJournal(y.ledger, log), done: make(chan error, 1)}
	n.Module = New(Deps{
		DB: y.db, Clock: clock.System(), Facts: n, Log: log, Leases: n.leases, Node: name, Live: live, Peers: n, Contacts: y,
		Channels: func(contact.Medium) contact.Channel { return phones{n, nil} },
		Flush:    n.journal.Flush, Up: func(contact.Endpoint) bool { return true },
	})
	ctx, cancel := context.WithCancel(context.Background())
	n.end = cancel
	written, stop := context.WithCancel(context.Background())
	kept := make(chan struct{})
	go func() {
		defer close(kept)
		n.journal.Run(written)
	}()
	go func() { n.done <- n.Start(ctx) }()
	<-n.Ready()
	y.t.Cleanup(func() {
		cancel()
		if err := <-n.done; err != nil {
			y.t.Error(err)
		}
		stop()
		<-kept
	})
	return n
}

func (n *node) Post(at time.Time, place id.Site, subject, actor string, body event.Body) {
	b, err := json.Marshal(body)
	if err != nil {
		n.town.t.Error(err)
	}
	n.journal.Post(ledger.Fact{At: at.UnixMilli(), Kind: body.Kind(), Subject: subject, Actor: actor, Place: string(place), Body: b})
}

// Ask is Peers': as JSON, to whoever decides.
func (n *node) Ask(ctx context.Context, o Order) (r Reply, err error) {
	n.town.mu.Lock()
	answer := n.town.answer
	n.town.mu.Unlock()
	if answer == nil {
		return r, fault.New(fault.Unavailable, "bus.subject.unanswered")
	}
	travelled(n.town.t, &o)
	r, err = answer(ctx, o)
	travelled(n.town.t, &r)
	return r, err
}

func travelled[T any](t *testing.T, v *T) {
	data, err := json.Marshal(v)
	if err == nil {
		err = json.Unmarshal(data, v)
	}
	if err != nil {
		t.Error(err)
	}
}

func (n *node) Decide(answer func(context.Context, Order) (Reply, error)) (func(), error) {
	y := n.town
	y.mu.Lock()
	defer y.mu.Unlock()
	y.answer = answer
	y.number++
	mine := y.number
	return func() {
		y.mu.Lock()
		defer y.mu.Unlock()
		if y.number == mine {
			y.answer = nil
		}
	}, nil
}

// Channel gives the channel of another process's contacts.
func (n *node) Channel(name id.Node, _ contact.Medium) contact.Channel {
	for _, other := range n.town.nodes {
		if other.name == name {
			return phones{other, n}
		}
	}
	return phones{n, n}
}

// Watch is Contacts': first the contacts that are there, then whatever is told.
func (y *town) Watch(ctx context.Context, f func(id.Contact, int64, bool)) error {
	y.mu.Lock()
	there := maps.Clone(y.heard)
	y.hear = append(y.hear, f)
	y.mu.Unlock()
	for c := range there {
		f(c, time.Now().UnixMilli(), true)
	}
	<-ctx.Done()
	return nil
}

// tell says to all who listen that the process of a contact has it, or has it no more.
func (y *town) tell(c id.Contact, at time.Time, there bool) {
	y.mu.Lock()
	delete(y.heard, c)
	if there {
		y.heard[c] = true
	}
	hear := slices.Clone(y.hear)
	y.mu.Unlock()
	for _, f := range hear {
		f(c, at.UnixMilli(), there)
	}
}

// phones are the endpoints of the agents, for the contacts of one process.
type phones struct{ of, asked *node }

func (p phones) Connect(ctx context.Context, o contact.Offer, confirm func() bool) error {
	y, agent := p.of.town, o.Endpoint.Agent
	y.mu.Lock()
	// What a brain before still rings comes to nothing; it stops as soon as that one sees that it decides no more.
	if with := y.busy[agent]; with != "" && (y.joined[with] == agent || brainOf(y.rings[agent]) == brainOf(o.ID)) {
		y.double = append(y.double, fmt.Sprintf("%s has %s by %s and is rung for %s by %s", agent, with, y.rings[agent], o.Contact, o.ID))
	}
	y.busy[agent], y.rings[agent] = o.Contact, o.ID
	take := y.take
	y.mu.Unlock()
	wait := take(o)
	free := func() {
		y.mu.Lock()
		defer y.mu.Unlock()
		if y.joined[o.Contact] != agent && y.rings[agent] == o.ID {
			delete(y.busy, agent)
		}
	}
	defer free()
	if wait < 0 {
		<-ctx.Done()
		return ctx.Err()
	}
	select {
	case <-time.After(wait):
	case <-ctx.Done():
		return ctx.Err()
	}
	if p.asked != nil {
		confirm = func() bool { return p.of.Confirm(ctx, o.ID, o.Contact, agent) }
	}
	if !confirm() {
		return fault.New(fault.Conflict, "contact.void")
	}
	y.mu.Lock()
	defer y.mu.Unlock()
	if with := y.joined[o.Contact]; with != "" {
		y.double = append(y.double, fmt.Sprintf("%s talks to %s and to %s", o.Contact, with, agent))
	}
	if with := y.busy[agent]; with != o.Contact && y.joined[with] == agent {
		y.double = append(y.double, fmt.Sprintf("%s talks to %s and to %s", agent, with, o.Contact))
	}
	y.joined[o.Contact], y.busy[agent], y.rings[agent] = agent, o.Contact, o.ID
	y.order = append(y.order, o.Contact)
	return nil
}

// brainOf is the fence of the brain that made an offer.
func brainOf(o id.Offer) string {
	fence, _, _ := strings.Cut(string(o), "-")
	return fence
}

func (p phones) Move(context.Context, id.Contact, id.User, contact.Target) error { return nil }
func (p phones) End(context.Context, id.Contact, contact.Party) error            { return nil }

// hangUp ends a talk, told by the process that holds the contact.
func (y *town) hangUp(n *node, c id.Contact) {
	y.mu.Lock()
	agent := y.joined[c]
	delete(y.busy, agent)
	y.mu.Unlock()
	must(y.t, n.Done(y.t.Context(), c, agent))
}

func (y *town) enter(n *node, c id.Contact) {
	y.t.Helper()
	y.tell(c, time.Now(), true)
	n.Post(time.Now(), "gz", string(c), "", event.ContactStarted{Medium: contact.Phone})
	must(y.t, n.Enter(y.t.Context(), "vat", Entry{Contact: c, Medium: contact.Phone, Site: "gz", Caller: "0" + string(c), First: true}))
	y.until(string(c)+" is in the bucket, or has been", func() bool {
		_, err := n.deps.Live.Get(y.t.Context(), contactKey+string(c), nil)
		return err == nil || y.joinedTo(c) != ""
	})
}

func (y *town) until(what string, f func() bool) {
	y.t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		if f() {
			return
		}
	}
	y.mu.Lock()
	defer y.mu.Unlock()
	y.t.Fatalf("%s did not come about: joined %v in order %v, busy %v", what, y.joined, y.order, y.busy)
}

func (y *town) signIn(n *node, agents ...id.User) {
	y.t.Helper()
	for _, a := range agents {
		must(y.t, n.SignIn(y.t.Context(), a, "gz", contact.Endpoint{Agent: a}, "", nil))
		must(y.t, n.Want(y.t.Context(), a, true, ""))
	}
}

func (y *town) has(a id.User) id.Contact {
	y.mu.Lock()
	defer y.mu.Unlock()
	return y.busy[a]
}

func (y *town) takes(f func(contact.Offer) time.Duration) {
	y.mu.Lock()
	defer y.mu.Unlock()
	y.take = f
}

// kinds counts the facts of a subject by kind, once all are on the disk.
func (y *town) kinds(subject string) map[string]int {
	y.t.Helper()
	for _, n := range y.nodes {
		must(y.t, n.journal.Flush(y.t.Context()))
	}
	out := map[string]int{}
	all, err := store.All(y.t.Context(), y.db, `SELECT kind FROM ledger_fact WHERE subject = ?`, store.Col[string], subject)
	must(y.t, err)
	for _, k := range all {
		out[k]++
	}
	return out
}

func (y *town) check(subject string, want map[string]int) {
	y.t.Helper()
	got := y.kinds(subject)
	for kind, n := range want {
		if got[kind] != n {
			y.t.Errorf("%s: %d of %s, want %d (%v)", subject, got[kind], kind, n, got)
		}
	}
}

func (y *town) noDoubles() {
	y.t.Helper()
	y.mu.Lock()
	defer y.mu.Unlock()
	for _, d := range y.double {
		y.t.Error(d)
	}
}

// One process takes over from another: every place is kept, who talks goes on talking, who wraps up goes on wrapping
// up, what rang is withdrawn and offered anew, and who came while nobody decided has a place like all others.
func TestTakeOverByAnotherProcess(t *testing.T) {
	b := bustest.New(t)
	y := newTown(t, b, b)
	one, two := y.nodes[0], y.nodes[1]
	first := one.leases.give(1_000_000)
	y.until("the first decides", one.leads.Load)
	y.signIn(two, "a", "b")
	y.takes(func(o contact.Offer) time.Duration {
		if o.Contact == "c3" {
			return -1
		}
		return 0
	})
	y.enter(two, "c1")
	y.until("c1 is answered", func() bool { return y.joinedTo("c1") != "" })
	y.enter(one, "c2")
	y.until("c2 is answered", func() bool { return y.joinedTo("c2") != "" })
	wraps, talks := y.joinedTo("c2"), y.joinedTo("c1")
	y.hangUp(one, "c2")
	y.signIn(one, "c")
	y.enter(two, "c3")
	y.until("c3 rings", func() bool { return y.has("c") == "c3" })
	for _, c := range []id.Contact{"c4", "c5", "c6"} {
		y.enter(two, c)
		time.Sleep(3 * time.Millisecond) // a place of its own
	}
	y.until("c6 has its place", func() bool { s, ok, err := two.Place(t.Context(), "c6"); return err == nil && ok && s.Ahead >= 2 })

	close(first.lost)
	y.until("nobody decides", func() bool { return !one.leads.Load() })
	y.until("c3 rings no more", func() bool { return y.has("c") == "" })
	y.enter(one, "c7")
	must(t, two.Leave(short(t), "c5")) // hangs up meanwhile: the next brain is told
	y.takes(func(contact.Offer) time.Duration { return 0 })
	two.leases.give(2_000_000)
	y.until("the second decides", two.leads.Load)

	y.until("c3 is answered by c", func() bool { return y.joinedTo("c3") == "c" })
	y.until("c5 has left", func() bool { return y.kinds("c5")["contact.abandoned"] == 1 })
	if got := y.state(talks); got != "talking" {
		t.Errorf("%s, who talked, is %s", talks, got)
	}
	if got := y.state(wraps); got != "wrapup" {
		t.Errorf("%s, who wrapped up, is %s", wraps, got)
	}
	must(t, one.WrapUpDone(t.Context(), wraps))
	y.until("c4 is next", func() bool { return y.joinedTo("c4") == wraps })
	y.hangUp(two, "c3")
	must(t, two.WrapUpDone(t.Context(), "c"))
	y.until("then c6", func() bool { return y.joinedTo("c6") == "c" })
	y.hangUp(two, "c1")
	must(t, two.WrapUpDone(t.Context(), talks))
	y.until("then c7", func() bool { return y.joinedTo("c7") == talks })
	for _, c := range []string{"c1", "c2", "c3", "c4", "c6", "c7"} {
		y.check(c, map[string]int{"contact.queued": 1, "contact.answered": 1})
	}
	y.check("c3", map[string]int{"contact.offered": 2, "contact.missed": 1})
	y.check("c5", map[string]int{"contact.queued": 1, "contact.abandoned": 1, "contact.answered": 0})
	y.check("a", map[string]int{"agent.signed_in": 1, "agent.signed_out": 0})
	y.noDoubles()
}

func short(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	t.Cleanup(cancel)
	return ctx
}

func (y *town) joinedTo(c id.Contact) id.User {
	y.mu.Lock()
	defer y.mu.Unlock()
	return y.joined[c]
}

// state is an agent's newest in the ledger.
func (y *town) state(a id.User) string {
	y.t.Helper()
	y.kinds(string(a))
	f, ok, err := ledger.Newest(y.t.Context(), y.db, string(a), event.AgentChanged{}.Kind())
	must(y.t, err)
	if !ok {
		return string(event.Away) // signed in, and nothing since
	}
	changed, _ := ledger.Read[event.AgentChanged](&f)
	return string(changed.State)
}

// Two brains that both believe they decide never give one agent two contacts: the one that was there before cannot
// write an agent any more, finds that out at its first offer, and lets go.
func TestTwoBrainsNeverGiveOneAgentTwoContacts(t *testing.T) {
	for seed := range uint64(6) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 12366))
			b := bustest.New(t)
			y := newTown(t, b, b)
			one, two := y.nodes[0], y.nodes[1]
			one.leases.give(1_000_000)
			y.until("the first decides", one.leads.Load)
			agents := []id.User{"a", "b", "c", "d"}
			y.signIn(one, agents...)
			y.takes(func(o contact.Offer) time.Duration {
				n, err := fmt.Sscanf(string(o.Contact), "c%d", new(int))
				if n != 1 || err != nil {
					t.Error(o)
				}
				return time.Duration(len(o.ID)%3) * time.Millisecond
			})
			usurped := r.IntN(12)
			var all []id.Contact
			for i := range 24 {
				if i == usurped {
					two.leases.give(2_000_000) // the first is not told
					y.until("the second decides", two.leads.Load)
				}
				c := id.Contact(fmt.Sprintf("c%d", i))
				all = append(all, c)
				y.enter(y.nodes[r.IntN(2)], c)
				if r.IntN(3) > 0 {
					y.endSome(two, r)
				}
			}
			y.until("all are answered", func() bool {
				y.endSome(two, r)
				y.mu.Lock()
				defer y.mu.Unlock()
				return len(y.joined) == len(all)
			})
			y.noDoubles()
			y.until("the first has let go", func() bool { return !one.leads.Load() })
			var n agentNote
			for _, a := range agents {
				y.until("the second's fence is on every agent", func() bool {
					_, err := two.deps.Live.Get(t.Context(), keyOf(a), &n)
					return err == nil && n.Fence == 2000
				})
			}
		})
	}
}

// endSome ends the talk of one agent and their wrap-up.
func (y *town) endSome(n *node, r *rand.Rand) {
	y.mu.Lock()
	var talking []id.Contact
	for a, c := range y.busy {
		if y.joined[c] == a {
			talking = append(talking, c)
		}
	}
	y.mu.Unlock()
	if len(talking) == 0 {
		return
	}
	slices.Sort(talking)
	c := talking[r.IntN(len(talking))]
	agent := y.joinedTo(c)
	y.hangUp(n, c)
	must(y.t, n.WrapUpDone(y.t.Context(), agent))
}

// A brain that has been shut out cannot write: not an agent it knew, not as the one who made the key.
func TestFencedOut(t *testing.T) {
	b := bustest.New(t)
	live, err := b.Bucket(t.Context(), "live", bus.BucketConfig{})
	must(t, err)
	fenced := 0
	brain := func(fence uint32, revisions map[string]uint64) *mirror {
		return &mirror{live: live, shared: true, fenced: func() { fenced++ }, fence: fence, revision: revisions}
	}
	write := func(m *mirror, user id.User, gone bool) error {
		w := writing{key: keyOf(user), fence: m.fence, tickets: []chan error{make(chan error, 1)}}
		if !gone {
			w.note = &agentNote{Fence: m.fence}
		}
		m.done(w, m.try(t.Context(), w))
		return <-w.tickets[0]
	}
	mark, err := live.Put(t.Context(), brainKey, 1)
	must(t, err)
	first := brain(1, map[string]uint64{})
	first.mark = mark
	must(t, write(first, "a", false))
	must(t, write(first, "b", false))
	must(t, write(first, "a", false))
	revisions := map[string]uint64{}
	for _, u := range []id.User{"a", "b"} { // the take-over
		revision, err := live.Get(t.Context(), keyOf(u), nil)
		must(t, err)
		revisions[keyOf(u)], err = live.Update(t.Context(), keyOf(u), &agentNote{Fence: 2}, revision)
		must(t, err)
	}
	second := brain(2, revisions)
	second.mark, err = live.Put(t.Context(), brainKey, 2)
	must(t, err)
	must(t, write(second, "c", false))
	for name, x := range map[string]struct {
		user id.User
		gone bool
	}{"an agent of before": {"a", false}, "the taking away of one": {"b", true}, "an agent who came after": {"c", false}, "an agent nobody knows": {"d", false}} {
		if err := write(first, x.user, x.gone); !errors.Is(err, errFenced) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if fenced != 4 {
		t.Errorf("told %d times", fenced)
	}
	if _, err := live.Get(t.Context(), keyOf("d"), nil); !errors.Is(err, bus.ErrMissing) {
		t.Errorf("an agent of a brain that is shut out is there: %v", err)
	}
	for _, u := range []id.User{"a", "b", "c"} {
		var n agentNote
		if _, err := live.Get(t.Context(), keyOf(u), &n); err != nil || n.Fence != 2 {
			t.Errorf("%s: fence %d, %v", u, n.Fence, err)
		}
		must(t, write(second, u, u == "b"))
	}
	// A write of ours whose answer was lost is known as ours.
	second.revision[keyOf("a")] = 1
	must(t, write(second, "a", false))
}

// A contact whose process is gone is closed at the moment it was last heard of; the waiting one leaves the queue
// without having given up, the agent of the other wraps up.
func TestContactsOfADeadProcessAreLost(t *testing.T) {
	b := bustest.New(t)
	y := newTown(t, b, b)
	one, two := y.nodes[0], y.nodes[1]
	one.leases.give(1_000_000)
	y.until("the first decides", one.leads.Load)
	y.signIn(one, "a")
	y.takes(func(contact.Offer) time.Duration { return 0 })
	y.enter(two, "c1")
	y.until("c1 is answered", func() bool { return y.joinedTo("c1") == "a" })
	y.enter(two, "c2")
	y.enter(one, "c3")
	y.until("all have a place", func() bool {
		all, err := one.Waiting(t.Context())
		return err == nil && all["c2"] && all["c3"]
	})
	at := time.Now().Add(-3 * time.Second)
	y.until("somebody listens", func() bool { y.mu.Lock(); defer y.mu.Unlock(); return len(y.hear) > 0 })
	for _, c := range []id.Contact{"c1", "c2"} {
		y.tell(c, at, false)
	}
	y.until("both are lost", func() bool { return y.kinds("c1")["contact.lost"] == 1 && y.kinds("c2")["contact.lost"] == 1 })
	y.check("c2", map[string]int{"contact.abandoned": 0, "contact.queued": 1})
	y.until("the agent wraps up", func() bool { return y.state("a") == "wrapup" })
	y.check("c3", map[string]int{"contact.lost": 0})
	y.mu.Lock()
	delete(y.busy, "a")
	y.mu.Unlock()
	must(t, one.WrapUpDone(t.Context(), "a"))
	y.until("c3 is answered", func() bool { return y.joinedTo("c3") == "a" })
	y.noDoubles()
}
