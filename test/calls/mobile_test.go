package calls

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/test/house"
	"github.com/kapok-hotline/kapok/test/ua"
)

// TestRowA4MobileLine: an agent of a branch works on a mobile that a trunk leads to. They take a call by a key and have
// every verb on the page; an answering machine takes nobody, and counts as a missed offer; when the trunk is gone their
// line is, and calls go to others. The record is that of any agent.
func TestRowA4MobileLine(t *testing.T) {
	t.Parallel()
	s := open(t)
	mobile, err := ua.Open("127.0.0.1", s.h.SIP, "13900000001", "")
	must(t, err)
	t.Cleanup(mobile.Close)
	var deaf atomic.Bool // an answering machine lifts
	rang := make(chan *ua.Call, 8)
	mobile.OnCall = func(c *ua.Call) {
		c.Ring()
		if c.Answer(s.ctx, 880) == nil && !deaf.Load() {
			c.Media.Press("1")
		}
		rang <- c
	}
	bureau, err := house.Bureau(2, "trunks:\n",
		"trunks:\n  - {code: acity, name: 市中继, site: gz, kind: ip, caller_id: \"02012366\", peers: [\""+mobile.Addr()+"\"], accept: [\"127.9.9.9/32\"], options_s: 30}\n",
		"phones:\n", "phones:\n  - {code: m101, name: 分局手机, site: gz, number: \"13900000001\"}\n")
	must(t, err)
	must(t, s.h.Apply(s.ctx, bureau))
	s.leader, err = s.h.Login(s.ctx, "leader1")
	must(t, err)
	a := &agent{s: s, user: "1001"}
	a.Client, err = s.h.Login(s.ctx, a.user)
	must(t, err)
	must(t, a.Ready(s.ctx, "m101"))
	s.eventually("ready on the mobile", func() bool { return a.state() == "ready" && a.desk().Endpoint.Registered })

	c := s.call("12367", 440)
	talk := <-rang
	if from := talk.Invite.Get("From"); !strings.Contains(from, "sip:02012366@") {
		t.Errorf("the mobile is shown %s", from)
	}
	contact := a.talks()
	s.hears(c.Media, 880, "the agent")
	s.hears(talk.Media, 440, "the caller")
	a.verb(contact, "hold", nil)
	time.Sleep(300 * time.Millisecond)
	a.verb(contact, "resume", nil)
	s.hears(c.Media, 880, "the agent, after the hold")
	talk.Hangup(s.ctx) // the handset's own end
	s.eventually("the wrap-up", func() bool { return a.desk().Wrapup != nil })
	must(t, a.WrapUp(s.ctx, contact, "0101"))
	st := s.ended(c.number, "answered")
	legsAddUp(s, st)
	if st.Contact.Agent != a.user || st.results() != "1001 answered" || st.Contact.HoldMs < 300 {
		t.Errorf("told as %+v, offers %s", st.Contact, st.results())
	}

	s.eventually("ready again", func() bool { return a.state() == "ready" })
	deaf.Store(true)
	c = s.call("12367", 440)
	machine := <-rang
	second := s.agent(2, lift(660))
	s.within(time.Minute, "the second talks", func() bool { return second.state() == "talking" })
	<-machine.Done()
	st = s.story(c.number, "both offers are there", func(st *story) bool { return len(st.Offers) >= 2 })
	if st.results() != "1001 missed, 1002 answered" {
		t.Errorf("offers: %s", st.results())
	}
	s.hears(c.Media, 660, "the second agent")
	c.Hangup(s.ctx)
	s.ended(c.number, "answered")
	s.eventually("the second wraps up", func() bool { return second.desk().Wrapup != nil })
	must(t, second.WrapUp(s.ctx, second.desk().Wrapup.Contact, "0101"))

	mobile.Close() // the trunk is gone without a word
	began := time.Now()
	s.within(time.Minute, "the mobile's line is lost", func() bool { return !a.desk().Endpoint.Registered })
	t.Logf("seen after %v", time.Since(began))
	s.eventually("the second is ready", func() bool { return second.state() == "ready" })
	c = s.call("12367", 440)
	s.within(time.Minute, "the second talks", func() bool { return second.state() == "talking" })
	st = s.story(c.number, "it is there", func(st *story) bool { return len(st.Offers) > 0 })
	if got := st.results(); strings.Contains(got, "1001") {
		t.Errorf("who has no line is rung: %s", got)
	}
	c.Hangup(s.ctx)
	s.ended(c.number, "answered")
	s.eventually("the second wraps up", func() bool { return second.desk().Wrapup != nil })
	must(t, second.WrapUp(s.ctx, second.desk().Wrapup.Contact, "0101"))
	must(t, a.Post(s.ctx, "/desk/signout", map[string]string{}, nil))
	s.doctor()
}
