package acd

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kapok-hotline/kapok/core/id"
)

// hotline is a small simulation: agents answer after a while, talk, and wrap up by the queue's rule.
type hotline struct {
	b     *Brain
	rnd   *rand.Rand
	now   int64
	due   []future
	talk  int64 // mean talk time
	onCmd func(Command)
}

type future struct {
	at int64
	ev *Event
}

func (h *hotline) later(ms int64, ev Event) {
	f := future{h.now + ms, &ev}
	i, _ := slices.BinarySearchFunc(h.due, f, func(x, y future) int { return int(min(max(x.at-y.at, -1), 1)) })
	h.due = slices.Insert(h.due, i, f)
}

// run lets events and timers happen until the moment.
func (h *hotline) run(until int64) {
	for {
		at, ok := h.b.Next()
		switch {
		case len(h.due) > 0 && h.due[0].at <= until && (!ok || h.due[0].at <= at):
			f := h.due[0]
			h.due = h.due[1:]
			h.now = f.at
			h.apply(*f.ev)
		case ok && at <= until:
			h.now = max(h.now, at)
			h.apply(Event{Kind: Tick})
		default:
			h.now = until
			return
		}
	}
}

func (h *hotline) apply(ev Event) {
	for _, c := range slices.Clone(h.b.Apply(&ev, h.now)) {
		switch c.Kind {
		case Offer:
			h.later(1+h.rnd.Int64N(4*Second), Event{Kind: OfferAccepted, Agent: c.Agent, Offer: c.Offer, Contact: c.Contact})
		case Connect:
			h.later(1+h.rnd.Int64N(2*h.talk), Event{Kind: ContactDone, Agent: c.Agent, Contact: c.Contact})
		}
		if h.onCmd != nil {
			h.onCmd(c)
		}
	}
}

// B1: ten thousand calls with skills and levels; no call goes to an agent who may not take it, and no ready agent
// stands beside a call it could take.
func TestTenThousandCallsBySkill(t *testing.T) {
	h := &hotline{b: New(Config{Settings: Defaults()}), rnd: rand.New(rand.NewPCG(1, 1)), now: start, talk: 3 * Minute}
	skills := []id.Skill{"vat", "iit", "invoice", "export", "social"}
	need, agents := map[id.Contact]Need{}, map[id.User][]Skill{}
	for i := range 20 {
		q := Queue{ID: id.Queue(fmt.Sprintf("q%d", i)), Needs: []Need{{skills[i%5], uint8(i / 5), 0}}, RelaxEvery: 30 * Second, WrapUp: 20 * Second, MaxWait: 10 * Minute}
		h.apply(Event{Kind: QueueConfigured, Config: &q})
	}
	for i := range 60 {
		a := Agent{ID: id.User(fmt.Sprintf("a%d", i))}
		for range 3 {
			a.Skills = append(a.Skills, Skill{skills[h.rnd.IntN(5)], uint8(h.rnd.IntN(5))})
		}
		agents[a.ID] = a.Skills
		h.apply(Event{Kind: AgentSignedIn, Profile: &a, Ready: true, Endpoint: true})
	}
	offers, at := 0, start
	for i := range 10_000 {
		at += h.rnd.Int64N(7 * Second)
		q := h.rnd.IntN(20)
		c := id.Contact(fmt.Sprintf("c%05d", i))
		need[c] = Need{skills[q%5], uint8(q / 5), 0}
		h.due = append(h.due, future{at, &Event{Kind: ContactEntered, Contact: c, Queue: id.Queue(fmt.Sprintf("q%d", q)), Channel: "voice"}})
	}
	level := func(a id.User, s id.Skill) int {
		best := -1
		for _, k := range agents[a] {
			if k.Skill == s {
				best = max(best, int(k.Level))
			}
		}
		return best
	}
	h.onCmd = func(c Command) {
		if c.Kind != Offer {
			return
		}
		offers++
		waited := h.now - c.EnteredAt
		allowed := max(0, int(need[c.Contact].Level)-int(waited/(30*Second)))
		if got := level(c.Agent, need[c.Contact].Skill); got < allowed {
			t.Fatalf("%s needs %s %d after %d s; %s has %d", c.Contact, need[c.Contact].Skill, allowed, waited/Second, c.Agent, got)
		}
	}
	h.b.Trace(func(d *Decision) {
		if err := d.Verify(); err != nil {
			t.Fatal(err)
		}
	})
	for h.now < at+Hour {
		h.run(h.now + 10*Second)
		for i := range h.b.contacts {
			if h.b.contacts[i].state != waiting {
				continue
			}
			for j := range h.b.agents {
				if h.b.verdict(&h.b.agents[j], &h.b.classes[h.b.contacts[i].class]).why == Eligible {
					t.Fatalf("%s waits beside %s", h.b.idOf(int32(i)), h.b.agents[j].id)
				}
			}
		}
	}
	if offers < 8000 {
		t.Fatalf("only %d offers", offers)
	}
}

// B2: with a fifth of the calls at the highest priority and just enough agents, nobody waits beyond the wait of a
// queue without priorities plus the greatest head start.
func TestPriorityStarvesNobody(t *testing.T) {
	longest := func(share int) (all, low int64) {
		h := &hotline{b: New(Config{Settings: Defaults()}), rnd: rand.New(rand.NewPCG(2, 2)), now: start, talk: 100 * Second}
		h.apply(Event{Kind: QueueConfigured, Config: &Queue{ID: "tax", MaxWait: 100 * Hour}})
		for i := range 20 {
			h.apply(Event{Kind: AgentSignedIn, Profile: &Agent{ID: id.User(fmt.Sprintf("a%02d", i))}, Ready: true, Endpoint: true})
		}
		at := start
		high := map[id.Contact]bool{}
		for i := range 8000 { // 22.7 calls' worth of work for 20 agents: the queue only grows
			at += h.rnd.Int64N(9 * Second)
			c := id.Contact(fmt.Sprintf("c%05d", i))
			ev := Event{Kind: ContactEntered, Contact: c, Queue: "tax", Channel: "voice"}
			if i%100 < share {
				ev.Priority, high[c] = 100, true
			}
			h.due = append(h.due, future{at, &ev})
		}
		h.onCmd = func(c Command) {
			if c.Kind == Connect {
				all = max(all, h.now-c.EnteredAt)
				if !high[c.Contact] {
					low = max(low, h.now-c.EnteredAt)
				}
			}
		}
		h.run(at + 100*Hour)
		return all, low
	}
	plain, _ := longest(0)
	_, low := longest(20)
	if bound := plain + Defaults().MaxHeadStart; low > bound {
		t.Fatalf("a call without priority waited %d s, beyond the bound of %d s", low/Second, bound/Second)
	}
}

// B3, asterisk#108: each answer goes to the oldest call that agent can take, over all queues.
func TestOldestFirstAcrossQueues(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 3))
	for range 200 {
		d := newDesk(t, Settings{})
		for i := range 6 {
			d.do(Event{Kind: QueueConfigured, Config: &Queue{ID: id.Queue(fmt.Sprint("q", i)), Needs: []Need{{id.Skill(fmt.Sprint("s", i)), 1, 0}}}})
		}
		queue := map[id.Contact]int{}
		for i := range 40 {
			c := id.Contact(fmt.Sprintf("c%02d", i))
			queue[c] = rnd.IntN(6)
			d.wait(rnd.Int64N(Second)).enter(c, id.Queue(fmt.Sprint("q", queue[c])))
		}
		a := Agent{ID: "an"}
		can := map[int]bool{}
		for range 3 {
			s := rnd.IntN(6)
			can[s] = true
			a.Skills = append(a.Skills, Skill{id.Skill(fmt.Sprint("s", s)), 2})
		}
		d.in(a)
		for i := range 40 {
			if c := id.Contact(fmt.Sprintf("c%02d", i)); can[queue[c]] {
				if got := d.b.idOf(d.b.agents[0].offer); got != c {
					t.Fatalf("got %s, want %s", got, c)
				}
				d.accept("an").done("an", c)
			}
		}
	}
}

// B10: a decision can be opened, and recomputing it from the log gives the same choice.
func TestDecisionsCanBeOpened(t *testing.T) {
	d := newDesk(t, Settings{}, Queue{ID: "vat", Needs: []Need{{"vat", 2, 0}}}, Queue{ID: "iit", Needs: []Need{{"iit", 1, 0}}})
	d.in(person("busy", sk("vat", 4))).enter("c0", "vat").accept("busy")
	d.in(person("weak", sk("vat", 1))).in(person("other", sk("export", 4)))
	d.in(person("lunch", sk("vat", 3))).do(Event{Kind: AgentAway, Agent: "lunch", Reason: "lunch"})
	d.wait(Second).enter("c1", "iit").wait(Second).enter("c2", "vat")

	open, ok := d.b.Explain("c2")
	if !ok || open.Offer != 0 || open.Agent != "" {
		t.Fatalf("%+v", open)
	}
	why := map[id.User]string{}
	for _, c := range open.Candidates {
		why[c.Agent] = c.Refusal.String() + " " + string(c.Skill)
	}
	want := map[id.User]string{"busy": "no_room ", "weak": "low_level vat", "other": "no_skill vat", "lunch": "away "}
	if diff := cmp.Diff(want, why); diff != "" {
		t.Fatal(diff)
	}

	var got []Decision
	d.b.Trace(func(x *Decision) { got = append(got, copied(x)) })
	d.done("busy", "c0")
	if len(got) != 1 || got[0].Contact != "c2" || got[0].Agent != "busy" || got[0].Cause != ByAgent {
		t.Fatalf("%+v", got)
	}
	if r := got[0].Rivals; len(r) != 1 || r[0].Contact != "c1" || r[0].Refusal != NoSkill || r[0].Skill != "iit" {
		t.Fatalf("who was overtaken: %+v", r)
	}
	if err := got[0].Verify(); err != nil {
		t.Fatal(err)
	}
	wrong := got[0]
	wrong.Rivals = []Rival{{Contact: "c1", Key: start, Refusal: Eligible}}
	if wrong.Verify() == nil {
		t.Fatal("a wrong decision was found right")
	}
	if _, err := json.Marshal(got[0]); err != nil {
		t.Fatal(err)
	}
	if _, ok := d.b.Explain("ghost"); ok {
		t.Fatal("explained a ghost")
	}
}

// B10: the same for a long random history, opened afterwards by a replay of the log.
func TestReplayOpensTheSameDecisions(t *testing.T) {
	w := newWorld(t, 77)
	var lived []Decision
	w.b.Trace(func(x *Decision) { w.decided(x); lived = append(lived, copied(x)) })
	for w.n < 5000 {
		w.step()
	}
	again := New(Config{Fence: 3, Settings: w.set})
	var opened []Decision
	again.Trace(func(x *Decision) { opened = append(opened, copied(x)) })
	for i := range w.log {
		again.Apply(&w.log[i], w.nows[i])
	}
	if diff := cmp.Diff(lived, opened); diff != "" {
		t.Fatal(diff)
	}
}

func copied(d *Decision) Decision {
	c := *d
	c.Candidates, c.Rivals = slices.Clone(d.Candidates), slices.Clone(d.Rivals)
	return c
}

// B11: who waits at closing time is served, or sent to what the queue offers; who comes later hears the closing
// text; a full queue has an exit.
func TestClosingAndFullQueue(t *testing.T) {
	t.Run("served after closing", func(t *testing.T) {
		d := newDesk(t, Settings{}, Queue{ID: "tax", ClosedRule: "closed"}).enter("c1", "tax").clear()
		d.do(Event{Kind: QueueClosed, Queue: "tax"}).said()
		d.enter("c2", "tax").said("exit c2 closed closed")
		d.in(person("an")).said("offer c1 an", "an reserved c1 20s")
		d.do(Event{Kind: QueueOpened, Queue: "tax"}).enter("c3", "tax").said("queued c3")
	})
	t.Run("sent to a call-back at closing", func(t *testing.T) {
		d := newDesk(t, Settings{}, Queue{ID: "tax", ClosingRule: "callback"}).in(person("an")).enter("c0", "tax").wait(Second).enter("c1", "tax").wait(Second).enter("c2", "tax").clear()
		d.do(Event{Kind: QueueClosed, Queue: "tax"}).said("exit c1 closing callback", "exit c2 closing callback")
		d.wait(30*Second).said("withdraw c0 an missed", "exit c0 closing callback", "an ready") // it rang on, in vain
	})
	t.Run("full", func(t *testing.T) {
		d := newDesk(t, Settings{}, Queue{ID: "tax", MaxLength: 2, FullRule: "callback"}).enter("c1", "tax").enter("c2", "tax").clear()
		d.enter("c3", "tax").said("exit c3 full callback")
		d.do(Event{Kind: ContactEntered, Contact: "c4", Queue: "tax", Channel: "voice", Rejoin: true}).said("queued c4") // a take-over sends nobody away
	})
}

// TestTakeOver: a brain fed the same contacts and agents, in any order, has the same queues and makes the same
// first decisions.
func TestTakeOver(t *testing.T) {
	var feed []Event
	for i := range 300 {
		feed = append(feed, Event{
			Kind: ContactEntered, Contact: id.Contact(fmt.Sprintf("c%03d", i)), Queue: id.Queue(fmt.Sprint("q", i%7)), Channel: "voice",
			EnteredAt: start - int64(i%50)*Second, Priority: i % 3, Rejoin: true,
		})
	}
	for i := range 60 {
		a := Agent{ID: id.User(fmt.Sprintf("a%02d", i)), Queues: []id.Queue{id.Queue(fmt.Sprint("q", i%7)), id.Queue(fmt.Sprint("q", (i+3)%7))}}
		in := Event{Kind: AgentSignedIn, Profile: &a, Ready: i%3 > 0, Endpoint: true, Since: start - int64(i%9)*Minute}
		feed = append(feed, in)
		if i%5 == 0 {
			feed = append(feed, in) // presence said twice
		}
	}
	var first []string
	for seed := range uint64(5) {
		d := newDesk(t, Settings{})
		for i := range 7 {
			d.do(Event{Kind: QueueConfigured, Config: &Queue{ID: id.Queue(fmt.Sprint("q", i))}})
		}
		d.do(Event{Kind: MatchingHeld})
		if _, ok := d.b.Next(); ok {
			t.Fatal("a timer while held")
		}
		rnd := rand.New(rand.NewPCG(seed, 5))
		mixed := slices.Clone(feed)
		if seed > 0 {
			rnd.Shuffle(len(mixed), func(i, j int) { mixed[i], mixed[j] = mixed[j], mixed[i] })
		}
		for _, ev := range mixed {
			d.do(ev)
		}
		for _, l := range d.out {
			if l[:5] == "offer" {
				t.Fatal("an offer while held")
			}
		}
		d.clear().do(Event{Kind: MatchingResumed})
		var got []string
		for _, l := range d.out {
			if l[:5] == "offer" {
				got = append(got, l)
			}
		}
		for i := range 7 {
			got = append(got, fmt.Sprint(d.b.Order(nil, id.Queue(fmt.Sprint("q", i)))))
		}
		if first == nil {
			first = got
		}
		if diff := cmp.Diff(first, got); diff != "" {
			t.Fatalf("order of feeding %d:\n%s", seed, diff)
		}
	}
	if len(first) < 40 {
		t.Fatal("too few offers to prove anything")
	}
}

// TestTakeOverMidTalk: what agents are doing comes along too.
func TestTakeOverMidTalk(t *testing.T) {
	d := newDesk(t, Settings{}, Queue{ID: "a"}).do(Event{Kind: MatchingHeld}).in(person("an")).in(person("bo")).enter("c3", "a").clear()
	d.do(Event{Kind: AgentTook, Agent: "an", Contact: "c1", Channel: "voice", Since: start - Minute, WrapUp: 10 * Second, Force: true}).said("an talking c1")
	d.do(Event{Kind: AgentWrapping, Agent: "bo", Contact: "c2", Channel: "voice", Since: start - 5*Second, Until: start + 5*Second}).said("bo wrap_up c2 5s")
	d.do(Event{Kind: MatchingResumed}).said()
	d.wait(5*Second).said("offer c3 bo", "bo reserved c3 20s")
	d.done("an", "c1").said("an wrap_up c1 10s")
}

// TestNoAllocations: once warm, the brain allocates nothing.
func TestNoAllocations(t *testing.T) {
	c := newCity(scale{200, 50, 40, 1000, Minute, 30 * Second}, 1)
	const warm, timed = 300_000, 20_000
	for i := range warm + 2*timed {
		c.step(i)
	}
	b := c.twin()
	c.play(b, c.log[:len(c.log)-2*timed])
	part := c.log[len(c.log)-2*timed:]
	n := testing.AllocsPerRun(1, func() { // runs twice: once to warm up
		c.play(b, part[:timed])
		part = part[timed:]
	})
	if n > 0 {
		t.Fatalf("%v allocations in %d events", n, timed)
	}
}
