package pains

import (
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/test/ua"
)

// Pain 5: whoever gave a call away and was still writing was rung again, or had the time to write cut or begun anew,
// when the call ended at the next agent (asterisk/asterisk#1006, #607).
func TestPain05WrapUpSurvivesTheTransfer(t *testing.T) {
	s := begin(t)
	first := s.agent(1, 880)
	c := s.person()
	contact := first.talks()
	second := s.agent(2, 660)
	first.transfer(contact, "agent", "1002")
	second.talks()
	first.is("wrapup")
	type clock struct {
		State  struct{ Since int64 }
		Wrapup *struct{ Deadline int64 }
	}
	var before, after clock
	s.must(first.Get(s.ctx, "/desk", &before))
	next := s.person() // somebody waits: a temptation to ring who writes
	s.story(next, "the next caller waits", func(st *story) bool { return st.count("contact.queued") == 1 })
	s.over(c, "answered")
	second.is("wrapup")
	first.is("wrapup")
	s.must(first.Get(s.ctx, "/desk", &after))
	if before.Wrapup == nil || after.Wrapup == nil || *before.Wrapup != *after.Wrapup || before.State != after.State {
		t.Errorf("the time to write was %+v and is %+v", before, after)
	}
	if n := len(first.rings); n != 1 {
		t.Errorf("the first agent was rung %d times, want once", n)
	}
	<-first.rings
	first.written()
	first.ring()
	if got := first.talks(); got == contact {
		t.Error("rung with the call given away")
	}
	s.over(next, "answered")
}

// Pains 7 and 8 are one transferred call: what the facts, the contact and the report say of it.
func transferred(t *testing.T, kind, code string) (s *stage, st *story, before, after figures) {
	t.Helper()
	s = begin(t)
	before = s.figures()
	first := s.agent(1, 880)
	c := s.person()
	contact := first.talks()
	second := s.agent(2, 660)
	first.transfer(contact, kind, code)
	if got := second.talks(); got != contact {
		t.Errorf("the second agent talks with %s, want the same contact %s", got, contact)
	}
	first.is("wrapup")
	s.hears(c.Media, 660, "the second agent")
	first.written()
	time.Sleep(time.Second) // the second talk goes on long after the first agent has done with it
	s.over(c, "answered")
	second.written()
	st = s.story(c, "both have talked", func(st *story) bool { return st.count("leg.ended") == 3 })
	return s, st, before, s.figures()
}

// Pain 7: events of a transferred call were missing from the database though the log file had them, so the reports
// were wrong (asterisk/asterisk#759).
func TestPain07TransfersAreInTheReports(t *testing.T) {
	s, st, before, after := transferred(t, "queue", "iit")
	for kind, n := range map[string]int{
		"contact.started": 1, "contact.queued": 2, "contact.offered": 2, "contact.answered": 2, "contact.transferred": 1,
		"contact.ended": 1, "leg.started": 3, "leg.answered": 3, "leg.ended": 3,
	} {
		if got := st.count(kind); got != n {
			t.Errorf("%d facts %s, want %d", got, kind, n)
		}
	}
	for _, g := range []struct {
		of, measure string
		by          float64
	}{
		{"queue general", "entered", 1},
		{"queue general", "answered", 1},
		{"queue general", "transferred_out", 1},
		{"queue iit", "entered", 1},
		{"queue iit", "answered", 1},
		{"queue iit", "transferred_in", 1},
		{"agent 1001", "answered", 1},
		{"agent 1002", "answered", 1},
	} {
		s.grown(before, after, g.of, g.measure, g.by)
	}
}

// Pain 8: the agent who gave a call away was billed with all of the conversation that followed, a minute or two
// becoming an hour (FreePBX#124).
func TestPain08TalkEndsWithTheAgentsOwnLeg(t *testing.T) {
	for kind, code := range map[string]string{"queue": "iit", "agent": "1002"} {
		t.Run("given to the "+kind+" "+code, func(t *testing.T) { ownTalk(t, kind, code) })
	}
}

func ownTalk(t *testing.T, kind, code string) {
	_, st, before, after := transferred(t, kind, code)
	legs := st.agents()
	if len(legs) != 2 || legs[0].Agent != "1001" || legs[1].Agent != "1002" {
		t.Fatalf("the agents' legs: %+v", legs)
	}
	var talk int64
	for _, l := range legs {
		if l.RingMs+l.TalkMs+l.HoldMs != l.Ended-l.Started {
			t.Errorf("the parts of %s's leg are not its whole: %+v", l.Agent, l)
		}
		billed := 0.0 // what came past the queues is reported apart
		for _, m := range []string{"talk_ms", "hold_ms", "direct_ms"} {
			billed += after["agent "+l.Agent][m] - before["agent "+l.Agent][m]
		}
		if billed != float64(l.TalkMs+l.HoldMs) {
			t.Errorf("%s is billed with %v ms, the leg was %d", l.Agent, billed, l.TalkMs+l.HoldMs)
		}
		talk += l.TalkMs
	}
	if legs[0].Ended > legs[1].Answered+5 {
		t.Errorf("the first agent's leg ended %d ms after the second's began", legs[0].Ended-legs[1].Answered)
	}
	if legs[1].TalkMs < 1000 || st.Contact.TalkMs != talk {
		t.Errorf("the contact says %d ms of talk, its agents' legs %d", st.Contact.TalkMs, talk)
	}
}

// Pain 12: after a blind transfer the recording had lost one of the voices (asterisk/asterisk#507, FreePBX#654).
func TestPain12RecordingKeepsBothVoicesAfterATransfer(t *testing.T) {
	s := begin(t)
	first, second := s.agent(1, 880), (*agent)(nil)
	c := s.person()
	contact := first.talks()
	s.hears(c.Media, 880, "the first agent")
	time.Sleep(1500 * time.Millisecond) // of sound to be found again
	second = s.agent(2, 660)
	first.transfer(contact, "agent", "1002")
	second.talks()
	s.hears(c.Media, 660, "the second agent")
	time.Sleep(1500 * time.Millisecond)
	left, right := s.recorded(s.over(c, "answered"))
	for _, x := range []struct {
		who   string
		sound []int16
		hz    float64
	}{{"the caller", left, 440}, {"the first agent", right, 880}, {"the second agent", right, 660}} {
		if share, _ := ua.Loudest(x.sound, x.hz); share < 0.9 {
			t.Errorf("%s is not on the recording: %.2f", x.who, share)
		}
	}
	late := left[len(left)*3/5:]
	if share, _ := ua.Loudest(late, 440); share < 0.9 {
		t.Errorf("the caller is not on the part after the transfer: %.2f", share)
	}
}

// Pain 11: two channels, which speech to text needs, had to be patched in again after every update (FreePBX#67,
// asterisk/asterisk#945).
func TestPain11RecordingsAreStereo(t *testing.T) {
	s := begin(t)
	a := s.agent(1, 880)
	c := s.person()
	a.talks()
	s.hears(c.Media, 880, "the agent")
	time.Sleep(1500 * time.Millisecond)
	left, right := s.recorded(s.over(c, "answered"))
	for _, x := range []struct {
		side     string
		sound    []int16
		own, not float64
	}{{"left", left, 440, 880}, {"right", right, 880, 440}} {
		own, _ := ua.Loudest(x.sound, x.own)
		if not, _ := ua.Loudest(x.sound, x.not); own < 0.9 || not > 0.05 {
			t.Errorf("the %s channel has %.2f of its own voice and %.2f of the other", x.side, own, not)
		}
	}
}

// recorded downloads a contact's recording as a team leader does.
func (s *stage) recorded(st *story) (left, right []int16) {
	s.Helper()
	of := st.Contact.ID
	s.wait("the recording is stored", func() bool {
		s.must(s.leader.Get(s.ctx, "/contacts/"+of, st))
		return len(st.Recordings) > 0
	})
	for _, r := range st.Recordings {
		if r.Missing != "" {
			s.Errorf("of the recording is missing: %s", r.Missing)
		}
		wav, err := s.leader.Raw(s.ctx, "GET", "/recordings/"+r.ID+"/sound", nil)
		s.must(err)
		sound, err := ua.Channels(wav)
		if err != nil || len(sound) != 2 {
			s.Fatalf("%d channels: %v", len(sound), err)
		}
		left, right = append(left, sound[0]...), append(right, sound[1]...)
	}
	return left, right
}
