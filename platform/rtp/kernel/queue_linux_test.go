package kernel

import (
	"encoding/binary"
	"testing"
)

// TestTheFirstPacketIsRemembered: the process tells by its number what waited in the socket before; and that it comes at
// once, where those before it had waited, is no jitter.
func TestTheFirstPacketIsRemembered(t *testing.T) {
	k := open(t)
	s := given(k)
	defer s.Take()
	if v := s.Tally(); v.First != 51 {
		t.Errorf("before any came the first is %d", v.First)
	}
	for i, n := range []uint16{91, 92, 71, 93} { // forty were waiting, two of these change places
		b := sound()
		binary.BigEndian.PutUint16(b[2:], n)
		binary.BigEndian.PutUint32(b[4:], 8000+160*uint32(n-50))
		through(t, k, frame(peer, us, b))
		if v := s.Tally(); i == 0 && v.Jitter != 0 || v.First != 91 || v.Packets != uint64(i+1) {
			t.Errorf("after number %d: %+v", n, v)
		}
	}
	if v := s.Tally(); v.Highest != 1<<16+93 || v.Jitter == 0 {
		t.Errorf("at the end: %+v", v)
	}
}
