package rtp

import (
	"net/netip"
	"testing"
	"time"
)

func TestLatch(t *testing.T) {
	t0 := time.Unix(1000, 0)
	type packet struct {
		from string
		at   time.Duration
		want bool
	}
	const said, nat, natNew, thief = "10.0.0.1:4000", "203.0.113.5:31000", "203.0.113.5:32000", "198.51.100.9:666"
	for _, c := range []struct {
		name      string
		signalled string
		strict    bool
		packets   []packet
	}{
		{"the first packet wins, strangers do not later", said, false, []packet{{nat, 0, true}, {nat, 6 * time.Second, true}, {thief, 6 * time.Second, false}}},
		{"the announced address is kept even within the window", said, false, []packet{{said, 0, true}, {thief, time.Second, false}, {said, 2 * time.Second, true}}},
		{"a thief before the peer loses to the announced address", said, false, []packet{{thief, 0, true}, {said, 20 * time.Millisecond, true}, {thief, 40 * time.Millisecond, false}}},
		{"within the window the source may move", said, false, []packet{{nat, 0, true}, {natNew, time.Second, true}}},
		{"the announced address may always come back", said, false, []packet{{nat, 0, true}, {said, time.Hour, true}}},
		{"a new NAT port after silence", said, false, []packet{{nat, 0, true}, {natNew, time.Minute, true}}},
		{"a new NAT port without silence", said, false, []packet{{nat, 10 * time.Second, true}, {natNew, 11 * time.Second, false}}},
		{"another host after silence", said, false, []packet{{nat, 0, true}, {thief, time.Minute, false}}},
		{"strict: only the announced host", said, true, []packet{{thief, 0, false}, {"10.0.0.1:9999", 0, true}, {said, 0, true}}},
		{"nothing was announced", "", false, []packet{{nat, 0, true}, {thief, time.Minute, false}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := latch{strict: c.strict}
			var s netip.AddrPort
			if c.signalled != "" {
				s = netip.MustParseAddrPort(c.signalled)
			}
			l.open(s, t0)
			if l.target() != s {
				t.Errorf("before any packet we send to %v", l.target())
			}
			for i, p := range c.packets {
				from := netip.MustParseAddrPort(p.from)
				if got := l.accept(from, t0.Add(p.at)); got != p.want {
					t.Errorf("packet %d from %s: %v", i, p.from, got)
				}
				if p.want && l.target() != from {
					t.Errorf("packet %d: we send to %v", i, l.target())
				}
			}
		})
	}
}
