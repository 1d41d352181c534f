package voice

import (
	"strings"
	"testing"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/sip/siptest"
)

// room is a talk of the caller c and the agent a1 (a), with a2 (b), s1 (s) and an outside number (o) at hand.
type room struct {
	*house
	*ears
	caller, agent, second, third, outside *line
	in                                    map[string]siptest.Msg // the INVITE each was called by
}

const outsideNumber = "02083330000"

func newRoom(t *testing.T, change ...func(*Settings)) *room {
	t.Helper()
	h := newHouse(t, change...)
	r := &room{house: h, ears: h.ears(), in: map[string]siptest.Msg{}}
	r.outside, r.second, r.third = h.line(), h.phone("8002"), h.phone("8003")
	must(t, trunkTable.Put(t.Context(), h.deps.DB, "ct", Trunk{Code: "ct", Site: "gz", Kind: "ip", Accept: []string{"127.0.0.1/32"}, Peers: []string{r.outside.Addr.String()}}))
	must(t, h.reload(t.Context()))
	h.agents["a2"] = contact.Endpoint{Agent: "a2", Phone: "8002"}
	r.caller, r.agent, r.in["a"] = h.talk()
	for who, l := range map[string]*line{"c": r.caller, "a": r.agent} {
		r.tune(who, l)
	}
	r.are("two", "a:c c:a")
	return r
}

// invites has the owner ask somebody, who lifts; join brings them in at once.
func (r *room) invites(who string, l *line, owner id.User, kind contact.TargetKind, code string, join bool) {
	r.t.Helper()
	must(r.t, r.Consult(r.t.Context(), r.contact(), owner, contact.Target{Kind: kind, Code: code}, join))
	r.in[who] = l.lift()
	r.tune(who, l)
}

// leg gives the leg by which a party came in.
func (r *room) leg(agent id.User) id.Leg {
	r.house.mu.Lock()
	defer r.house.mu.Unlock()
	leg := id.Leg("")
	for _, f := range r.facts {
		if b, ok := f.body.(event.LegStarted); ok && b.Role == "consult" && b.Agent == agent {
			leg = b.Leg
		}
	}
	return leg
}

// gone takes a line that has hung up out of who listens.
func (r *room) gone(who string) {
	r.ears.mu.Lock()
	defer r.ears.mu.Unlock()
	delete(r.at, who)
}

// TestRowD4Conference: one after the other the owner brings an agent, an outside number and a queue's free agent into the
// talk; everybody hears all others and not themselves, also while the owner asks the next one; each is muted and dropped
// alone; the owner leaves and an agent among them owns the talk; the caller's end is everybody's. Every leg's time is
// its own.
func TestRowD4Conference(t *testing.T) {
	r := newRoom(t)
	ctx, c := t.Context(), r.contact()
	r.invites("b", r.second, "a1", contact.ToAgent, "a2", true)
	r.are("three", "a:bc b:ac c:ab")
	r.invites("o", r.outside, "a1", contact.ToNumber, outsideNumber, false)
	r.are("the owner asks another, the others talk on", "a:o b:c c:b o:a")
	must(t, r.ConsultTurn(ctx, c, "a1", event.WithCaller))
	r.gone("o") // hears music
	r.are("back in the room, who is asked waits", "a:bc b:ac c:ab")
	r.tune("o", r.outside)
	must(t, r.ConsultTurn(ctx, c, "a1", event.WithBoth))
	r.are("four", "a:bco b:aco c:abo o:abc")
	r.house.mu.Lock()
	r.agents = map[id.User]contact.Endpoint{"s1": {Agent: "s1", Phone: "8003"}}
	r.house.mu.Unlock()
	r.invites("s", r.third, "a1", contact.ToQueue, "iit", true)
	r.are("five", "a:bcos b:acos c:abos o:abcs s:abco")

	must(t, r.Hold(ctx, c, "a1", true))
	r.are("without the owner", "a: b:cos c:bos o:bcs s:bco")
	must(t, r.Hold(ctx, c, "a1", false))
	must(t, r.PartyMute(ctx, c, "a1", r.leg(""), true))
	r.are("the outside number is muted", "a:bcs b:acs c:abs o:abcs s:abc")
	must(t, r.PartyDrop(ctx, c, "a1", r.leg("a2")))
	r.second.Expect("BYE")
	r.tells("done a2")
	r.gone("b")
	r.are("one was dropped", "a:cs c:as o:acs s:ac")
	for want, err := range map[string]error{
		"voice.conference.party": r.PartyDrop(ctx, c, "a1", r.leg("a2")),
		"voice.call.not_yours":   r.PartyMute(ctx, c, "s1", r.leg(""), false),
		"voice.park.asking":      func() error { _, err := r.Park(ctx, c, "a1"); return err }(),
		"voice.consult.none":     r.ConsultTurn(ctx, c, "a1", event.WithAsked),
		"voice.transfer.nowhere": r.Consult(ctx, c, "a1", contact.Target{Kind: contact.ToFlow, Code: "menu"}, false),
	} {
		if fault.CodeOf(err) != want {
			t.Errorf("want %s: %v", want, err)
		}
	}

	must(t, r.ConsultComplete(ctx, c, "a1"))
	r.agent.Expect("BYE")
	r.tells("done a1")
	r.gone("a")
	r.are("the owner has left", "c:s o:cs s:c")
	must(t, r.PartyMute(ctx, c, "s1", r.leg(""), false))
	r.are("the new owner lets them speak", "c:os o:cs s:co")
	r.caller.Request("BYE", "")
	r.outside.Expect("BYE")
	r.third.Expect("BYE")
	r.tells("done s1")
	r.ends(contact.ByCaller, contact.Answered)
	if got := r.story(); strings.Count(got, "leg.ended consult") != 3 || strings.Count(got, "leg.ended agent") != 2 || strings.Count(got, "contact.transferred") != 1 {
		t.Errorf("the record is\n%s", got)
	}
}

// TestRowD4ConferenceEnds: ways by which one leaves a conference, and who is left.
func TestRowD4ConferenceEnds(t *testing.T) {
	for _, x := range []struct {
		what string
		does func(r *room)
		left string // who hears whom
		gone string
	}{
		{"a party hangs up", func(r *room) { r.second.within(r.in["b"], "BYE", 2, ""); r.tells("done a2") }, "a:co c:ao o:ac", "b"},
		{"an asked agent leaves at the desk", func(r *room) { must(r.t, r.Hangup(r.t.Context(), r.contact(), "a2")) }, "a:co c:ao o:ac", "b"},
		{"the owner's hang-up sends the newest away", func(r *room) { must(r.t, r.Hangup(r.t.Context(), r.contact(), "a1")) }, "a:bc b:ac c:ab", "o"},
		{"the owner puts the handset down", func(r *room) { r.agent.within(r.in["a"], "BYE", 2, ""); r.tells("done a1") }, "b:co c:bo o:bc", "a"},
		{"the owner gives the call to a queue", func(r *room) {
			must(r.t, r.Transfer(r.t.Context(), r.contact(), "a1", contact.Target{Kind: contact.ToQueue, Code: "iit"}))
			r.waits(2)
		}, "", "aboc"},
		{"the caller hangs up", func(*room) {}, "", "abco"},
		{"all but the outside number leave", func(r *room) {
			r.second.within(r.in["b"], "BYE", 2, "")
			r.tells("done a2")
			r.agent.within(r.in["a"], "BYE", 2, "")
		}, "c:o o:c", "ab"},
		{"the last two of the house leave, on hold at that", func(r *room) {
			must(r.t, r.Hold(r.t.Context(), r.contact(), "a1", true))
			r.second.within(r.in["b"], "BYE", 2, "")
			r.outside.within(r.in["o"], "BYE", 2, "")
			r.tells("done a2")
			r.has("consult.ended", 2)
			count := func() int { r.caller.mu.Lock(); defer r.caller.mu.Unlock(); return r.caller.heard }
			before := count()
			r.until("the caller hears music", func() bool { return count() > before+20 })
		}, "a:", "boc"},
	} {
		t.Run(x.what, func(t *testing.T) {
			r := newRoom(t)
			r.invites("b", r.second, "a1", contact.ToAgent, "a2", true)
			r.are("three", "a:bc b:ac c:ab")
			r.invites("o", r.outside, "a1", contact.ToNumber, outsideNumber, true)
			r.are("four", "a:bco b:aco c:abo o:abc")
			x.does(r)
			for _, who := range x.gone {
				r.gone(string(who))
			}
			r.are("then", x.left)
			r.caller.Request("BYE", "")
			r.until("the contact ends", func() bool { return strings.Contains(r.story(), "contact.ended") })
			r.ends(contact.ByCaller, contact.Answered)
		})
	}
}

// TestRowD4ConferenceMost: no more talk in one call than the house allows.
func TestRowD4ConferenceMost(t *testing.T) {
	r := newRoom(t, func(s *Settings) { s.ConferenceMost = 3 })
	ctx, c := t.Context(), r.contact()
	r.invites("b", r.second, "a1", contact.ToAgent, "a2", true)
	r.are("three", "a:bc b:ac c:ab")
	if err := r.Consult(ctx, c, "a1", contact.Target{Kind: contact.ToNumber, Code: outsideNumber}, true); fault.CodeOf(err) != "voice.conference.full" {
		t.Errorf("a fourth of three: %v", err)
	}
	must(t, r.ConsultEnd(ctx, c, "a1")) // sends the party away
	r.gone("b")
	r.are("two", "a:c c:a")
	r.invites("o", r.outside, "a1", contact.ToNumber, outsideNumber, true)
	r.are("three again", "a:co c:ao o:ac")
	r.caller.Request("BYE", "")
	r.ends(contact.ByCaller, contact.Answered)
}
