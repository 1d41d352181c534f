package routing

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/store"
)

// takeOverBound is how long reading the state left by another brain may take.
const takeOverBound = 15 * time.Second

// share begins what a brain among others does beside deciding; the function it gives ends it.
func (m *Module) share() func() {
	ctx, end := context.WithCancel(m.life)
	done := make(chan struct{})
	go func() {
		defer close(done)
		m.mirror.run(ctx)
	}()
	return func() {
		end()
		<-done
	}
}

// turnShared begins to decide among other processes, from what the last brain left, or stops to.
func (t *thinker) turnShared(now term, lead bool) {
	t.lay()
	if !lead {
		return
	}
	t.fence, t.term = now.fence, now
	ctx, cancel := context.WithTimeout(t.m.life, takeOverBound)
	defer cancel()
	if err := t.takeOver(ctx); err != nil {
		t.m.deps.Log.Error("what the last brain left cannot be read; callers wait with music", "err", err)
		t.lay()
		t.m.resign()
		return
	}
	t.rebuild(t.fence, true)
	t.keep()
	if err := t.open(); err != nil {
		t.m.deps.Log.Error("the brain cannot be asked; callers wait with music", "err", err)
		t.lay()
		t.m.resign()
		return
	}
	t.m.deps.Log.Info("this process decides now", "fence", t.fence, "contacts", len(t.contacts), "agents", len(t.agents))
}

// open has the brain asked, and lets it hear of who comes and who is lost.
func (t *thinker) open() error {
	stop, err := t.m.deps.Peers.Decide(t.m.answer)
	if err != nil {
		return err
	}
	ctx, end := context.WithCancel(t.m.life)
	t.m.offers.running.Go(func() { t.m.watchEntries(ctx) })
	t.m.offers.running.Go(func() { t.m.seekLost(ctx) })
	t.close = func() {
		end()
		stop()
	}
	t.m.leads.Store(true)
	t.recordAnswers(ctx)
	for _, user := range t.m.away.all() { // lost while nobody decided
		if p := t.agents[user]; p != nil && p.talks() {
			p.leaving = "lost"
			t.touch(user)
		} else {
			t.signOut(user, "lost")
		}
	}
	return nil
}

// lay lays down what a brain holds: another goes on with it. Nothing is told; what rings is stopped.
func (t *thinker) lay() {
	t.m.leads.Store(false)
	if t.close != nil {
		t.close()
		t.close = nil
	}
	for _, w := range t.contacts {
		if w.offer != 0 {
			t.m.offers.cancel(w.offer)
		}
	}
	t.leading = false
	clear(t.contacts)
	clear(t.agents)
	clear(t.touched)
	for _, all := range t.tickets {
		for _, c := range all {
			c <- errFenced
		}
	}
	clear(t.tickets)
	for _, all := range t.grantings {
		for _, g := range all {
			g.done(errFenced)
		}
	}
	clear(t.grantings)
	clear(t.past)
	clear(t.early)
	t.leaving = nil
	t.rebuild(t.fence, false)
}

// takeOver reads what is waited for and who is at work. Each agent is written anew under this brain's fence, which
// shuts the one before out; where the last words of that one are not in the ledger, they are put there.
func (t *thinker) takeOver(ctx context.Context) error {
	if err := t.m.mirror.cease(ctx, t.fence); err != nil {
		return err
	}
	if err := t.m.deps.Flush(ctx); err != nil { // this process may have been the last to decide
		return err
	}
	mark, err := t.m.deps.Live.Put(ctx, brainKey, t.fence)
	if err != nil {
		return err
	}
	left, err := t.m.left(ctx, mark)
	if err != nil {
		return err
	}
	revisions, rows, err := t.adoptAgents(ctx, left)
	if err != nil {
		return err
	}
	t.m.mirror.begin(mark, revisions)
	t.adoptContacts(left)
	if err := t.reconcileAgents(ctx, rows); err != nil {
		return err
	}
	if err := t.reconcileContacts(ctx); err != nil {
		return err
	}
	for user := range t.agents {
		t.touch(user)
	}
	for user := range t.dropped {
		t.touch(user) // signed out before: their key goes
	}
	clear(t.dropped)
	return nil
}

// reconcileAgents compares the agents with the ledger. What the last brain said of one and did not get written down
// is bridged by the next fact; who is open in the ledger and is nowhere is signed out.
func (t *thinker) reconcileAgents(ctx context.Context, rows []openAgent) error {
	recorded := map[id.User]openAgent{}
	for _, a := range rows {
		recorded[id.User(a.agent)] = a
		if t.agents[id.User(a.agent)] == nil {
			t.m.signedOutLost(a, max(a.since, a.heard))
		}
	}
	for user, p := range t.agents {
		a, ok := recorded[user]
		if !ok {
			out, err := store.One(ctx, t.m.deps.DB, `SELECT COALESCE(MAX(at), 0) FROM ledger_fact WHERE subject = ? AND kind = ?`,
				store.Col[int64], string(user), event.AgentSignedOut{}.Kind())
			if err != nil {
				return err
			}
			if out >= p.signedInAt && out > 0 {
				delete(t.agents, user)
				t.dropped[user] = struct{}{}
				continue
			}
			p.signedInAt = 0 // that the agent came was not written down
			p.recorded = &standing{state: event.SignedOut}
			continue
		}
		was := standing{state: event.AgentState(a.state), reason: a.reason, contact: id.Contact(a.contact), since: a.since}
		p.signedInAt = a.signedIn
		if was.since > p.now.since { // the ledger knows more than the bucket
			until := p.now.until
			if p.now = was; was.state == event.Talking {
				p.direct = "" // given past the queues, and answered
			}
			if was.state == event.Wrapup {
				p.now.until = max(until, was.since+max(t.wrapUp(p.last[was.contact].queue), 0))
			}
		}
		if was.state == p.now.state && was.reason == p.now.reason && was.contact == p.now.contact {
			was.until, was.next = p.now.until, p.now.next
		}
		p.recorded = &was
	}
	return nil
}

// visit is how far a contact's stay in a queue is in the ledger.
type visit struct {
	queued, over bool
	offers       map[id.Offer]event.ContactOffered // open ones
}

// reconcileContacts compares the contacts with the ledger: who was not written down as queued is, whose stay is over
// is let go, and offers of the last brain are withdrawn.
func (t *thinker) reconcileContacts(ctx context.Context) error {
	for _, p := range t.agents { // an agent has it, and the last brain had not yet taken it out of the bucket
		for c, k := range p.last {
			if w := t.contacts[c]; w != nil && w.enteredAt == k.enteredAt {
				delete(t.contacts, c)
				t.let(w)
			}
		}
	}
	all := slices.Sorted(maps.Keys(t.contacts))
	for chunk := range slices.Chunk(all, 200) {
		visits, err := t.visits(ctx, chunk)
		if err != nil {
			return err
		}
		for _, c := range chunk {
			w, v := t.contacts[c], visits[c]
			switch {
			case v.over:
				delete(t.contacts, c)
				t.let(w)
				continue
			case !v.queued:
				t.m.deps.Facts.Post(time.UnixMilli(w.enteredAt), w.Site, string(c), "", event.ContactQueued{
					Queue: w.queue, Priority: w.Priority, EnteredAt: w.enteredAt, First: w.First, Caller: w.Caller,
				})
			}
			for _, o := range v.offers {
				t.m.deps.Facts.Post(t.m.deps.Clock.Now(), w.Site, string(c), string(o.Agent), event.ContactMissed{
					Offer: o.Offer, Queue: o.Queue, Agent: o.Agent, Why: "withdrawn",
				})
			}
		}
	}
	return nil
}

// visits reads the ledger of some contacts.
func (t *thinker) visits(ctx context.Context, of []id.Contact) (map[id.Contact]*visit, error) {
	out, args := map[id.Contact]*visit{}, make([]any, 0, len(of))
	for _, c := range of {
		out[c] = &visit{offers: map[id.Offer]event.ContactOffered{}}
		args = append(args, string(c))
	}
	type row struct {
		subject    id.Contact
		kind, body string
	}
	rows, err := store.All(ctx, t.m.deps.DB, `SELECT subject, kind, body FROM ledger_fact WHERE subject IN (?`+strings.Repeat(`,?`, len(of)-1)+`) ORDER BY seq`,
		func(r store.Scanner) (x row, err error) { return x, r.Scan(&x.subject, &x.kind, &x.body) }, args...)
	if err != nil {
		return nil, fmt.Errorf("reading the ledger of contacts that wait: %w", err)
	}
	for _, r := range rows {
		out[r.subject].read(r.kind, r.body, t.contacts[r.subject].enteredAt)
	}
	return out, nil
}

// read follows one fact of a contact; those of other stays in a queue do not count.
func (v *visit) read(kind, body string, enteredAt int64) {
	switch kind {
	case event.ContactQueued{}.Kind():
		v.queued = v.queued || same[event.ContactQueued](body, func(b event.ContactQueued) int64 { return b.EnteredAt }, enteredAt)
	case event.ContactAnswered{}.Kind():
		v.over = v.over || same[event.ContactAnswered](body, func(b event.ContactAnswered) int64 { return b.EnteredAt }, enteredAt)
		clear(v.offers)
	case event.ContactExited{}.Kind():
		v.over = v.over || same[event.ContactExited](body, func(b event.ContactExited) int64 { return b.EnteredAt }, enteredAt)
	case event.ContactAbandoned{}.Kind():
		v.over = v.over || same[event.ContactAbandoned](body, func(b event.ContactAbandoned) int64 { return b.EnteredAt }, enteredAt)
	case event.ContactEnded{}.Kind(), event.ContactLost{}.Kind():
		v.over = true
	case event.ContactOffered{}.Kind():
		var b event.ContactOffered
		if json.Unmarshal([]byte(body), &b) == nil {
			v.offers[b.Offer] = b
		}
	case event.ContactMissed{}.Kind():
		var b event.ContactMissed
		if json.Unmarshal([]byte(body), &b) == nil {
			delete(v.offers, b.Offer)
		}
	}
}

func same[B any](body string, enteredAt func(B) int64, want int64) bool {
	var b B
	return json.Unmarshal([]byte(body), &b) == nil && enteredAt(b) == want
}

// answerPause is how long the facts of a brain that lives on may take to reach the ledger.
const answerPause = 2 * time.Second

// recordAnswers puts the answers into the ledger that the last brain granted and did not live to write down.
func (t *thinker) recordAnswers(ctx context.Context) {
	type answer struct {
		place   id.Site
		contact id.Contact
		fact    event.ContactAnswered
		at      int64
	}
	var all []answer
	for user, p := range t.agents {
		k, ok := p.last[p.now.contact]
		if p.now.state != event.Talking || p.took == 0 || !ok {
			continue
		}
		all = append(all, answer{p.site, p.now.contact, event.ContactAnswered{
			Offer: p.took.ID(), Queue: k.queue, Agent: user, EnteredAt: k.enteredAt, WaitMs: max(p.now.since-k.enteredAt, 0),
		}, p.now.since})
	}
	if len(all) == 0 {
		return
	}
	m := t.m
	m.offers.running.Go(func() {
		pause(ctx, m, answerPause)
		for _, a := range all {
			if ctx.Err() != nil {
				return
			}
			bodies, err := store.All(ctx, m.deps.DB, `SELECT body FROM ledger_fact WHERE subject = ? AND kind = ?`, store.Col[string],
				string(a.contact), a.fact.Kind())
			if err != nil {
				m.deps.Log.Error("it is not known whether an answer was written down", "contact", a.contact, "err", err)
				continue
			}
			written := slices.ContainsFunc(bodies, func(b string) bool {
				return same(b, func(x event.ContactAnswered) int64 { return x.EnteredAt }, a.fact.EnteredAt)
			})
			if !written {
				m.deps.Facts.Post(time.UnixMilli(a.at), a.place, string(a.contact), string(a.fact.Agent), a.fact)
			}
		}
	})
}
