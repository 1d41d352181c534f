package kernel

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"testing"
	"time"

	"github.com/cilium/ebpf"
	"github.com/google/go-cmp/cmp"
)

// The call of these tests: a peer on this machine, our two ports, and the other peer.
var (
	peer  = netip.MustParseAddrPort("127.0.0.1:4000")
	us    = netip.MustParseAddrPort("127.0.0.1:20000")
	us2   = netip.MustParseAddrPort("127.0.0.1:20002")
	other = netip.MustParseAddrPort("127.0.0.9:4002")
)

// given is a slot in the kernel's hands, 50 packets into the call.
func given(k *Table) *Slot {
	s := k.Slot(us.Port())
	s.Take()
	now := k.Now()
	s.Give(Order{
		From: peer, To: us.Addr(), Kind: 8, SSRC: 7, NewFrom: us2, NewTo: other, NewKind: 9, NewSSRC: 0xA0B0C0D0,
		SeqOff: 65535, TimeOff: 0xFFFFFF00, Highest: 1<<16 + 50, Time: 8000, Heard: now, Advanced: now, Transit: Samples(now) - 8000,
	})
	return s
}

// sound is the packet that comes next.
func sound() []byte {
	b := make([]byte, 12+160)
	b[0], b[1] = 0x80, 8
	binary.BigEndian.PutUint16(b[2:], 51)
	binary.BigEndian.PutUint32(b[4:], 8160)
	binary.BigEndian.PutUint32(b[8:], 7)
	for i := range b[12:] {
		b[12+i] = byte(i * 7)
	}
	return b
}

// frame makes an Ethernet frame of a datagram, with right lengths and check sums.
func frame(from, to netip.AddrPort, data []byte) []byte {
	b := make([]byte, atRTP+len(data))
	b[12] = 8
	ip := b[atIP:]
	ip[0], ip[8], ip[9] = 0x45, 64, 17
	binary.BigEndian.PutUint16(ip[2:], uint16(len(b)-atIP))
	a, c := from.Addr().As4(), to.Addr().As4()
	copy(ip[12:], a[:])
	copy(ip[16:], c[:])
	u := b[atUDP:]
	binary.BigEndian.PutUint16(u[0:], from.Port())
	binary.BigEndian.PutUint16(u[2:], to.Port())
	binary.BigEndian.PutUint16(u[4:], uint16(len(u)))
	copy(b[atRTP:], data)
	sealed(b)
	return b
}

// sealed puts the check sums in.
func sealed(b []byte) {
	copy(b[atIPSum:], []byte{0, 0})
	copy(b[atUDPSum:], []byte{0, 0})
	binary.BigEndian.PutUint16(b[atIPSum:], ^sum(0, b[atIP:atUDP]))
	binary.BigEndian.PutUint16(b[atUDPSum:], ^sum(uint32(17+len(b)-atUDP), b[atFrom:]))
}

// sum is the Internet check sum before it is turned over (RFC 1071).
func sum(start uint32, b []byte) uint16 {
	for ; len(b) > 1; b = b[2:] {
		start += uint32(binary.BigEndian.Uint16(b))
	}
	if len(b) > 0 {
		start += uint32(b[0]) << 8
	}
	for start > 0xffff {
		start = start>>16 + start&0xffff
	}
	return uint16(start)
}

// through has the program see a frame and gives what became of it.
func through(t *testing.T, k *Table, in []byte) (int32, []byte) {
	t.Helper()
	o := &ebpf.RunOptions{Data: in, DataOut: make([]byte, len(in)+64)}
	said, err := k.prog.Run(o)
	if err != nil {
		t.Fatal(err)
	}
	return int32(said), o.DataOut
}

func TestAPacketIsRewritten(t *testing.T) {
	k := open(t)
	for _, c := range []struct {
		name   string
		change func(b []byte) // of what comes in
		want   func(b []byte) // of what goes out
	}{
		{"plain", func([]byte) {}, func([]byte) {}},
		{"marked", func(b []byte) { b[atRTP+1] |= 0x80 }, func(b []byte) { b[atRTP+1] |= 0x80 }},
		{"late", func(b []byte) { b[atSeq+1] = 40 }, func(b []byte) { b[atSeq+1] = 39 }},
		{"other marks of service", func(b []byte) { b[atTOS] = 0x60 }, func([]byte) {}},
		{"few hops left", func(b []byte) { b[atTTL] = 2 }, func(b []byte) { b[atTTL] = 1 }},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := given(k)
			defer s.Take()
			in := frame(peer, us, sound())
			c.change(in)
			sealed(in)
			want := frame(us2, other, sound())
			want[atTOS], want[atTTL], want[atRTP+1] = dscpEF, 63, 9
			binary.BigEndian.PutUint16(want[atSeq:], 50)
			binary.BigEndian.PutUint32(want[atTime:], 8160-256)
			binary.BigEndian.PutUint32(want[atSSRC:], 0xA0B0C0D0)
			c.want(want)
			sealed(want)
			said, got := through(t, k, in)
			if said != tcxNext || !bytes.Equal(got, want) {
				t.Errorf("the program says %d; - wanted, + got:\n%s", said, cmp.Diff(want[:atPayload], got[:atPayload]))
			}
			if tally := s.Tally(); !s.Owned() || tally.Packets != 1 || tally.Octets != 160 {
				t.Errorf("owned %v, %+v", s.Owned(), tally)
			}
		})
	}
	t.Run("without a check sum of UDP", func(t *testing.T) {
		s := given(k)
		defer s.Take()
		in := frame(peer, us, sound())
		copy(in[atUDPSum:], []byte{0, 0})
		if _, got := through(t, k, in); got[atUDPSum] != 0 || got[atUDPSum+1] != 0 || sum(0, got[atIP:atUDP]) != 0xffff {
			t.Errorf("check sums %x, of IP %x", got[atUDPSum:atUDPSum+2], sum(0, got[atIP:atUDP]))
		}
	})
}

// TestWhoseAPacketIs: what is not the peer's passes by, what is the peer's and unlike the last ends the lane; neither
// is changed.
func TestWhoseAPacketIs(t *testing.T) {
	k := open(t)
	stranger := netip.MustParseAddrPort("127.0.0.1:4444")
	rtp := func(change func(b []byte)) []byte {
		b := sound()
		change(b)
		return frame(peer, us, b)
	}
	ip := func(change func(b []byte)) []byte {
		b := frame(peer, us, sound())
		change(b)
		return b
	}
	for _, c := range []struct {
		name string
		in   []byte
		why  Why // NotGiven: the kernel keeps the slot
	}{
		{"a stranger", frame(stranger, us, sound()), NotGiven},
		{"for another address of ours", frame(peer, netip.MustParseAddrPort("127.0.0.2:20000"), sound()), NotGiven},
		{"for another port", frame(peer, us2, sound()), NotGiven},
		{"for the reports' port", frame(peer, netip.MustParseAddrPort("127.0.0.1:20001"), sound()), NotGiven},
		{"RTCP", rtp(func(b []byte) { b[1] = 200 }), NotGiven},
		{"STUN", rtp(func(b []byte) { b[0] = 0 }), NotGiven},
		{"a keep-alive", frame(peer, us, []byte{0, 0}), NotGiven},
		{"ARP", ip(func(b []byte) { b[13] = 6 }), NotGiven},
		{"TCP", ip(func(b []byte) { b[atProto] = 6 }), NotGiven},
		{"options of IP", ip(func(b []byte) { b[atIP] = 0x46 }), NotGiven},
		{"a fragment", ip(func(b []byte) { b[atFrag] = 0x20 }), NotGiven},
		{"a later fragment", ip(func(b []byte) { b[atFrag+1] = 9 }), NotGiven},
		{"a digit", rtp(func(b []byte) { b[1] = 101 }), ByKind},
		{"comfort noise", rtp(func(b []byte) { b[1] = 13 }), ByKind},
		{"an extension", rtp(func(b []byte) { b[0] |= 0x10 }), ByForm},
		{"padding", rtp(func(b []byte) { b[0] |= 0x20 }), ByForm},
		{"contributors", rtp(func(b []byte) { b[0] |= 2 }), ByForm},
		{"another SSRC", rtp(func(b []byte) { b[11] = 8 }), BySource},
		{"a number far ahead", rtp(func(b []byte) { b[2] = 9 }), ByNumber},
		{"a number far back", rtp(func(b []byte) { b[2] = 0xf0 }), ByNumber},
		{"a time far ahead", rtp(func(b []byte) { b[5] = 9 }), ByTime},
		{"a time far back", rtp(func(b []byte) { b[4] = 0xf0 }), ByTime},
		{"no hops left", ip(func(b []byte) { b[atTTL] = 1 }), ByHops},
		{"longer than it says", append(frame(peer, us, sound()), 0, 0), BySize},
		{"shorter than UDP says", ip(func(b []byte) { b[atUDPLen+1]++ }), BySize},
		{"nothing in it but one byte", frame(peer, us, sound()[:13]), NotGiven},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := given(k)
			before := bytes.Clone(c.in)
			said, got := through(t, k, c.in)
			if c.name == "nothing in it but one byte" { // the shortest that is relayed
				if s.Tally().Packets != 1 {
					t.Error("not relayed")
				}
				return
			}
			if said != tcxNext || !bytes.Equal(got, before) || s.Tally().Packets != 0 {
				t.Errorf("said %d, relayed %d, changed %v", said, s.Tally().Packets, !bytes.Equal(got, before))
			}
			if s.Owned() != (c.why == NotGiven) || s.Why() != c.why {
				t.Errorf("owned %v, given back for: %v", s.Owned(), s.Why())
			}
			if s.Take() != (c.why == NotGiven) {
				t.Error("taken back twice")
			}
			if through(t, k, frame(peer, us, sound())); s.Tally().Packets != 0 {
				t.Error("relayed although the slot is the process's")
			}
		})
	}
}

func TestAFloodIsDropped(t *testing.T) {
	k := open(t)
	s := given(k)
	defer s.Take()
	dropped, began := 0, k.Now()
	for i := range MaxRate + 20 {
		b := sound()
		binary.BigEndian.PutUint16(b[2:], uint16(51+i))
		binary.BigEndian.PutUint32(b[4:], uint32(8160+i))
		if said, _ := through(t, k, frame(peer, us, b)); said == tcxDrop {
			dropped++
		}
	}
	if v := s.Tally(); dropped == 0 && k.Now()-began < time.Second || v.Flooded != uint64(dropped) || v.Packets != uint64(MaxRate+20-dropped) || v.Highest != 1<<16+50+uint32(v.Packets) {
		t.Errorf("dropped %d; %+v", dropped, v)
	}
}
