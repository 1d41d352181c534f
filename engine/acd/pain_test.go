package acd

import (
	"testing"

	"github.com/kapok-hotline/kapok/core/id"
)

// The tests here answer faults that users of other open-source call centres reported; the numbers are those of
// docs/pains.md, which names for each where else it is proved.

// Pain 1: with agents in several queues nobody could say whose caller is next, and who had waited longest was passed
// over (asterisk/asterisk#108, PR#109).
func TestPain01OldestOverAllQueues(t *testing.T) {
	d := newDesk(t, Settings{}, Queue{ID: "a"}, Queue{ID: "b"}, Queue{ID: "c"})
	for _, x := range []struct {
		c id.Contact
		q id.Queue
	}{{"c1", "c"}, {"c2", "a"}, {"c3", "b"}, {"c4", "c"}, {"c5", "a"}} {
		d.enter(x.c, x.q).wait(Second)
	}
	d.in(person("an"))
	for _, c := range []id.Contact{"c1", "c2", "c3", "c4", "c5"} {
		if got := d.b.idOf(d.b.agents[0].offer); got != c {
			t.Fatalf("%s is next, want %s", got, c)
		}
		d.accept("an").wait(Minute).done("an", c)
	}
}

// Pain 2: the option that made the longest waiter first forgot priority: a caller with priority lost to older ones of
// other queues (asterisk/asterisk#1637, PR#1640).
func TestPain02PriorityOverAllQueues(t *testing.T) {
	d := newDesk(t, Settings{}, Queue{ID: "a"}, Queue{ID: "b", Priority: 2}).enter("old", "a").wait(Minute).enter("vip", "b")
	d.in(person("an"))
	if got := d.b.idOf(d.b.agents[0].offer); got != "vip" {
		t.Fatalf("got %s", got)
	}
}

// Pain 3: a call that joined at the head of a queue made every queue stop offering calls (asterisk/asterisk#1691,
// PR#1693).
func TestPain03JoiningAtTheHeadStopsNothing(t *testing.T) {
	d := newDesk(t, Settings{}, Queue{ID: "a"}, Queue{ID: "b"}).enter("c1", "a").enter("c2", "b").clear()
	d.do(Event{Kind: ContactEntered, Contact: "first", Queue: "a", Channel: "voice", EnteredAt: start - Hour, Since: start}).clear()
	d.in(person("an")).in(person("bo")).in(person("cy"))
	d.said("offer first an", "an reserved first 20s", "offer c1 bo", "bo reserved c1 20s", "offer c2 cy", "cy reserved c2 20s")
}

// Pain 4: a weightier queue whose callers nobody present could serve starved the lighter one (asterisk/asterisk#1561).
func TestPain04WhomNobodyCanServeHoldsNobodyUp(t *testing.T) {
	d := newDesk(t, Settings{}, Queue{ID: "high", Priority: 10, Needs: []Need{{"rare", 4, 4}}}, Queue{ID: "low"}).enter("h", "high").enter("l", "low").clear()
	d.in(person("an")).said("offer l an", "an reserved l 20s")
}

// Pain 5: the time to write ended early, or began anew, when the call given away ended at another agent; the first one
// was rung while still writing (asterisk/asterisk#1006, #607).
func TestPain05TransferLeavesTheWrapUpAlone(t *testing.T) {
	d := newDesk(t, Settings{}, Queue{ID: "a", WrapUp: 30 * Second}, Queue{ID: "b", WrapUp: Second}).in(person("an")).enter("c1", "a").accept("an").wait(Minute)
	d.do(Event{Kind: ContactEntered, Contact: "c1", Queue: "b", Channel: "voice", EnteredAt: start, Since: d.now}).clear()
	d.done("an", "c1").said("an wrap_up c1 30s")
	d.in(person("bo")).accept("bo").clear()
	d.enter("c2", "a").wait(10*Second).done("bo", "c1").wait(Second).clear() // bo is free again and takes c2; an still writes
	d.wait(18 * Second).said()
	d.wait(Second).said("an ready")
}

// Pain 6: two agents answered one call (asterisk/asterisk#176), and one agent who hung up took the ringing from all
// others (#1557).
func TestPain06OneContactOneAgent(t *testing.T) {
	t.Run("who answers too late has lost it", func(t *testing.T) {
		d := newDesk(t, Settings{}, Queue{ID: "a", Ringing: 5 * Second}).in(person("an")).wait(Second).in(person("bo")).enter("c1", "a")
		first := d.offers["an"]
		d.wait(6 * Second).clear() // missed: bo rings
		d.do(Event{Kind: OfferAccepted, Agent: "an", Offer: first, Contact: "c1"}).said("void c1 an")
		d.accept("bo").said("connect c1 bo", "bo talking c1")
	})
	t.Run("who refuses stops nobody else's ringing", func(t *testing.T) {
		d := newDesk(t, Settings{}, Queue{ID: "a"}).in(person("an")).in(person("bo")).enter("c1", "a").wait(Second).enter("c2", "a").clear()
		d.do(Event{Kind: OfferRefused, Agent: "an", Offer: d.offers["an"]})
		for _, line := range d.out {
			if line == "withdraw c2 bo refused" || line == "bo ready" {
				t.Fatalf("bo's ringing ended: %q", d.out)
			}
		}
		d.clear().accept("bo").said("connect c2 bo", "bo talking c2")
	})
}

// Pain 10: an agent was put on break after exactly one missed call; people want to say how many (FreePBX#816).
func TestPain10AwayAfterAsManyMissedAsSet(t *testing.T) {
	for _, n := range []int{1, 2, 5, -1} {
		d := newDesk(t, Settings{MissedLimit: n}, Queue{ID: "a", Ringing: Second}).in(person("an")).enter("c1", "a")
		d.wait(10 * Second)
		if n > 0 && d.b.seq != uint64(n) || n < 0 && d.b.seq < 10 {
			t.Fatalf("limit %d: %d offers", n, d.b.seq)
		}
	}
}

// Pain 16: the queues lived in one process's memory, so a second server could not take over, and a restart lost
// everybody's place (signalwire/freeswitch#1674).
func TestPain16AnotherBrainKeepsEveryPlace(t *testing.T) {
	d := newDesk(t, Settings{}, Queue{ID: "a"}, Queue{ID: "b"}).in(person("an")).enter("c0", "a").accept("an")
	d.wait(Second).enter("old", "b").wait(Minute).enter("new", "a")
	two := &desk{t: t, b: New(Config{Fence: 2}), now: d.now, offers: map[id.User]OfferNo{}}
	for _, q := range []id.Queue{"a", "b"} {
		two.do(Event{Kind: QueueConfigured, Config: &Queue{ID: q}})
	}
	two.do(Event{Kind: MatchingHeld})
	for _, c := range []struct { // told in any order: what counts is when they entered
		c  id.Contact
		q  id.Queue
		at int64
	}{{"new", "a", start + 61*Second}, {"old", "b", start + Second}} {
		two.do(Event{Kind: ContactEntered, Contact: c.c, Queue: c.q, Channel: "voice", EnteredAt: c.at, Rejoin: true})
	}
	two.in(person("bo")).clear().do(Event{Kind: MatchingResumed})
	two.said("offer old bo", "bo reserved old 20s")
	if two.offers["bo"]>>offerBits != 2 {
		t.Error("the offer does not carry the new brain's fencing number")
	}
	two.accept("bo").done("bo", "old").clear()
	if got := two.b.idOf(two.b.agents[0].offer); got != "new" {
		t.Errorf("%s is next, want new", got)
	}
}

// Pain 17: agents stayed reserved and callers answered for hours, and dead callers were put through to agents
// (signalwire/freeswitch#2540, #1973, #2529).
func TestPain17NothingIsStuck(t *testing.T) {
	t.Run("a reservation nobody answers ends by itself", func(t *testing.T) {
		d := newDesk(t, Settings{MissedLimit: 1}, Queue{ID: "a"}).in(person("an")).enter("c1", "a").clear()
		d.wait(Minute).said("withdraw c1 an missed", "requeued c1 missed", "an away missed")
	})
	t.Run("a dead caller leaves no zombie", func(t *testing.T) {
		d := newDesk(t, Settings{}, Queue{ID: "a"}).in(person("an")).wait(Minute).in(person("bo")).enter("c1", "a").wait(5 * Second).clear()
		d.leave("c1").said("withdraw c1 an left", "an ready")
		d.enter("c2", "a").said("queued c2", "offer c2 an", "an reserved c2 20s") // and an, ready longest, is still first
	})
	t.Run("a talk that lasts too long is asked about", func(t *testing.T) {
		d := newDesk(t, Settings{CheckTalking: Hour}, Queue{ID: "a"}).in(person("an")).enter("c1", "a").accept("an").clear()
		d.wait(Hour).said("check c1 an talking")
		d.wait(Hour).said("check c1 an talking")
	})
}

// Pain 18: the top-down order of agents stopped for ever when the one it came to was on break
// (signalwire/freeswitch#1216, PR#1221).
func TestPain18TheAgentOnBreakStopsNobody(t *testing.T) {
	for _, best := range []bool{true, false} { // both orders of agents there are
		d := newDesk(t, Settings{}, Queue{ID: "a", BestSkill: best, Needs: []Need{{"s", 1, 0}}}).in(person("top", sk("s", 4))).in(person("last", sk("s", 1)))
		d.do(Event{Kind: AgentAway, Agent: "top", Reason: "break"}).clear()
		d.enter("c1", "a").said("queued c1", "offer c1 last", "last reserved c1 20s")
	}
}

// Pain 19: a caller with 53 points was served before callers with 303, and nobody could say why
// (signalwire/freeswitch#2511).
func TestPain19MorePointsComeFirstAndCanBeExplained(t *testing.T) {
	d := newDesk(t, Settings{HeadStart: Second}, Queue{ID: "a"})
	for _, x := range []struct {
		c id.Contact
		p int
	}{{"c53", 53}, {"c303", 303}} {
		d.do(Event{Kind: ContactEntered, Contact: x.c, Queue: "a", Channel: "voice", Priority: x.p})
	}
	if got := d.b.Order(nil, "a"); got[0] != "c303" {
		t.Fatal(got)
	}
	var why Decision
	d.b.Trace(func(x *Decision) { why = copied(x) })
	d.in(person("an"))
	if why.Contact != "c303" || len(why.Rivals) == 0 && len(why.Candidates) == 0 {
		t.Fatalf("the decision does not say why: %+v", why)
	}
	if err := why.Verify(); err != nil {
		t.Fatal(err)
	}
}

// Pain 20: the thread that gives calls to agents died in silence, and callers waited beside ready agents until the
// module was loaded again (signalwire/freeswitch#1641). Here nothing runs that could die: each event is matched at once.
func TestPain20AReadyAgentAndAWaitingCallerNeverStandSideBySide(t *testing.T) {
	for _, order := range []string{"the caller first", "the agent first", "after a wrap-up", "after a break", "after a refusal"} {
		t.Run(order, func(t *testing.T) {
			d := newDesk(t, Settings{Rest: 5 * Second, MissedLimit: -1}, Queue{ID: "a", WrapUp: 10 * Second})
			switch order {
			case "the caller first":
				d.enter("c1", "a").in(person("an"))
			case "the agent first":
				d.in(person("an")).enter("c1", "a")
			case "after a wrap-up":
				d.in(person("an")).enter("c0", "a").accept("an").done("an", "c0").enter("c1", "a").wait(10 * Second)
			case "after a break":
				d.in(person("an")).do(Event{Kind: AgentAway, Agent: "an", Reason: "break"}).enter("c1", "a").do(Event{Kind: AgentReady, Agent: "an"})
			case "after a refusal":
				d.in(person("an")).enter("c1", "a").do(Event{Kind: OfferRefused, Agent: "an", Offer: d.offers["an"]}).wait(5 * Second)
			}
			if got := d.b.agents[0].offer; got < 0 || d.b.idOf(got) != "c1" {
				t.Fatalf("the caller waits beside a ready agent: %q", d.out)
			}
		})
	}
}

// Pain 26: the wrap-up of the agent who finished last was ended instead of the first one's (OpenSIPS/opensips#2679).
func TestPain26TheWrapUpThatBeganFirstEndsFirst(t *testing.T) {
	d := newDesk(t, Settings{}, Queue{ID: "a", WrapUp: 10 * Second}).in(person("an")).in(person("bo")).enter("c1", "a").enter("c2", "a").accept("an").accept("bo")
	d.done("bo", "c2").wait(Second).done("an", "c1").enter("c3", "a").clear()
	d.wait(9*Second).said("offer c3 bo", "bo reserved c3 20s")
}

// Pain 29: a talk was given to an agent who already had too many, for want of a queue (chatwoot/chatwoot#13050).
func TestPain29NobodyIsGivenMoreThanTheyCanCarry(t *testing.T) {
	d := newDesk(t, Settings{}, Queue{ID: "a"}).in(Agent{ID: "an", Slots: []Slots{{"chat", 2}}}).clear()
	for _, c := range []id.Contact{"c1", "c2", "c3"} {
		d.do(Event{Kind: ContactEntered, Contact: c, Queue: "a", Channel: "chat"})
		if c != "c3" {
			d.accept("an")
		}
	}
	if got := d.b.Order(nil, "a"); len(got) != 1 || got[0] != "c3" {
		t.Fatalf("who waits: %v", got)
	}
	d.clear().done("an", "c1")
	if got := d.b.idOf(d.b.agents[0].offer); got != "c3" {
		t.Fatalf("got %s: %q", got, d.out)
	}
}

// Pain 30: people who came back were given to their former agent, who had gone home, and stayed there
// (chatwoot/chatwoot#4158, #7204, #9587).
func TestPain30NobodyWaitsForAnAbsentAgent(t *testing.T) {
	d := newDesk(t, Settings{}, Queue{ID: "a", Sticky: Hour}).in(person("own")).in(person("other"))
	d.do(Event{Kind: AgentSignedOut, Agent: "own"}).clear()
	d.do(Event{Kind: ContactEntered, Contact: "c1", Queue: "a", Channel: "voice", Sticky: "own"})
	d.said("queued c1", "offer c1 other", "other reserved c1 20s")
}
