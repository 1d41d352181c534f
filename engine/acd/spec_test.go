package acd

import (
	"testing"

	"github.com/kapok-hotline/kapok/core/id"
)

func sk(name id.Skill, level uint8) Skill { return Skill{name, level} }

func TestSkillsRelaxLevelByLevel(t *testing.T) {
	d := newDesk(t, Settings{}, Queue{ID: "tax", Needs: []Need{{Skill: "vat", Level: 4, Floor: 2}}, RelaxEvery: 10 * Second})
	d.in(person("none")).in(person("one", sk("vat", 1))).in(person("three", sk("vat", 3))).clear()
	d.enter("c1", "tax").said("queued c1")
	d.wait(9 * Second).said()
	d.wait(Second).said("offer c1 three relax 1", "three reserved c1 20s")
	d.enter("c2", "tax").said("queued c2")
	d.wait(Minute).said("withdraw c1 three missed", "requeued c1 missed", "offer c1 three relax 2", "three reserved c1 20s",
		"withdraw c1 three missed", "requeued c1 missed", "three away missed") // level 1 is under the floor, whoever waits
}

func TestExtraNeedsOfTheContact(t *testing.T) {
	d := newDesk(t, Settings{}, Queue{ID: "tax", Needs: []Need{{Skill: "vat", Level: 1}}})
	d.in(person("an", sk("vat", 4))).in(person("bo", sk("vat", 1), sk("cantonese", 2))).clear()
	d.do(Event{Kind: ContactEntered, Contact: "c1", Queue: "tax", Channel: "voice", Needs: []Need{{Skill: "cantonese", Level: 2}}}).
		said("queued c1", "offer c1 bo", "bo reserved c1 20s")
}

func TestRingsWiden(t *testing.T) {
	d := newDesk(t, Settings{}, Queue{ID: "tax", Rings: []Ring{
		{Own: true}, {After: 10 * Second, Sites: []id.Site{"foshan"}}, {After: 30 * Second, Any: true},
	}, MaxWait: Minute, MaxWaitRule: "callback"})
	at := func(name id.User, site id.Site) { d.in(Agent{ID: name, Sites: []id.Site{site, "guangdong"}}) }
	at("zhuhai1", "zhuhai")
	d.clear()
	enter := func(c id.Contact) {
		d.do(Event{Kind: ContactEntered, Contact: c, Queue: "tax", Channel: "voice", Site: "guangzhou"})
	}
	enter("c1")
	d.said("queued c1")
	d.wait(10 * Second).said()
	at("foshan1", "foshan")
	d.said("offer c1 foshan1 ring 1", "foshan1 reserved c1 20s")
	enter("c2")
	at("guangzhou1", "guangzhou")
	d.said("queued c2", "offer c2 guangzhou1", "guangzhou1 reserved c2 20s")
	d.accept("foshan1").accept("guangzhou1").clear()
	enter("c3")
	d.wait(30*Second).said("queued c3", "offer c3 zhuhai1 ring 2", "zhuhai1 reserved c3 20s")
	d.accept("zhuhai1").clear()
	enter("c4")
	d.wait(2*Minute).said("queued c4", "exit c4 max_wait callback")
}

func TestRingOpensAtOnceOnALongEstimatedWait(t *testing.T) {
	d := newDesk(t, Settings{}, Queue{ID: "tax", Rings: []Ring{{Sites: []id.Site{"city"}}, {After: Minute, Any: true, OnWait: 30 * Second}}})
	for _, c := range []id.Contact{"a", "b"} { // two leave, 40 s apart: that is the pace
		d.enter(c, "tax").wait(40 * Second).leave(c)
	}
	d.in(Agent{ID: "far", Sites: []id.Site{"province"}}).clear()
	d.enter("c1", "tax").said("queued c1", "offer c1 far ring 1", "far reserved c1 20s")
}

func TestPriorityIsABoundedHeadStart(t *testing.T) {
	enter := func(d *desk, c id.Contact, points int) {
		d.do(Event{Kind: ContactEntered, Contact: c, Queue: "tax", Channel: "voice", Priority: points})
	}
	for _, x := range []struct {
		name   string
		points int
		after  int64
		first  id.Contact
	}{
		{"one point is worth a minute", 1, 59 * Second, "vip"},
		{"and no more", 1, 61 * Second, "old"},
		{"ten points are worth ten", 10, 9 * Minute, "vip"},
		{"no points are worth more than ten minutes", 1000, 10*Minute + 1, "old"},
	} {
		t.Run(x.name, func(t *testing.T) {
			d := newDesk(t, Settings{}, Queue{ID: "tax"})
			enter(d, "old", 0)
			d.wait(x.after)
			enter(d, "vip", x.points)
			d.in(person("an"))
			if got, _ := d.b.Position(x.first); got != 1 || d.b.contacts[d.b.agents[0].offer].key != d.b.contacts[d.b.byContact.find(x.first)].key {
				t.Fatalf("%s is not the first", x.first)
			}
		})
	}
}

func TestStandingBackIsBounded(t *testing.T) {
	for _, x := range []struct {
		name   string
		points int
		after  int64 // the other enters so much later
		first  id.Contact
	}{
		{"one point back is a minute", -1, 59 * Second, "other"},
		{"and no more", -1, 61 * Second, "back"},
		{"no points set anybody back more than ten minutes", -1000, 10*Minute + 1, "back"},
		{"but ten minutes they may", -1000, 10*Minute - 1, "other"},
	} {
		t.Run(x.name, func(t *testing.T) {
			d := newDesk(t, Settings{}, Queue{ID: "tax"})
			d.do(Event{Kind: ContactEntered, Contact: "back", Queue: "tax", Channel: "voice", Priority: x.points})
			d.wait(x.after)
			d.do(Event{Kind: ContactEntered, Contact: "other", Queue: "tax", Channel: "voice"})
			if got, _ := d.b.Position(x.first); got != 1 {
				t.Fatalf("%s is not the first", x.first)
			}
		})
	}
}

func TestLongestIdleAndBestSkilled(t *testing.T) {
	d := newDesk(t, Settings{},
		Queue{ID: "any", Needs: []Need{{Skill: "vat", Level: 1}}}, Queue{ID: "best", Needs: []Need{{Skill: "vat", Level: 1}}, BestSkill: true})
	d.in(person("first", sk("vat", 2))).wait(Second).in(person("second", sk("vat", 4))).wait(Second).in(person("third", sk("vat", 4))).clear()
	d.enter("c1", "best").said("queued c1", "offer c1 second", "second reserved c1 20s")
	d.leave("c1").clear()
	d.enter("c2", "any").said("queued c2", "offer c2 first", "first reserved c2 20s")
}

func TestStickyAgent(t *testing.T) {
	q := Queue{ID: "tax", Sticky: 15 * Second}
	enter := func(d *desk, c id.Contact) *desk {
		return d.do(Event{Kind: ContactEntered, Contact: c, Queue: "tax", Channel: "voice", Sticky: "own"})
	}
	t.Run("is taken though another is idle longer", func(t *testing.T) {
		d := newDesk(t, Settings{}, q).in(person("other")).wait(Second).in(person("own")).clear()
		enter(d, "c1").said("queued c1", "offer c1 own sticky", "own reserved c1 20s")
	})
	busy := func(t *testing.T) *desk {
		d := newDesk(t, Settings{}, q).in(person("own"))
		d.enter("c0", "tax").accept("own").in(person("other")).clear()
		return enter(d, "c1").said("queued c1")
	}
	t.Run("is waited for", func(t *testing.T) {
		busy(t).wait(10*Second).done("own", "c0").said("offer c1 own sticky", "own reserved c1 20s")
	})
	t.Run("until the window is over", func(t *testing.T) {
		busy(t).wait(15*Second).said("offer c1 other", "other reserved c1 20s")
	})
	t.Run("not when it wants away", func(t *testing.T) {
		busy(t).do(Event{Kind: AgentAway, Agent: "own", Reason: "lunch"}).said("offer c1 other", "own talking c0 then lunch", "other reserved c1 20s")
	})
	t.Run("not when it signs out", func(t *testing.T) {
		busy(t).do(Event{Kind: AgentSignedOut, Agent: "own"}).said("offer c1 other", "own signed_out", "other reserved c1 20s")
	})
	t.Run("not when it is absent from the start", func(t *testing.T) {
		d := newDesk(t, Settings{}, q).in(person("other")).clear()
		enter(d, "c1").said("queued c1", "offer c1 other", "other reserved c1 20s")
	})
}

func TestCapacityByWeight(t *testing.T) {
	d := newDesk(t, Settings{Channels: []ChannelRule{{"voice", 60, true}, {"chat", 20, false}}}, Queue{ID: "q"})
	d.in(Agent{ID: "an", Slots: []Slots{{"voice", 1}, {"chat", 3}}}).clear()
	chat := func(c id.Contact) *desk {
		return d.do(Event{Kind: ContactEntered, Contact: c, Queue: "q", Channel: "chat"})
	}
	chat("t1").accept("an")
	chat("t2").accept("an").clear()
	d.enter("v1", "q").said("queued v1", "offer v1 an") // 40 + 60 = 100; the agent talks on meanwhile
	d.accept("an").clear()
	chat("t3").said("queued t3") // 100 + 20 is too much
	d.done("an", "v1").said("offer t3 an", "an talking t2")
	d.accept("an").clear()
	chat("t4").said("queued t4") // three at most
	d.enter("v2", "q").said("queued v2")
	d.done("an", "t1").said("offer t4 an") // 40+60 fits v2, but t4 came first
}

func TestAwayIsRememberedUntilAfterWrapUp(t *testing.T) {
	d := newDesk(t, Settings{}, Queue{ID: "tax", WrapUp: 10 * Second})
	d.in(person("an")).enter("c1", "tax").accept("an").enter("c2", "tax").clear()
	d.do(Event{Kind: AgentAway, Agent: "an", Reason: "lunch"}).said("an talking c1 then lunch")
	d.done("an", "c1").said("an wrap_up c1 10s then lunch")
	d.wait(Minute).said("an away lunch")
	d.do(Event{Kind: AgentReady, Agent: "an"}).said("offer c2 an", "an reserved c2 20s")
}

func TestAwayWhileRingingIsHonouredAfterIt(t *testing.T) {
	d := newDesk(t, Settings{}, Queue{ID: "tax"})
	d.in(person("an")).enter("c1", "tax").do(Event{Kind: AgentAway, Agent: "an", Reason: "lunch"}).clear()
	d.leave("c1").said("withdraw c1 an left", "an away lunch")
}

func TestManualWrapUpIsBounded(t *testing.T) {
	d := newDesk(t, Settings{MaxWrapUp: Minute}, Queue{ID: "tax", WrapUp: Manual})
	d.in(person("an")).enter("c1", "tax").accept("an").done("an", "c1").clear()
	d.wait(2 * Minute).said("an away wrap_up")
	d.do(Event{Kind: AgentReady, Agent: "an"}).enter("c2", "tax").accept("an").done("an", "c2").clear()
	d.do(Event{Kind: WrapUpExtended, Agent: "an", Until: d.now + Hour}).said() // already at the bound
	d.do(Event{Kind: WrapUpDone, Agent: "an", Contact: "c2"}).said("an ready")
}

func TestMissedOffers(t *testing.T) {
	q := Queue{ID: "tax", Ringing: 10 * Second}
	t.Run("the contact goes on to the next, at its place", func(t *testing.T) {
		d := newDesk(t, Settings{Slack: 2 * Second}, q).in(person("an")).wait(Second).in(person("bo"))
		d.enter("c1", "tax").clear()
		d.wait(11 * Second).said()
		d.wait(Second).said("withdraw c1 an missed", "requeued c1 missed", "offer c1 bo", "an ready", "bo reserved c1 10s")
	})
	t.Run("a refusal is a rest", func(t *testing.T) {
		d := newDesk(t, Settings{Rest: 5 * Second}, q).in(person("an")).enter("c1", "tax").clear()
		d.do(Event{Kind: OfferRefused, Agent: "an", Offer: d.offers["an"]}).said("withdraw c1 an refused", "requeued c1 refused", "an away refused 5s")
		d.wait(5*Second).said("offer c1 an", "an reserved c1 10s")
	})
	t.Run("an answered offer forgets the misses", func(t *testing.T) {
		d := newDesk(t, Settings{MissedLimit: 2, Rest: Second}, q).in(person("an")).enter("c1", "tax").wait(13*Second).accept("an").done("an", "c1")
		d.enter("c2", "tax").clear()
		d.wait(10*Second).said("withdraw c2 an missed", "requeued c2 missed", "an away missed 1s")
	})
	t.Run("what the house could not ring is no miss", func(t *testing.T) {
		d := newDesk(t, Settings{MissedLimit: 1, Rest: 5 * Second}, q).in(person("an")).enter("c1", "tax").clear()
		d.do(Event{Kind: OfferFailed, Agent: "an", Offer: d.offers["an"], Reason: ReasonHouse}).said("withdraw c1 an failed", "requeued c1 failed", "an away missed 5s")
		d.wait(5*Second).said("offer c1 an", "an reserved c1 10s")
		d.do(Event{Kind: OfferFailed, Agent: "an", Offer: d.offers["an"], Reason: "contact.unreachable"}).said("withdraw c1 an failed", "requeued c1 failed", "an away missed")
	})
	t.Run("old misses do not add up", func(t *testing.T) {
		d := newDesk(t, Settings{MissedLimit: 2, MissedWindow: Minute}, q).in(person("an")).enter("c1", "tax").wait(10 * Second).leave("c1")
		d.leave("c1").wait(2*Minute).enter("c2", "tax").clear()
		d.wait(10*Second).said("withdraw c2 an missed", "requeued c2 missed", "offer c2 an", "an reserved c2 10s")
	})
}

func TestVoidAnswers(t *testing.T) {
	d := newDesk(t, Settings{}, Queue{ID: "tax"}).in(person("an")).enter("c1", "tax").leave("c1").clear()
	d.do(Event{Kind: OfferAccepted, Agent: "an", Offer: d.offers["an"], Contact: "c1"}).said("void c1 an")
	d.do(Event{Kind: OfferAccepted, Agent: "ghost", Offer: 7, Contact: "c1"}).said("void c1 ghost")
	d.do(Event{Kind: OfferRefused, Agent: "an", Offer: d.offers["an"]}).said()
}

func TestEndpointLost(t *testing.T) {
	d := newDesk(t, Settings{}, Queue{ID: "tax"}).in(person("an")).enter("c1", "tax").clear()
	d.do(Event{Kind: EndpointLost, Agent: "an"}).said("withdraw c1 an failed", "requeued c1 failed", "an away endpoint")
	d.do(Event{Kind: EndpointBack, Agent: "an"}).said("offer c1 an", "an reserved c1 20s")
}

func TestDirectContacts(t *testing.T) {
	took := func(d *desk, a id.User, c id.Contact) *desk {
		return d.do(Event{Kind: AgentTook, Agent: a, Contact: c, Channel: "voice", WrapUp: 5 * Second})
	}
	t.Run("a call-out sends the ringing contact back to its place", func(t *testing.T) {
		d := newDesk(t, Settings{}, Queue{ID: "tax"}).in(person("an")).enter("c1", "tax").wait(Second).in(person("bo")).clear()
		took(d, "an", "out1").said("withdraw c1 an took", "requeued c1 took", "offer c1 bo", "an talking out1", "bo reserved c1 20s")
		d.done("an", "out1").said("an wrap_up out1 5s")
	})
	t.Run("picking from the queue ends the other offer", func(t *testing.T) {
		d := newDesk(t, Settings{}, Queue{ID: "tax"}).in(person("an")).enter("c1", "tax").wait(Second).in(person("bo")).clear()
		took(d, "bo", "c1").said("withdraw c1 an moved", "an ready", "bo talking c1")
	})
	t.Run("taking what rings at oneself is an accept", func(t *testing.T) {
		d := newDesk(t, Settings{}, Queue{ID: "tax"}).in(person("an")).enter("c1", "tax").clear()
		took(d, "an", "c1").said("connect c1 an", "an talking c1")
	})
	t.Run("without room it is rejected", func(t *testing.T) {
		d := newDesk(t, Settings{}, Queue{ID: "tax"}).in(person("an")).enter("c1", "tax").accept("an").clear()
		took(d, "an", "c2").said("rejected c2 an capacity")
	})
	t.Run("a consulted agent is busy and has its own wrap-up", func(t *testing.T) {
		d := newDesk(t, Settings{}, Queue{ID: "tax", WrapUp: 20 * Second}).in(person("an")).enter("c1", "tax").accept("an").in(person("bo")).clear()
		took(d, "bo", "c1").said("bo talking c1")
		d.leave("c1").said("bo wrap_up c1 5s", "an wrap_up c1 20s")
	})
}

func TestTransferToAQueueKeepsThePlace(t *testing.T) {
	d := newDesk(t, Settings{}, Queue{ID: "a"}, Queue{ID: "b", MaxWait: Minute}).in(person("an", sk("x", 1)))
	entered := d.now
	d.enter("c1", "a").accept("an").wait(10*Minute).enter("c2", "b").clear()
	d.do(Event{Kind: ContactEntered, Contact: "c1", Queue: "b", Channel: "voice", EnteredAt: entered, Since: d.now}).said("queued c1")
	if p, ok := d.b.Position("c1"); p != 1 || !ok {
		t.Fatalf("position %d, want 1: it came ten minutes before", p)
	}
	d.in(person("bo")).said("offer c1 bo", "bo reserved c1 20s")
	d.done("an", "c1").said("offer c2 an", "an reserved c2 20s")
}

func TestTheTransferringAgentDoesNotGetItsOwnContact(t *testing.T) {
	d := newDesk(t, Settings{}, Queue{ID: "q"}).in(Agent{ID: "an", Slots: []Slots{{"chat", 3}}})
	chat := func(c id.Contact) *desk {
		return d.do(Event{Kind: ContactEntered, Contact: c, Queue: "q", Channel: "chat", EnteredAt: start})
	}
	chat("t1").accept("an").clear()
	chat("t1").said("queued t1")
	chat("t2").said("queued t2", "offer t2 an")
}

func TestRedialKeepsPriority(t *testing.T) {
	d := newDesk(t, Settings{}, Queue{ID: "tax"})
	call := func(c id.Contact) *desk {
		return d.do(Event{Kind: ContactEntered, Contact: c, Queue: "tax", Channel: "voice", Caller: "13800000000"})
	}
	call("c1").leave("c1").wait(5 * Minute)
	call("c2").leave("c2").wait(5 * Minute).clear()
	call("c3").said("queued c3 bonus 1")
	d.in(person("an")).accept("an").done("an", "c3").clear()
	call("c4").accept("an").said("queued c4", "offer c4 an", "an reserved c4 20s", "connect c4 an", "an talking c4") // served: begins anew
	d.leave("c4").wait(Hour).do(Event{Kind: AgentAway, Agent: "an"}).clear()
	call("c5").said("queued c5")
	d.do(Event{Kind: ContactEntered, Contact: "c6", Queue: "tax", Channel: "voice", Bonus: 1, Rejoin: true}).said("queued c6 bonus 1") // a take-over brings it along
}

func TestNobodySignedIn(t *testing.T) {
	q := Queue{ID: "tax", Needs: []Need{{Skill: "vat", Level: 2}}, NoAgentRule: "message", NoAgentAfter: 10 * Second}
	d := newDesk(t, Settings{}, q).in(person("other")).clear()
	d.enter("c1", "tax").wait(10*Second).said("queued c1", "exit c1 no_agent message")
	d.in(person("an", sk("vat", 2))).do(Event{Kind: AgentAway, Agent: "an", Reason: "lunch"}).clear()
	d.enter("c2", "tax").wait(Minute).said("queued c2") // away is signed in
	d.do(Event{Kind: AgentSignedOut, Agent: "an"}).wait(9 * Second).said("an signed_out")
	d.wait(Second).said("exit c2 no_agent message")
}

func TestSignOutReturnsTheOffer(t *testing.T) {
	d := newDesk(t, Settings{}, Queue{ID: "tax"}).in(person("an")).enter("c1", "tax").clear()
	d.do(Event{Kind: AgentSignedOut, Agent: "an"}).said("withdraw c1 an signed_out", "requeued c1 signed_out", "an signed_out")
	d.in(person("bo")).said("offer c1 bo", "bo reserved c1 20s")
}

func TestOverdueStatesAreChecked(t *testing.T) {
	d := newDesk(t, Settings{CheckTalking: Hour, CheckOther: 2 * Hour}, Queue{ID: "tax"}).in(person("an")).enter("c1", "tax").accept("an").clear()
	d.wait(2*Hour).said("check c1 an talking", "check c1 an talking")
	d.done("an", "c1").wait(2*Hour).said("an ready", "check an ready")
}

func TestConfigurationChangesKeepPlaces(t *testing.T) {
	d := newDesk(t, Settings{}, Queue{ID: "tax", Needs: []Need{{Skill: "vat", Level: 3}}}).in(person("an", sk("vat", 1))).enter("c1", "tax").wait(Second).enter("c2", "tax").clear()
	d.do(Event{Kind: QueueConfigured, Config: &Queue{ID: "tax", Needs: []Need{{Skill: "vat", Level: 1}}}}).said("offer c1 an", "an reserved c1 20s")
	d.do(Event{Kind: QueueRemoved, Queue: "tax"}).said("exit c2 removed")
	d.do(Event{Kind: OfferRefused, Agent: "an", Offer: d.offers["an"]}).said("withdraw c1 an refused", "exit c1 removed", "an ready")
}

func TestRaisedSkillTakesEffectAtOnce(t *testing.T) {
	d := newDesk(t, Settings{}, Queue{ID: "tax", Needs: []Need{{Skill: "vat", Level: 3}}}).in(person("an", sk("vat", 1))).enter("c1", "tax").clear()
	a := person("an", sk("vat", 3))
	d.do(Event{Kind: AgentChanged, Profile: &a}).said("offer c1 an", "an reserved c1 20s")
}

func TestQueueListOfAnAgent(t *testing.T) {
	d := newDesk(t, Settings{}, Queue{ID: "a"}, Queue{ID: "b"}).in(Agent{ID: "an", Queues: []id.Queue{"b", "later"}}).clear()
	d.enter("c1", "a").enter("c2", "b").said("queued c1", "queued c2", "offer c2 an", "an reserved c2 20s")
	d.accept("an").done("an", "c2").clear()
	d.do(Event{Kind: QueueConfigured, Config: &Queue{ID: "later"}}).enter("c3", "later").said("queued c3", "offer c3 an", "an reserved c3 20s")
}

func TestRejectedEvents(t *testing.T) {
	d := newDesk(t, Settings{}, Queue{ID: "tax"})
	d.enter("c1", "nowhere").said("exit c1 no_queue")
	d.do(Event{Kind: ContactEntered, Contact: "c1", Queue: "tax", Channel: "telex"}).said("exit c1 no_channel")
	d.do(Event{Kind: AgentReady, Agent: "ghost"}).said("rejected ghost no_such_agent")
	d.do(Event{Kind: QueueConfigured}).said("rejected invalid")
	d.do(Event{Kind: QueueClosed, Queue: "nowhere"}).said("rejected no_queue")
	d.leave("ghost").done("ghost", "c1").do(Event{Kind: AgentSignedOut, Agent: "ghost"}).said()
}

func TestGauges(t *testing.T) {
	d := newDesk(t, Settings{}, Queue{ID: "tax"})
	d.enter("c1", "tax").wait(Second).enter("c2", "tax").wait(Second)
	d.do(Event{Kind: ContactEntered, Contact: "vip", Queue: "tax", Channel: "voice", Priority: 1})
	if got := d.b.Order(nil, "tax"); len(got) != 3 || got[0] != "vip" || got[1] != "c1" || got[2] != "c2" {
		t.Fatalf("order %v", got)
	}
	if p, ok := d.b.Position("c2"); p != 3 || !ok {
		t.Fatalf("position %d %v", p, ok)
	}
	if _, ok := d.b.EstimatedWait("c2"); ok {
		t.Fatal("an estimate without a pace")
	}
	d.leave("vip").wait(30 * Second).leave("c1")
	if w, ok := d.b.EstimatedWait("c2"); w != 30*Second || !ok {
		t.Fatalf("estimate %d %v", w, ok)
	}
	d.in(person("an"))
	if d.b.Len("tax") != 1 || d.b.Len("nowhere") != 0 || d.b.Staffed("tax") != 1 || d.b.StateOf("an") != Reserved || d.b.StateOf("ghost") != SignedOut {
		t.Fatal("gauges")
	}
}

func TestOfferNumbers(t *testing.T) {
	d := newDesk(t, Settings{}, Queue{ID: "tax"}).in(person("an")).enter("c1", "tax")
	no := d.offers["an"]
	if no.ID() != "1-1" {
		t.Fatalf("%s", no.ID())
	}
	if back, err := ParseOffer(no.ID()); err != nil || back != no {
		t.Fatal(back, err)
	}
	for _, bad := range []id.Offer{"", "1", "1-", "-1", "a-b", "99999999999-1", "1-9999999999999"} {
		if _, err := ParseOffer(bad); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}
