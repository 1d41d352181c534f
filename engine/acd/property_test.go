package acd

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/kapok-hotline/kapok/core/id"
)

// world makes random histories and judges the brain by a naive reference that looks at every agent and every
// contact and knows no class, index, heap or wheel.
type world struct {
	t      *testing.T
	b      *Brain
	rnd    *rand.Rand
	now    int64
	set    Settings
	queues map[id.Queue]Queue
	agents map[id.User]Agent
	extra  map[id.Contact][]Need
	site   map[id.Contact]id.Site
	offers []Command // all of late, for answers in time and late ones
	where  map[id.Contact]string
	ring   map[id.User]OfferNo
	log    []Event
	nows   []int64
	said   []Command
	n      int
	made   int
}

var (
	skillNames = []id.Skill{"vat", "iit", "invoice", "cantonese"}
	siteNames  = []id.Site{"tianhe", "yuexiu", "panyu"}
	queueNames = []id.Queue{"q0", "q1", "q2", "q3", "q4", "q5"}
	chanNames  = []Channel{"voice", "voice", "voice", "chat", "wechat"}
)

func pick[T any](r *rand.Rand, of []T) T { return of[r.IntN(len(of))] }

func (w *world) randomQueue(name id.Queue) Queue {
	r := w.rnd
	q := Queue{
		ID: name, RelaxEvery: pick(r, []int64{0, 20 * Second, Minute}), Priority: r.IntN(3), BestSkill: r.IntN(3) == 0,
		Sticky: pick(r, []int64{0, 15 * Second}), Ringing: pick(r, []int64{0, 8 * Second}),
		WrapUp: pick(r, []int64{0, 10 * Second, Manual}), MaxWait: pick(r, []int64{0, 3 * Minute}), MaxWaitRule: "callback",
		MaxLength: pick(r, []int{0, 0, 6}), FullRule: "busy", ClosedRule: "closed",
		ClosingRule: pick(r, []Rule{"", "closing"}), NoAgentRule: pick(r, []Rule{"", "nobody"}), NoAgentAfter: pick(r, []int64{0, 20 * Second}),
	}
	for range r.IntN(3) {
		q.Needs = append(q.Needs, Need{Skill: pick(r, skillNames), Level: uint8(r.IntN(5)), Floor: uint8(r.IntN(2))})
	}
	switch r.IntN(3) {
	case 0:
		q.Rings = []Ring{{Sites: []id.Site{pick(r, siteNames)}}, {After: 30 * Second, Sites: []id.Site{pick(r, siteNames)}, OnWait: 2 * Minute}, {After: Minute, Any: true}}
	case 1:
		q.Rings = []Ring{{Own: true}, {After: 40 * Second, Any: true}}
	}
	return q
}

func (w *world) randomAgent(name id.User) Agent {
	r := w.rnd
	a := Agent{ID: name, Sites: []id.Site{pick(r, siteNames)}, Slots: []Slots{{"voice", 1}}}
	for _, s := range skillNames {
		if r.IntN(4) > 0 {
			a.Skills = append(a.Skills, Skill{s, uint8(r.IntN(5))})
		}
	}
	if r.IntN(2) == 0 {
		a.Slots = append(a.Slots, Slots{"chat", 1 + r.IntN(3)}, Slots{"wechat", r.IntN(3)})
	}
	if r.IntN(4) == 0 {
		a.Queues = []id.Queue{pick(r, queueNames), pick(r, queueNames), pick(r, queueNames)}
	}
	return a
}

// naiveNeeds are the needs of queue and contact together, lowered.
func naiveNeeds(q Queue, own []Need, relax uint8) map[id.Skill]uint8 {
	level, floor := map[id.Skill]uint8{}, map[id.Skill]uint8{}
	for _, n := range slices.Concat(q.Needs, own) {
		level[n.Skill] = max(level[n.Skill], n.Level)
	}
	for _, list := range [][]Need{q.Needs, own} { // within one list the strongest naming of a skill gives the floor
		top := map[id.Skill]Need{}
		for _, n := range list {
			if t, ok := top[n.Skill]; !ok || n.Level > t.Level {
				top[n.Skill] = n
			}
		}
		for s, n := range top {
			floor[s] = max(floor[s], min(n.Floor, n.Level))
		}
	}
	for s, l := range level {
		level[s] = max(floor[s], l-min(l, relax))
	}
	return level
}

// able is the naive eligibility.
func (w *world) able(ai, ci int32) bool {
	c, cid := &w.b.contacts[ci], w.b.idOf(ci)
	q, a := w.queues[w.b.queues[c.queue].cfg.ID], w.agents[w.b.byAgent.keys[ai]]
	if len(a.Queues) > 0 && !slices.Contains(a.Queues, q.ID) {
		return false
	}
	for s, l := range naiveNeeds(q, w.extra[cid], c.relax) {
		i := slices.IndexFunc(a.Skills, func(k Skill) bool { return k.Skill == s })
		if i < 0 || a.Skills[i].Level < l {
			return false
		}
	}
	ok := len(q.Rings) == 0
	for i := 0; i <= int(c.ring) && i < len(q.Rings); i++ {
		r := q.Rings[i]
		ok = ok || r.Any || r.Own && slices.Contains(a.Sites, w.site[cid]) || slices.ContainsFunc(a.Sites, func(s id.Site) bool { return slices.Contains(r.Sites, s) })
	}
	return ok
}

// free is the naive readiness for a channel.
func (w *world) free(ai int32, ch uint8) bool {
	a := &w.b.agents[ai]
	if !a.in || a.away || a.offer != none || a.restUntil != 0 {
		return false
	}
	load, count := 0, 0
	for i := a.assigns; i != none; i = w.b.assigns[i].nextOfAgent {
		x := w.b.assigns[i]
		if x.wrapping {
			return false
		}
		load += w.set.Channels[x.channel].Weight
		if x.channel == ch {
			count++
		}
	}
	slots := 0
	for _, s := range w.agents[w.b.byAgent.keys[ai]].Slots {
		if s.Channel == w.set.Channels[ch].Channel {
			slots = s.Max
		}
	}
	return count < slots && load+w.set.Channels[ch].Weight <= 100 && (a.endpoint || !w.set.Channels[ch].Endpoint)
}

func (w *world) could(ai, ci int32) bool {
	return w.free(ai, w.b.contacts[ci].channel) && w.able(ai, ci) && !w.b.has(ai, &w.b.contacts[ci])
}

// decided judges a decision at the moment it is made, by looking at everybody.
func (w *world) decided(d *Decision) {
	w.made++
	if err := d.Verify(); err != nil {
		w.fail("%v", err)
	}
	b := w.b
	ci, ai := b.byContact.find(d.Contact), b.byAgent.find(d.Agent)
	if !w.could(ai, ci) {
		w.fail("%s offered to %s, who may not take it", d.Contact, d.Agent)
	}
	a, c := &b.agents[ai], &b.contacts[ci]
	switch d.Cause {
	case BySticky:
		if b.details[ci].sticky != d.Agent {
			w.fail("%s is not the sticky agent of %s", d.Agent, d.Contact)
		}
	case ByAgent: // nobody earlier in the order could have been taken
		for o := range b.contacts {
			if x := int32(o); x != ci && b.contacts[o].state == waiting && b.contactPos.at[x] != none && b.compareContacts(x, ci) < 0 && w.could(ai, x) {
				w.fail("%s took %s though %s was earlier", d.Agent, d.Contact, b.idOf(x))
			}
		}
	case ByContact: // no better agent was free
		q := w.queues[b.queues[c.queue].cfg.ID]
		for o := range b.agents {
			x := &b.agents[o]
			if int32(o) == ai || !w.could(int32(o), ci) {
				continue
			}
			mine, other := w.skill(q, ci, ai), w.skill(q, ci, int32(o))
			if q.BestSkill && mine != other {
				if other > mine {
					w.fail("%s (skill %d) preferred to %s (skill %d)", d.Agent, mine, x.id, other)
				}
				continue
			}
			if x.load < a.load || x.load == a.load && (x.idleSince < a.idleSince || x.idleSince == a.idleSince && x.id < a.id) {
				w.fail("%s preferred to %s, who was idle longer", d.Agent, x.id)
			}
		}
	}
}

func (w *world) skill(q Queue, ci, ai int32) (sum int) {
	for s := range naiveNeeds(q, w.extra[w.b.idOf(ci)], 0) {
		for _, k := range w.agents[w.b.byAgent.keys[ai]].Skills {
			if k.Skill == s {
				sum += int(k.Level)
			}
		}
	}
	return sum
}

func (w *world) fail(f string, a ...any) {
	w.t.Helper()
	w.t.Fatalf("event %d (%s) at %d: %s", w.n, w.log[len(w.log)-1].Kind, w.now-start, fmt.Sprintf(f, a...))
}

func (w *world) apply(ev Event) {
	w.log, w.nows = append(w.log, ev), append(w.nows, w.now)
	w.n++
	for _, c := range w.b.Apply(&w.log[len(w.log)-1], w.now) {
		w.said = append(w.said, c)
		w.follow(c)
	}
	if ev.Kind == ContactLeft {
		w.where[ev.Contact] = ""
	}
	w.check()
}

// follow holds the commands against what can be: each contact in one place, each agent with one offer and within
// its capacity.
func (w *world) follow(c Command) {
	switch c.Kind {
	case Queued:
		w.where[c.Contact] = "queue"
	case Offer:
		if w.where[c.Contact] != "queue" {
			w.fail("offer of %s, which is at %q", c.Contact, w.where[c.Contact])
		}
		if w.ring[c.Agent] != 0 {
			w.fail("a second offer to %s", c.Agent)
		}
		if c.Deadline <= w.now {
			w.fail("offer without a future")
		}
		w.where[c.Contact], w.ring[c.Agent] = "ring "+string(c.Agent), c.Offer
		w.offers = append(w.offers, c)
		if len(w.offers) > 20 {
			w.offers = w.offers[1:]
		}
	case Withdraw:
		if w.ring[c.Agent] != c.Offer {
			w.fail("withdrawal of an offer %s does not have", c.Agent)
		}
		w.ring[c.Agent] = 0
		if c.Why != WhyLeft && c.Why != WhyMoved {
			w.where[c.Contact] = "back"
		}
	case Requeued:
		w.where[c.Contact] = "queue"
	case Connect:
		if w.ring[c.Agent] != c.Offer || w.where[c.Contact] != "ring "+string(c.Agent) {
			w.fail("connect of %s at %q with %s", c.Contact, w.where[c.Contact], c.Agent)
		}
		w.where[c.Contact], w.ring[c.Agent] = "", 0
	case Exit:
		w.where[c.Contact] = ""
	}
}

// check holds the brain against its invariants.
func (w *world) check() {
	b := w.b
	for i := range b.agents {
		a := &b.agents[i]
		if !a.in {
			continue
		}
		if a.restUntil != 0 && a.restUntil <= b.now && !b.held {
			w.fail("agent %s still rests", a.id)
		}
		if b.timers.nodes[agentTimer(int32(i))].slot == 0 {
			w.fail("agent %s is %s without a deadline", a.id, a.shown.state)
		}
		if a.shown.state != b.derive(a).State {
			w.fail("agent %s: told %s, is %s", a.id, a.shown.state, b.derive(a).State)
		}
		if a.offer != none && (b.contacts[a.offer].state != ringing || b.contacts[a.offer].agent != int32(i)) {
			w.fail("agent %s rings for a contact that does not ring there", a.id)
		}
		if a.load > 100 {
			w.fail("agent %s carries %d", a.id, a.load)
		}
		var load int
		for ch, n := range a.count {
			if n > 0 {
				load += int(n) * w.set.Channels[ch].Weight
			}
		}
		if load != a.load {
			w.fail("agent %s: load %d, counted %d", a.id, a.load, load)
		}
	}
	members := 0
	for i := range b.queues {
		members += len(b.queues[i].members)
		line := 0
		for _, c := range b.queues[i].members {
			if b.contacts[c].state == waiting {
				line++
			}
		}
		if line != int(b.queues[i].pace.line) {
			w.fail("%d stand in line for %s, counted %d", line, b.queues[i].cfg.ID, b.queues[i].pace.line)
		}
	}
	for i := range b.contacts {
		w.checkContact(int32(i), &members)
	}
	if members != 0 {
		w.fail("%d members of queues are nowhere", members)
	}
}

func (w *world) checkContact(ci int32, members *int) {
	b, c := w.b, &w.b.contacts[ci]
	if b.byContact.keys[ci] == "" || c.state == unqueued {
		return
	}
	*members--
	if c.state == ringing {
		if b.agents[c.agent].offer != ci {
			w.fail("%s rings at %s, which has another offer", b.idOf(ci), b.agents[c.agent].id)
		}
		return
	}
	if b.held {
		return
	}
	n := b.timers.nodes[contactTimer(ci)]
	if n.slot == 0 {
		w.fail("%s waits without a deadline", b.idOf(ci))
	}
	q := w.queues[b.queues[c.queue].cfg.ID]
	if q.RelaxEvery > 0 {
		if want := min(uint8((b.now-c.since)/q.RelaxEvery), c.reach); c.relax != want && (b.now-c.since)/q.RelaxEvery < 200 {
			w.fail("%s is relaxed by %d, not %d", b.idOf(ci), c.relax, want)
		}
	}
	if c.holder != none {
		if b.now-c.since >= q.Sticky || b.agents[c.holder].away {
			w.fail("%s is still kept for %s", b.idOf(ci), b.agents[c.holder].id)
		}
		if w.could(c.holder, ci) {
			w.fail("%s is kept for %s, who is free", b.idOf(ci), b.agents[c.holder].id)
		}
		return
	}
	for ai := range b.agents {
		if b.agents[ai].in && w.could(int32(ai), ci) {
			w.fail("%s waits while %s is free and able", b.idOf(ci), b.agents[ai].id)
		}
	}
}

func (w *world) tick() { w.apply(Event{Kind: Tick}) }

// step makes one random event, or lets time pass to the next timer.
func (w *world) step() {
	r := w.rnd
	if at, ok := w.b.Next(); ok && r.IntN(4) == 0 && at < w.now+Minute {
		w.now = max(at, w.now)
		w.apply(Event{Kind: Tick})
		return
	}
	w.now += r.Int64N(2 * Second)
	who := id.User(fmt.Sprintf("agent%02d", r.IntN(12)))
	_, in := w.agents[who]
	contact := id.Contact(fmt.Sprintf("c%05d", max(0, len(w.extra)-r.IntN(40))))
	switch n := r.IntN(100); {
	case n < 22:
		w.enter(id.Contact(fmt.Sprintf("c%05d", len(w.extra)+1)), false)
	case n < 24:
		w.enter(contact, true)
	case n < 32:
		w.apply(Event{Kind: ContactLeft, Contact: contact})
	case n < 55 && len(w.offers) > 0:
		o := w.offers[max(0, len(w.offers)-1-r.IntN(4))]
		kind := OfferAccepted
		switch r.IntN(12) {
		case 0:
			kind = OfferRefused
		case 1:
			kind = OfferFailed
		}
		w.apply(Event{Kind: kind, Agent: o.Agent, Offer: o.Offer, Contact: o.Contact})
	case n < 70:
		w.finishOne(who)
	case n < 74:
		w.apply(Event{Kind: WrapUpDone, Agent: who})
	case n < 75:
		w.apply(Event{Kind: WrapUpExtended, Agent: who, Until: w.now + r.Int64N(Minute)})
	case n < 80 || !in:
		a := w.randomAgent(who)
		if in {
			a = w.agents[who]
		}
		w.agents[who] = a
		w.apply(Event{Kind: AgentSignedIn, Profile: &a, Ready: true, Endpoint: true})
	case n < 81:
		w.apply(Event{Kind: AgentSignedOut, Agent: who})
		delete(w.agents, who)
	case n < 82:
		w.tick()
		w.agents[who] = w.randomAgent(who)
		a := w.agents[who]
		w.apply(Event{Kind: AgentChanged, Profile: &a})
	case n < 85:
		w.apply(Event{Kind: AgentAway, Agent: who, Reason: "lunch"})
	case n < 92:
		w.apply(Event{Kind: AgentReady, Agent: who})
	case n < 93:
		w.apply(Event{Kind: EndpointLost, Agent: who})
	case n < 95:
		w.apply(Event{Kind: EndpointBack, Agent: who})
	case n < 97:
		w.apply(Event{Kind: AgentTook, Agent: who, Contact: contact, Channel: pick(r, chanNames), WrapUp: 5 * Second})
	default:
		w.config()
	}
}

func (w *world) enter(c id.Contact, rejoin bool) {
	r := w.rnd
	var needs []Need
	if r.IntN(5) == 0 {
		needs = []Need{{Skill: pick(r, skillNames), Level: uint8(r.IntN(4))}}
	}
	ev := Event{
		Kind: ContactEntered, Contact: c, Queue: pick(r, queueNames), Channel: pick(r, chanNames), Priority: r.IntN(5) - 2, Needs: needs,
		Site: pick(r, siteNames), Caller: fmt.Sprintf("caller%d", r.IntN(30)), Rejoin: rejoin,
	}
	if r.IntN(4) == 0 {
		ev.Sticky = id.User(fmt.Sprintf("agent%02d", r.IntN(12)))
	}
	if r.IntN(10) == 0 {
		ev.EnteredAt = w.now - r.Int64N(2*Minute)
	}
	w.tick() // what is due is decided by the old needs
	w.extra[c], w.site[c] = needs, ev.Site
	w.apply(ev)
}

func (w *world) finishOne(who id.User) {
	ai := w.b.byAgent.find(who)
	if ai == none || w.b.agents[ai].assigns == none {
		w.apply(Event{Kind: Tick})
		return
	}
	w.apply(Event{Kind: ContactDone, Agent: who, Contact: w.b.idOf(w.b.assigns[w.b.agents[ai].assigns].contact)})
}

func (w *world) config() {
	q := pick(w.rnd, queueNames)
	switch w.rnd.IntN(12) {
	case 0:
		w.tick()
		cfg := w.randomQueue(q)
		w.queues[q] = cfg
		w.apply(Event{Kind: QueueConfigured, Config: &cfg})
	case 1:
		w.apply(Event{Kind: QueueClosed, Queue: q})
	case 2:
		w.apply(Event{Kind: MatchingHeld})
	case 3, 4, 5:
		w.apply(Event{Kind: MatchingResumed})
	default:
		w.apply(Event{Kind: QueueOpened, Queue: q})
	}
}

func newWorld(t *testing.T, seed uint64) *world {
	w := &world{
		t: t, rnd: rand.New(rand.NewPCG(seed, 99)), now: start, set: Settings{RefusedCounts: true, Rest: 3 * Second, Slack: Second, MaxWrapUp: 2 * Minute}.filled(),
		queues: map[id.Queue]Queue{}, agents: map[id.User]Agent{}, extra: map[id.Contact][]Need{}, site: map[id.Contact]id.Site{},
		where: map[id.Contact]string{}, ring: map[id.User]OfferNo{},
	}
	w.b = New(Config{Fence: 3, Settings: w.set})
	w.b.Trace(w.decided)
	for _, q := range queueNames {
		w.queues[q] = w.randomQueue(q)
		cfg := w.queues[q]
		w.apply(Event{Kind: QueueConfigured, Config: &cfg})
	}
	return w
}

// TestRandomHistories: whatever happens, no ready and able agent stands beside a waiting contact, nobody is
// overtaken without a reason, no state is without a deadline, no contact has two agents, no agent more than it can
// carry; and the same history gives the same commands.
func TestRandomHistories(t *testing.T) {
	for seed := range uint64(4) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, seed)
			for w.n < 100_000 {
				w.step()
			}
			again := New(Config{Fence: 3, Settings: w.set})
			var said []Command
			for i := range w.log {
				said = append(said, again.Apply(&w.log[i], w.nows[i])...)
			}
			if !slices.Equal(said, w.said) {
				t.Fatal("the same history gave other commands")
			}
			t.Logf("%d events, %d decisions, %d commands", w.n, w.made, len(w.said))
			if w.made < 5000 {
				t.Fatalf("only %d decisions: the history proves little", w.made)
			}
		})
	}
}
