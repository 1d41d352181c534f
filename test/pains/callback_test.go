package pains

import (
	"strings"
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/test/ua"
)

// busy is an agent who talks, so that whoever calls has to wait.
func (s *stage) busy() (*agent, *caller) {
	s.Helper()
	a := s.agent(1, 880)
	c := s.person()
	a.talks()
	<-a.rings
	return a, c
}

// waits calls the queue that calls people back and waits there.
func (s *stage) waits(from string) *caller {
	s.Helper()
	c := s.call(from, "12368", 440)
	s.story(c, from+" waits", func(st *story) bool { return st.count("contact.queued") == 1 })
	return c
}

// asks has a waiting person ask to be called back, and the house hangs up. It gives the contact.
func (s *stage) asks(c *caller) (contact string) {
	s.Helper()
	next := time.Now()
	s.story(c, c.number+" is promised a call", func(st *story) bool {
		if time.Now().After(next) && st.count("callback.asked") == 0 { // 1: call me back, and again 1: at this number
			c.Media.Press("1")
			next = time.Now().Add(time.Second)
		}
		contact = st.Contact.ID
		return st.count("callback.asked") == 1
	})
	select {
	case <-c.Done():
	case <-time.After(patience):
		s.Fatal("the call in which they asked goes on")
	}
	return contact
}

// kept waits until a callback asked for in a contact is over and gives the contact's story.
func (s *stage) kept(contact string) (st *story) {
	s.Helper()
	s.wait("the promise is kept", func() bool {
		st = new(story)
		s.must(s.leader.Get(s.ctx, "/contacts/"+contact, st))
		return st.count("callback.ended") == 1
	})
	return st
}

// calledBack gives the person's telephone when it rings.
func (s *stage) calledBack(number string) *ua.Call {
	s.Helper()
	select {
	case c := <-street:
		if !strings.Contains(c.Invite.Start, strings.TrimPrefix(number, "0")) {
			s.Errorf("called %s, want %s", c.Invite.Start, number)
		}
		return c
	case <-time.After(patience):
		s.Fatalf("%s is never called back", number)
		return nil
	}
}

// quiet fails when anybody's telephone rings that should not.
func (s *stage) quiet() {
	s.Helper()
	select {
	case c := <-street:
		s.Errorf("a telephone rings: %s", c.Invite.Start)
		c.Refuse(486)
	default:
	}
}

// Pain 23: people asked for ten years for a call back instead of waiting on the line (fusionpbx/fusionpbx#1322, PR#6515).
// Pain 39: who was called back jumped ahead of those who had waited longer (twilio-labs/plugin-queued-callbacks#9).
// Pain 9: one person was rung two or three times at once (FreePBX#525). All three in one scene: somebody waits, somebody
// asks to be called back, somebody comes after; two agents could call.
func TestPain09Pain23Pain39CalledBackOnceInTurn(t *testing.T) {
	s := begin(t)
	a, first := s.busy()
	before := s.waits(newNumber())
	c := s.waits(newNumber())
	asked := s.asks(c)
	after := s.waits(newNumber())
	s.over(first, "answered")
	a.written()
	a.talks() // with whoever came first: nobody has to be called
	s.quiet()
	s.story(before, "who came first is answered first", func(st *story) bool { return st.count("contact.answered") == 1 })
	s.over(before, "answered")
	a.written()
	at := s.calledBack(c.number)
	b := s.agent(2, 660) // free, while the person's telephone rings: takes who came after, and calls nobody
	b.talks()
	s.quiet()
	if err := at.Answer(s.ctx, 550); err != nil {
		t.Fatal(err)
	}
	s.hears(a.now.Load().Media, 550, "the person called back")
	s.hears(at.Media, 880, "the agent")
	at.Hangup(s.ctx)
	s.over(after, "answered")
	s.quiet()
	st := s.kept(asked)
	if st.count("callback.asked") != 1 || st.count("callback.reached") != 1 || st.count("callback.tried") != 0 {
		t.Errorf("asked %d times, reached %d times, tried %d times in vain", st.count("callback.asked"), st.count("callback.reached"), st.count("callback.tried"))
	}
}
