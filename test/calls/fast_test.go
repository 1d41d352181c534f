package calls

import (
	"errors"
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/platform/rtp/kernel"
)

// TestTheKernelCarriesACall plays calls that are not recorded, and looks at /metrics whether the kernel relays them: two
// directions for a call, none while somebody is on hold, and none when it is over. What people hear and what the
// ledger says is as ever.
func TestTheKernelCarriesACall(t *testing.T) {
	k, err := kernel.Open(kernel.Config{First: 2, Last: 4})
	switch {
	case errors.Is(err, kernel.ErrRights), errors.Is(err, kernel.ErrUnsupported):
		t.Skipf("the kernel cannot carry a call here, so this is not tested: %v", err)
	case err != nil:
		t.Fatal(err)
	}
	must(t, k.Close())
	s := stage(t, 3, "recording: true", "recording: false")
	if s.meter("kapok_fast_path") != 1 {
		t.Fatal("the kernel takes part here, but not for this house")
	}
	for _, x := range []struct {
		name string
		play func(*scene)
	}{
		{"a call, a hold and a transfer", carriedCall},
		{"keys pressed in a talk by the kernel", carriedKeys},
	} {
		t.Run(x.name, func(t *testing.T) {
			p := s.part(t)
			x.play(p)
			p.carried(0)
			p.clear()
			p.doctor()
		})
	}
}

// meter reads a figure of the house.
func (s *scene) meter(name string) float64 {
	s.t.Helper()
	v, err := s.h.Meter(name)
	must(s.t, err)
	return v
}

// carried waits until the kernel relays so many directions.
func (s *scene) carried(n float64) {
	s.t.Helper()
	s.within(30*time.Second, "the directions the kernel has are as they should be", func() bool { return s.meter("kapok_media_legs_kernel") == n })
}

func carriedCall(s *scene) {
	first, second := s.agent(1, lift(880)), s.agent(2, lift(660))
	c := s.call("12367", 440)
	s.within(30*time.Second, "one of the agents talks", func() bool { return first.state() == "talking" || second.state() == "talking" })
	tone, other := 880.0, 660.0
	if second.state() == "talking" {
		first, second, tone, other = second, first, other, tone
	}
	contact := first.talks()
	s.carried(2)
	s.hears(c.Media, tone, "the agent")
	s.hears(first.current.Load().Media, 440, "the caller")
	s.carried(2)

	first.verb(contact, "hold", nil)
	s.carried(0)
	first.verb(contact, "resume", nil)
	s.hears(c.Media, tone, "the agent again")
	s.carried(2)

	first.verb(contact, "transfer", map[string]string{"kind": "agent", "code": second.user})
	second.talks()
	s.hears(c.Media, other, "the second agent")
	s.carried(2)
	c.Hangup(s.ctx)
	st := s.ended(c.number, "answered")
	if st.Contact.Recording || st.Contact.HoldMs == 0 {
		s.t.Errorf("recorded %v, %d ms on hold", st.Contact.Recording, st.Contact.HoldMs)
	}
	legsAddUp(s, st)
}

func carriedKeys(s *scene) {
	a := s.agent(1, lift(880))
	c := s.call("12367", 440)
	a.talks()
	s.carried(2)
	c.Media.Press("42")
	s.within(30*time.Second, "the agent's phone hears the keys", func() bool { return a.current.Load().Media.Keys() == "42" })
	s.hears(c.Media, 880, "the agent behind the keys")
	s.hears(a.current.Load().Media, 440, "the caller behind the keys")
	s.carried(2)
	c.Hangup(s.ctx)
	s.ended(c.number, "answered")
}
