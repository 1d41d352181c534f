package calls

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/test/house"
	"github.com/kapok-hotline/kapok/test/ua"
)

// TestRowD4CallOut: agents call out from the desk, and the person answers, is busy or is not to be had; each is a contact
// of its own with its legs, recording and summary, in no rate of the hotline, and every law of the figures holds.
func TestRowD4CallOut(t *testing.T) {
	t.Parallel()
	s := open(t)
	const person = "02083330000"
	outside, err := ua.Open("127.0.0.1", s.h.SIP, person, "")
	must(t, err)
	t.Cleanup(outside.Close)
	rang := make(chan *ua.Call, 8)
	busy := false
	outside.OnCall = func(c *ua.Call) {
		if busy {
			c.Refuse(486)
		} else {
			c.Ring()
			time.Sleep(300 * time.Millisecond)
			_ = c.Answer(s.ctx, 700) // the test sees that nobody talks
		}
		rang <- c
	}
	bureau, err := house.Bureau(2, "trunks:\n",
		"trunks:\n  - {code: aout, name: 外线, site: gz, kind: ip, caller_id: \"02012366\", peers: [\""+outside.Addr()+"\"], accept: [\"127.9.9.9/32\"]}\n")
	must(t, err)
	must(t, s.h.Apply(s.ctx, bureau))
	s.leader, err = s.h.Login(s.ctx, "leader1")
	must(t, err)
	a := s.agent(1, lift(440))
	var before, after struct{ Total map[string]any }
	figures := "/reports/interval?group=agent&from=" + time.Now().Format(time.DateOnly) + "&to=" + time.Now().Format(time.DateOnly)
	must(t, s.leader.Get(s.ctx, figures, &before))

	out := func(in map[string]string) {
		t.Helper()
		must(t, a.Post(s.ctx, "/desk/callouts", in, nil))
	}
	done := func() {
		t.Helper()
		s.eventually("the wrap-up of the call out", func() bool { return a.desk().Wrapup != nil })
		must(t, a.WrapUp(s.ctx, a.desk().Wrapup.Contact, "0101"))
		s.eventually("ready again", func() bool { return a.state() == "ready" })
	}
	out(map[string]string{"number": "020-8333 0000"})
	c := <-rang
	if from := c.Invite.Get("From"); !strings.Contains(from, "sip:02012366@") {
		t.Errorf("the person sees %s", from)
	}
	contact := a.talks()
	time.Sleep(1200 * time.Millisecond)
	a.verb(contact, "hold", nil)
	time.Sleep(300 * time.Millisecond)
	a.verb(contact, "resume", nil)
	c.Hangup(s.ctx)
	done()
	st := s.story(person, "the call out is told whole", func(st *story) bool {
		return st.Contact.Outcome != "open" && len(st.Recordings) > 0 && st.Wrapup != nil
	})
	legsAddUp(s, st)
	if st.Contact.Outcome != "answered" || st.Contact.Agent != a.user || len(st.Visits) != 0 || st.count("callout.answered") != 1 || st.count("callout.ended") != 1 || st.Contact.HoldMs < 300 {
		t.Errorf("the call out is told as %+v: %s", st.Contact, st.kinds())
	}
	if r := st.Recordings[0]; r.LeftDB < -40 || r.RightDB < -40 {
		t.Errorf("its recording has %d and %d dB", r.LeftDB, r.RightDB)
	}

	busy = true
	var late []struct{ Contact, Number, Result string }
	must(t, a.Get(s.ctx, "/desk/callouts", &late))
	if len(late) != 1 || late[0].Result != "answered" || strings.Contains(late[0].Number, "8333") {
		t.Fatalf("of late: %+v", late)
	}
	out(map[string]string{"of": late[0].Contact})
	<-rang
	done()
	s.story(person, "nobody was reached", func(st *story) bool { return st.Contact.Outcome == "unreached" && st.count("callout.ended") == 1 })

	must(t, a.Post(s.ctx, "/desk/state", map[string]string{"state": "away", "reason": "REST"}, nil))
	out(map[string]string{"number": person})
	<-rang
	s.eventually("the wrap-up of the call out", func() bool { return a.desk().Wrapup != nil })
	must(t, a.Post(s.ctx, "/desk/contacts/"+a.desk().Wrapup.Contact+"/wrapup/done", map[string]any{"state": "away", "reason": "REST"}, nil))
	s.eventually("away, as before", func() bool { return a.state() == "away" })

	var list struct {
		Items []struct{ Direction, Outcome string }
	}
	must(t, s.leader.Get(s.ctx, "/contacts?number="+url.QueryEscape(person), &list))
	if len(list.Items) != 3 {
		t.Errorf("contacts: %+v", list.Items)
	}
	for _, x := range list.Items {
		if x.Direction != "out" {
			t.Errorf("a call out of the direction %q", x.Direction)
		}
	}
	must(t, s.leader.Get(s.ctx, figures, &after))
	for _, k := range []string{"entered", "answered", "started", "abandoned"} {
		if before.Total[k] != after.Total[k] {
			t.Errorf("%s was %v and is %v: a call out is no approach of a person", k, before.Total[k], after.Total[k])
		}
	}
	s.doctor()
}
