package rtp

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestDetector(t *testing.T) {
	type ev struct {
		ts   uint32
		code byte
		end  bool
		n    uint16 // samples
		at   int    // ms
	}
	for _, c := range []struct {
		name string
		in   []ev
		idle int // ms at which idle is asked, 0: never
		want string
	}{
		{"one key, three ends", []ev{{100, 5, false, 160, 0}, {100, 5, false, 320, 20}, {100, 5, true, 800, 100}, {100, 5, true, 800, 100}, {100, 5, true, 800, 100}}, 0, "5:100ms"},
		{"the same key twice", []ev{{100, 5, true, 800, 0}, {2000, 5, true, 640, 200}}, 0, "5:100ms 5:80ms"},
		{"star, hash and letters", []ev{{1, 10, true, 800, 0}, {2, 11, true, 800, 0}, {3, 15, true, 800, 0}}, 0, "*:100ms #:100ms D:100ms"},
		{"only one end packet came", []ev{{100, 9, true, 960, 0}}, 0, "9:120ms"},
		{"all ends lost, then another key", []ev{{100, 1, false, 480, 0}, {5000, 2, true, 800, 600}}, 0, "1:60ms 2:100ms"},
		{"all ends lost, then silence", []ev{{100, 1, false, 480, 0}}, 500, "1:60ms"},
		{"still pressed", []ev{{100, 1, false, 480, 0}}, 50, ""},
		{"too short", []ev{{100, 1, true, 160, 0}}, 500, ""},
		{"a late packet of the key before", []ev{{100, 1, true, 800, 0}, {5000, 2, false, 160, 1}, {100, 1, true, 800, 2}, {5000, 2, true, 800, 3}}, 0, "1:100ms 2:100ms"},
		{"out of order within a key", []ev{{100, 1, false, 480, 0}, {100, 1, false, 160, 0}, {100, 1, true, 640, 0}}, 0, "1:80ms"},
		{"held for ten seconds: segments of one event", []ev{{100, 1, false, 0xFFFF, 0}, {100 + 0xFFFF, 1, false, 160, 0}, {100 + 0xFFFF, 1, true, 14465, 0}}, 0, "1:10s"},
		{"timestamps wrap", []ev{{0xFFFFFFF0, 1, true, 800, 0}, {0x10, 2, true, 800, 0}}, 0, "1:100ms 2:100ms"},
		{"not a key", []ev{{100, 17, true, 800, 0}, {200, 255, true, 800, 0}}, 0, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var d detector
			var got []string
			tell := func(b byte, n time.Duration) { got = append(got, fmt.Sprintf("%c:%v", b, n)) }
			t0 := time.Unix(0, 0)
			for _, e := range c.in {
				p := []byte{e.code, 10, byte(e.n >> 8), byte(e.n)}
				if e.end {
					p[1] |= 0x80
				}
				d.event(e.ts, p, t0.Add(time.Duration(e.at)*time.Millisecond), tell)
			}
			if c.idle != 0 {
				d.idle(t0.Add(time.Duration(c.idle)*time.Millisecond), tell)
			}
			if s := strings.Join(got, " "); s != c.want {
				t.Errorf("told %q, want %q", s, c.want)
			}
		})
	}
	var d detector
	d.event(1, []byte{1, 2, 3}, time.Time{}, func(byte, time.Duration) { t.Error("a short payload") })
}

func TestParseInfo(t *testing.T) {
	for _, c := range []struct {
		kind, body string
		digit      byte
		length     time.Duration
	}{
		{"application/dtmf-relay", "Signal=5\r\nDuration=160\r\n", '5', 160 * time.Millisecond},
		{"application/dtmf-relay", "Signal= *\nDuration= 250", '*', 250 * time.Millisecond},
		{"Application/DTMF-Relay; charset=utf-8", "signal=#", '#', 0},
		{"application/dtmf-relay", "Signal=11\r\nDuration=99999\r\n", '#', 0},
		{"application/dtmf", "7", '7', 0},
		{"application/dtmf", "Signal=d\r\n", 'D', 0},
		{"application/dtmf", "", 0, 0},
		{"application/dtmf-relay", "Duration=160", 0, 0},
		{"application/dtmf-relay", "Signal=77", 0, 0},
		{"text/plain", "5", 0, 0},
		{"application/dtmf", strings.Repeat("5", 300), 0, 0},
	} {
		d, n, err := ParseInfo(c.kind, []byte(c.body))
		if d != c.digit || n != c.length || (err == nil) != (c.digit != 0) {
			t.Errorf("%s %q: %c %v %v", c.kind, c.body, d, n, err)
		}
	}
}
