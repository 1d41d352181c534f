package rtp

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/platform/audio"
)

// press has what phone a says wait in the leg's socket, as it does when the process is pressed, until the kernel has
// taken the stream over; by sockets it just waits. What waits comes when the gate is unlocked.
func (r *rig) press(say func()) {
	r.Helper()
	eventually(r.T, "all so far is taken", func() bool { return r.la.Stats().Received == uint64(r.a.seq-100) })
	r.gate.Lock()
	r.rest(time.Hour)
	say()
	if r.rest(0); r.w.fast {
		eventually(r.T, "the kernel takes over while datagrams wait", func() bool { return r.la.Stats().Fast })
	}
}

// rest takes a's lane back and lets none be laid for a time.
func (r *rig) rest(d time.Duration) {
	r.la.in.mu.Lock()
	defer r.la.in.mu.Unlock()
	r.la.home(r.la.now())
	r.la.fast.rest, r.la.fast.tries = r.la.now().Add(d), 0
}

// says has phone a send sound, and where the kernel relays, b hear it.
func (r *rig) says(n int) {
	r.Helper()
	before := len(r.b.got(0))
	for i := range n {
		r.a.send(tone(440, i))
	}
	if r.w.fast {
		r.b.got(before + n)
	}
}

// numbers gives what a phone has heard in the order of its numbers, and fails when one came twice or the stream is
// another.
func (r *rig) numbers(p *phone, n int) []heard {
	r.Helper()
	got := slices.Clone(p.got(n))
	slices.SortStableFunc(got, func(a, b heard) int { return int(int16(a.seq - b.seq)) })
	for i, h := range got {
		if i > 0 && h.seq == got[i-1].seq || h.ssrc != got[0].ssrc {
			r.Fatalf("number %d of stream %x behind %d of %x", h.seq, h.ssrc, got[i-1].seq, got[0].ssrc)
		}
	}
	return got
}

// taken checks that all of a's packets are in the figures.
func (r *rig) taken(stale uint64) {
	r.Helper()
	sent := uint64(r.a.seq - 100)
	eventually(r.T, "all is taken", func() bool { return r.la.Stats().Received >= sent })
	s := r.la.Stats()
	if s.Received != sent || s.Stale != stale || s.Lost+s.Bad+s.Foreign+s.Flooded != 0 {
		r.Errorf("of %d packets %d were to be too old: %+v", sent, stale, s)
	}
}

func waited(r *rig) {
	r.talk()
	r.whole(r.b, r.a)
	r.press(func() { r.says0(4) })
	r.says(3)
	r.gate.Unlock()
	got := r.numbers(r.b, int(r.a.seq-100))
	for i, h := range got {
		if h.seq != got[0].seq+uint16(i) || h.time != got[0].time+uint32(160*i) || i > 0 && h.marker {
			r.Fatalf("packet %d of %d: %+v after %+v", i, len(got), h.header, got[0].header)
		}
	}
	r.taken(0)
	if r.w.fast && !r.la.Stats().Fast {
		r.Error("what waited has ended the lane")
	}
	r.carried(true, true)
	r.numbers(r.b, int(r.a.seq-100))
	if s := r.lb.Stats(); s.Sent != uint64(r.a.seq-100) || s.Octets != 160*s.Sent {
		r.Errorf("sent %d packets, %d bytes", s.Sent, s.Octets)
	}
}

// says0 has phone a send sound that waits.
func (r *rig) says0(n int) {
	for i := range n {
		r.a.send(tone(440, i))
	}
}

func waitedLong(r *rig) {
	r.talk()
	r.whole(r.b, r.a)
	r.press(func() {
		r.says0(2)
		for i := range 4 {
			r.a.event(101, r.a.ts, 7, i > 1, uint16(160*min(i+1, 3)))
		}
		r.a.ts += 640
		r.says0(2)
	})
	r.says(15)
	r.gate.Unlock()
	stale := 0
	if r.w.fast {
		stale = 4
	}
	got := r.numbers(r.b, int(r.a.seq-100)-stale)
	events := 0
	for _, h := range got {
		if h.pt == 96 {
			events++
		}
	}
	if events != 4 {
		r.Errorf("%d packets of the digit were passed on", events)
	}
	if d := <-r.digits; d != '7' {
		r.Errorf("heard %c", d)
	}
	r.taken(uint64(stale))
	r.carried(true, false)
	if len(r.digits) > 0 {
		r.Error("told twice")
	}
}

func waitedBehindOurs(r *rig) {
	r.talk()
	r.whole(r.b, r.a)
	r.press(func() { r.says0(4) })
	r.says(3)
	if err := SendDigits(context.Background(), r.lb, "1", 60*time.Millisecond); err != nil {
		r.Fatal(err)
	}
	r.shift.Add(int64(digitMuting))
	r.gate.Unlock()
	r.taken(0)
	r.carried(true, false)
	n := int(r.a.seq-100) + 5
	if r.w.fast {
		n -= 4 // their numbers were the digit's by then
	}
	r.numbers(r.b, n)
	if s := r.lb.Stats(); s.Sent != uint64(n) {
		r.Errorf("sent %d of %d", s.Sent, n)
	}
}

func waitedNewStream(r *rig) {
	r.talk()
	n := len(r.whole(r.b, r.a))
	r.press(func() {
		r.says0(2)
		r.a.ssrc, r.a.ts = 99, 7
		r.says0(2)
	})
	r.gate.Unlock()
	got := r.whole(r.b, r.a)[n:]
	for i, h := range got {
		if h.marker != (i == 2) {
			r.Errorf("packet %d: %+v", i, h.header)
		}
	}
	r.carried(true, false)
	r.whole(r.b, r.a)
	r.taken(0)
}

func waitedMuted(r *rig) {
	r.talk()
	r.whole(r.b, r.a)
	r.press(func() { r.says0(4) })
	r.says(3)
	n := len(r.b.got(0))
	r.br.Mute(true, false)
	r.gate.Unlock()
	r.taken(0)
	time.Sleep(20 * time.Millisecond)
	if m := len(r.b.got(n)); m != n {
		r.Errorf("%d muted packets were heard", m-n)
	}
	r.br.Mute(false, false)
	r.carried(true, false)
	r.numbers(r.b, n)
}

func waitedRecorded(r *rig) {
	r.talk()
	r.whole(r.b, r.a)
	r.press(func() { r.says0(4) })
	r.says(3)
	tape := make(chan uint16, 100)
	r.br.Tap(audio.SinkFunc(func(f *audio.Frame) error { tape <- f.Seq; return nil }), nil)
	next := r.a.seq
	r.gate.Unlock()
	r.says0(10)
	for got := range tape { // by sockets what waited is on it too
		if got == next {
			next++
		}
		if next == r.a.seq {
			break
		}
	}
	r.taken(0)
	r.numbers(r.b, 10)
}

// pressedReader: the clerk of a process that is pressed may not come round; the reader does, as there is much to read.
func pressedReader(r *rig) {
	r.talk()
	r.whole(r.b, r.a)
	r.p.remove(r.la) // the clerk does not know it
	r.Cleanup(func() { _ = r.la.Close() })
	r.press0(func() { r.says0(2 * fastEach) })
	r.gate.Unlock()
	if r.w.fast {
		eventually(r.T, "the kernel takes over", func() bool { return r.la.Stats().Fast })
	}
	r.numbers(r.b, int(r.a.seq-100))
	r.taken(0)
	r.carried(true, false)
}

// press0 is press, with no clerk to lay a lane meanwhile.
func (r *rig) press0(say func()) {
	r.gate.Lock()
	r.rest(0)
	say()
}

func TestWhatWaitedIsToldByItsNumber(t *testing.T) {
	none := queue{may: true, ssrc: 7, time: 8000}                          // the kernel has relayed none yet
	some := queue{may: true, ssrc: 7, time: 16000, begun: true, first: 90} // it began with number 90
	turn := queue{may: true, ssrc: 7, time: 16000, begun: true, first: 5}  // numbers begin anew
	for _, c := range []struct {
		name    string
		q       queue
		ssrc    uint32
		seq     uint16
		time    uint32
		highest uint16
		owned   bool
		want    bool
	}{
		{"nothing is looked for", queue{ssrc: 7}, 7, 51, 8160, 50, true, false},
		{"the next, before the kernel relays any", none, 7, 51, 8160, 50, true, true},
		{"the next, when the kernel has given up", none, 7, 51, 8160, 50, false, false},
		{"another stream", none, 8, 51, 8160, 50, true, false},
		{"a jump of the number", none, 7, 600, 8160, 50, true, false},
		{"a jump of time", none, 7, 51, 80000, 50, true, false},
		{"just before the kernel's first", some, 7, 89, 14240, 95, true, true},
		{"the same when the kernel has given up", some, 7, 89, 14240, 95, false, true},
		{"far behind what the kernel has relayed since", some, 7, 60, 9600, 2000, true, true},
		{"behind the kernel's first: it came another way", some, 7, 96, 16160, 95, true, false},
		{"numbers far before: a new numbering", some, 7, 65000, 9600, 95, true, false},
		{"over the turn of numbers", turn, 7, 65530, 14240, 6, true, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := c.q.holds(header{ssrc: c.ssrc, seq: c.seq, time: c.time}, c.highest, c.owned); got != c.want {
				t.Errorf("%v", got)
			}
		})
	}
	if some.stale(16000-staleAfter) || !some.stale(16000-staleAfter-1) || none.stale(0) {
		t.Error("200 ms is the bound, from when the kernel has begun")
	}
}
