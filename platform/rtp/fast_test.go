package rtp

import (
	"bytes"
	"context"
	"net/netip"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/platform/audio"
	"github.com/kapok-hotline/kapok/platform/sdp"
)

// relays is what a bridge of two plain legs does, whoever relays the packets.
var relays = []struct {
	name string
	run  func(*rig)
}{
	{"sound goes both ways, numbered on", soundBothWays},
	{"digits are heard and passed on in their place", digitsInPlace},
	{"our own digits go between the packets", ownDigits},
	{"a recording begins with no packet lost", recordingBegins},
	{"a mute takes effect with the next packet", muteAtOnce},
	{"a stranger is not heard and changes nothing", stranger},
	{"a peer that moves to another port is followed", moves},
	{"hold and resume", holdAndResume},
	{"silence is noticed, sound is not taken for it", longSilence},
	{"loss, jitter and volume are counted", figures},
	{"a flood is cut", flood},
	{"a new stream, a jump and a mark", newStream},
	{"reports go both ways", reports},
	{"comfort noise, extensions and padding", oddPackets},
	{"nothing is relayed after the end", end},
	{"what waits while the kernel takes over is neither lost nor doubled", waited},
	{"a digit that waits is heard and passed on, sound that is too old is not", waitedLong},
	{"a digit of ours before what waits", waitedBehindOurs},
	{"a new stream in what waits", waitedNewStream},
	{"a mute before what waits", waitedMuted},
	{"a recording before what waits", waitedRecorded},
	{"a reader that is pressed hands over itself", pressedReader},
}

func TestRelayBySockets(t *testing.T)   { relayIn(t, bySockets) }
func TestRelayByTheKernel(t *testing.T) { needKernel(t); relayIn(t, byLoopback) }
func relayIn(t *testing.T, w world) {
	for _, c := range relays {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.run(newRig(t, w))
		})
	}
}

func soundBothWays(r *rig) {
	r.talk()
	for i := range 40 {
		r.a.send(tone(440, i))
		r.b.send(tone(1000, i))
		time.Sleep(2 * time.Millisecond)
	}
	for _, c := range []struct {
		hears, speaks *phone
		hz            float64
	}{{r.b, r.a, 440}, {r.a, r.b, 1000}} {
		var data []byte
		got := r.whole(c.hears, c.speaks)
		for i, h := range got[len(got)-40:] {
			data = append(data, h.data...)
			if h.pt != 8 || len(h.data) != 160 || i > 0 && h.time != got[len(got)-40+i-1].time+160 {
				r.Fatalf("packet %d: %+v", i, h.header)
			}
		}
		if l := level(data, audio.PCMA, c.hz); l < 0.95 {
			r.Errorf("share of %v Hz is %.2f", c.hz, l)
		}
	}
	if a, b := r.la.Stats(), r.lb.Stats(); a.Received != uint64(r.a.seq-100) || b.Sent != a.Received || b.Octets != 160*b.Sent {
		r.Errorf("received %d of %d, sent on %d, %d bytes", a.Received, r.a.seq-100, b.Sent, b.Octets)
	}
}

func digitsInPlace(r *rig) {
	r.talk()
	at, ts := len(r.whole(r.b, r.a)), r.a.ts
	for i := range 4 {
		r.a.event(101, ts, 5, i > 1, uint16(160*min(i+1, 3)))
	}
	r.a.ts += 640
	for i := range 10 { // at once: the kernel must not overtake us
		r.a.send(tone(440, i))
	}
	got := r.whole(r.b, r.a)[at:]
	for i, h := range got {
		if event := i < 4; event != (h.pt == 96) || event && h.time != got[0].time {
			r.Fatalf("packet %d: %+v", i, h.header)
		}
	}
	if d := <-r.digits; d != '5' {
		r.Errorf("heard %c", d)
	}
	r.carried(true, false)
	r.whole(r.b, r.a)
	if len(r.digits) > 0 {
		r.Error("told twice")
	}
}

func ownDigits(r *rig) {
	r.talk()
	at := len(r.whole(r.b, r.a))
	if err := SendDigits(context.Background(), r.lb, "1", 60*time.Millisecond); err != nil {
		r.Fatal(err)
	}
	time.Sleep(digitMuting)
	for i := range 5 {
		r.a.send(tone(440, i))
	}
	got := r.b.got(at + 10)
	for i, h := range got[1:] {
		if h.seq != got[i].seq+1 || (h.pt == 96) != (i+1 >= at && i+1 < at+5) {
			r.Fatalf("packet %d: %+v after number %d", i+1, h.header, got[i].seq)
		}
	}
	r.carried(true, false)
	if s := r.lb.Stats(); s.Sent != uint64(r.a.seq)-100+5 {
		r.Errorf("sent %d", s.Sent)
	}
}

func recordingBegins(r *rig) {
	r.talk()
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			case <-time.After(time.Millisecond * 3):
				r.a.send(tone(440, i))
			}
		}
	}()
	time.Sleep(50 * time.Millisecond)
	var mu sync.Mutex
	var tape []uint16
	tap := func(f *audio.Frame) error { mu.Lock(); tape = append(tape, f.Seq); mu.Unlock(); return nil }
	r.br.Tap(audio.SinkFunc(tap), nil)
	carried := r.la.Stats().Carried
	time.Sleep(400 * time.Millisecond)
	if s := r.la.Stats(); s.Fast || s.Carried != carried {
		r.Error("the kernel passes by the recording")
	}
	mu.Lock()
	n := len(tape)
	mu.Unlock()
	if n < 10 {
		r.Fatalf("%d packets on the tape", n)
	}
	r.br.Tap(nil, nil)
	close(stop)
	<-done
	r.carried(true, true)
	r.whole(r.b, r.a)
	for i := range tape[1:] {
		if tape[i+1] != tape[i]+1 {
			r.Fatalf("the tape has %d after %d", tape[i+1], tape[i])
		}
	}
}

func muteAtOnce(r *rig) {
	r.talk()
	at := len(r.whole(r.b, r.a))
	r.br.Mute(true, false)
	for i := range 10 {
		r.a.send(tone(440, i))
	}
	eventually(r.T, "all arrive", func() bool { return r.la.Stats().Received == uint64(r.a.seq-100) })
	time.Sleep(20 * time.Millisecond)
	if n := len(r.b.got(at)); n != at {
		r.Errorf("%d muted packets were heard", n-at)
	}
	r.br.Mute(false, false)
	for i := range 5 {
		r.a.send(tone(440, i))
	}
	r.b.got(at + 5)
}

func stranger(r *rig) {
	r.talk()
	thief := r.phone(0)
	thief.dst, thief.ssrc, thief.seq = r.a.dst, r.a.ssrc, r.a.seq
	foreign := r.la.Stats().Foreign
	for range 5 {
		thief.send(tone(2000, 0))
	}
	eventually(r.T, "strangers are counted", func() bool { return r.la.Stats().Foreign == foreign+5 })
	r.carried(true, false)
	r.whole(r.b, r.a)
	if s := r.la.Stats(); s.Remote != r.a.addr() {
		r.Errorf("sends to %v", s.Remote)
	}
}

// moves: a NAT forgets its mapping, and the phone comes from another port after a silence; then a re-INVITE names
// a third.
func moves(r *rig) {
	r.talk()
	eventually(r.T, "the clerk has seen all", func() bool { return r.la.Stats().Received == uint64(r.a.seq-100) })
	r.shift.Add(int64(10 * time.Second))
	b := r.phone(0)
	b.dst, b.ssrc, b.seq, b.ts = r.a.dst, r.a.ssrc, r.a.seq, r.a.ts+80000
	b.send(tone(440, 0))
	r.b.got(int(b.seq) - 100)
	eventually(r.T, "packets turn to the new port", func() bool { return r.la.Stats().Remote == b.addr() })
	r.a = b
	for i := range 10 {
		r.b.send(tone(1000, i))
		r.a.send(tone(440, i))
	}
	r.a.got(5) // those before may have met the silence rule of the other side
	r.carried(true, true)
	c := r.phone(0)
	c.dst, c.ssrc, c.seq, c.ts = r.a.dst, r.a.ssrc, r.a.seq, r.a.ts
	if _, err := r.la.Answer(c.sdp("8", 101, "")); err != nil {
		r.Fatal(err)
	}
	r.b.send(tone(1000, 0))
	c.got(1) // at once, before it has spoken
	r.a = c
	r.carried(true, true)
}

func holdAndResume(r *rig) {
	r.talk()
	at := len(r.whole(r.a, r.b))
	if _, err := r.la.Answer(r.a.sdp("8", 101, "a=sendonly\r\n")); err != nil {
		r.Fatal(err)
	}
	for i := range 10 {
		r.b.send(tone(1000, i))
	}
	eventually(r.T, "all arrive", func() bool { return r.lb.Stats().Received == uint64(r.b.seq-100) })
	time.Sleep(400 * time.Millisecond) // no lane is laid to who holds
	r.b.send(tone(1000, 11))
	time.Sleep(20 * time.Millisecond)
	if n := len(r.a.got(at)); n != at {
		r.Errorf("who holds has heard %d packets", n-at)
	}
	if _, err := r.la.Answer(r.a.sdp("8", 101, "")); err != nil {
		r.Fatal(err)
	}
	r.b.send(tone(1000, 12))
	r.a.got(at + 1)
	r.carried(true, true)
}

func longSilence(r *rig) {
	r.talk()
	for range 3 { // a minute and a half in which there is sound now and then
		r.shift.Add(int64(29 * time.Second))
		r.a.send(tone(440, 0))
		time.Sleep(2 * clerkTime)
	}
	if n := r.timeouts.Load(); n != 0 {
		r.Fatalf("%d timeouts although the peer spoke", n)
	}
	r.shift.Add(int64(31 * time.Second))
	eventually(r.T, "the silence is noticed", func() bool { return r.timeouts.Load() == 1 })
	for i := range 3 {
		r.a.send(tone(440, i))
	}
	eventually(r.T, "sound came back", func() bool { return time.Since(r.la.Stats().Heard) < time.Duration(r.shift.Load()) })
	time.Sleep(2 * clerkTime)
	r.shift.Add(int64(31 * time.Second))
	eventually(r.T, "and is missed again", func() bool { return r.timeouts.Load() == 2 })
}

func figures(r *rig) {
	r.talk()
	before := r.la.Stats()
	for i := range 50 {
		if i%10 == 5 {
			r.a.seq++ // lost on the way
			r.a.ts += 160
		}
		r.a.send(tone(440, i))
		time.Sleep(20 * time.Millisecond)
	}
	var s Stats
	eventually(r.T, "all are counted", func() bool { s = r.la.Stats(); return s.Received == before.Received+50 })
	if s.Lost != before.Lost+5 {
		r.Errorf("%d lost, 5 were", s.Lost-before.Lost)
	}
	if s.Jitter <= 0 || s.Jitter > 15*time.Millisecond || s.MOS < 1 || s.MOS > 4.2 || time.Since(s.Heard) > 5*time.Second {
		r.Errorf("%+v", s)
	}
	r.la.in.mu.Lock()
	block := r.la.reception(time.Now())
	r.la.in.mu.Unlock()
	if want := uint32(r.a.seq - 1); block.highest != want || block.lost != uint32(s.Lost) {
		r.Errorf("the report says highest %d (want %d), lost %d (want %d)", block.highest, want, block.lost, s.Lost)
	}
	time.Sleep(2 * clerkTime)
	r.br.Cut() // and so they stay when the kernel has no part in it any more
	if now := r.la.Stats(); now.Received != s.Received || now.Lost != s.Lost {
		r.Errorf("before %+v, after %+v", s, now)
	}
	if got := r.lb.Stats(); got.Sent != s.Received {
		r.Errorf("sent %d", got.Sent)
	}
}

func flood(r *rig) {
	r.talk()
	eventually(r.T, "the flood is counted", func() bool {
		for i := range 100 {
			r.a.send(tone(440, i))
		}
		return r.la.Stats().Flooded > 300
	})
	time.Sleep(50 * time.Millisecond)
	if n, all, cut := len(r.b.got(1)), int(r.a.seq-100), int(r.la.Stats().Flooded); n > all-cut {
		r.Errorf("%d packets passed of %d, of which %d were cut", n, all, cut)
	}
}

func newStream(r *rig) {
	r.talk()
	last := func() heard { got := r.b.got(1); return got[len(got)-1] }
	step := func(what string, marked bool) {
		r.Helper()
		n, before := len(r.b.got(1)), last()
		r.a.send(tone(440, 0))
		h := r.b.got(n + 1)[n]
		if d := h.time - before.time; h.seq != before.seq+1 || d < 160 || d > 8000*2 || h.marker != marked || h.ssrc != before.ssrc {
			r.Errorf("%s: number +%d, time +%d, marker %v", what, h.seq-before.seq, d, h.marker)
		}
	}
	r.whole(r.b, r.a)
	step("goes on", false)
	r.a.ssrc, r.a.seq, r.a.ts = 99, 40000, 7
	step("a new stream", true)
	r.carried(true, false)
	n := len(r.b.got(1))
	time.Sleep(20 * time.Millisecond)
	if m := len(r.b.got(1)); m > n {
		r.b.got(m)
	}
	r.a.ts += 1_000_000
	step("a jump of time", true)
	r.carried(true, false)
	time.Sleep(20 * time.Millisecond)
	r.a.seq += 20000
	step("a jump of the number", true)
}

func reports(r *rig) {
	r.talk()
	for _, l := range []*Plain{r.la, r.lb} {
		before := l.Stats()
		raw := r.a
		if l == r.lb {
			raw = r.b
		}
		c, err := r.w.listen(netip.AddrPortFrom(raw.addr().Addr(), raw.addr().Port()+1))
		if err != nil {
			continue // somebody has the port: the other side will do
		}
		l.in.mu.Lock() // it is due, now that somebody listens
		l.nextRTCP = time.Time{}
		l.in.mu.Unlock()
		b := make([]byte, 500)
		_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
		n, _, err := c.ReadFromUDPAddrPort(b)
		if err != nil || b[1] != typeSR {
			r.Fatalf("no sender report: %v", err)
		}
		_ = c.Close()
		rep, ok := readReport(b[:n], 1)
		if !ok || !rep.sender || uint64(b[20])<<24|uint64(b[21])<<16|uint64(b[22])<<8|uint64(b[23]) < before.Sent {
			r.Errorf("the report tells of fewer packets than the %d sent", before.Sent)
		}
	}
}

func oddPackets(r *rig) {
	r.talk()
	n := len(r.whole(r.b, r.a))
	p := make([]byte, 12+8+160)
	put(p, false, 8, r.a.seq, r.a.ts, r.a.ssrc)
	p[0] |= 0x10 // one extension of four bytes
	p[15] = 1
	copy(p[20:], tone(440, 0))
	r.a.sendRaw(p)
	r.a.seq++
	r.a.ts += 160
	got := r.b.got(n + 1)
	if h := got[n]; !bytes.Equal(h.data, p[20:]) || h.seq != got[n-1].seq+1 {
		r.Errorf("after an extension: %+v, %d bytes", h.header, len(h.data))
	}
	p = p[:12+160+4]
	put(p, false, 8, r.a.seq, r.a.ts, r.a.ssrc)
	p[0] |= 0x20
	copy(p[12:], tone(440, 0))
	p[len(p)-1] = 4
	r.a.sendRaw(p)
	r.a.seq++
	r.a.ts += 160
	if h := r.b.got(n + 2)[n+1]; len(h.data) != 160 {
		r.Errorf("padded: %d bytes", len(h.data))
	}
	cn := make([]byte, 13)
	put(cn, false, 13, r.a.seq, r.a.ts, r.a.ssrc)
	r.a.sendRaw(cn)
	r.a.seq++
	r.a.ts += 160
	r.a.send(tone(440, 0))
	if h := r.b.got(n + 3)[n+2]; h.seq != got[n].seq+3 || h.pt != 8 {
		r.Errorf("after comfort noise: %+v", h.header)
	}
	for _, b := range [][]byte{{}, {0x80}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}, []byte("\x80\x08aaaaaaaaaa")} {
		r.a.sendRaw(b)
	}
	r.carried(true, false)
}

func end(r *rig) {
	r.talk()
	n := len(r.whole(r.b, r.a))
	port := r.la.Port()
	if err := r.la.Close(); err != nil {
		r.Fatal(err)
	}
	if r.w.fast && r.p.kernel.Slot(port).Owned() {
		r.Error("the kernel still has the port of a closed leg")
	}
	for i := range 10 {
		r.a.send(tone(440, i))
		r.b.send(tone(440, i))
	}
	time.Sleep(20 * time.Millisecond)
	if m := len(r.b.got(n)); m != n {
		r.Errorf("%d packets came through a closed leg", m-n)
	}
	if err := r.lb.Close(); err != nil {
		r.Fatal(err)
	}
	time.Sleep(2 * clerkTime)
	if r.w.fast && r.p.kernel.Slot(r.lb.Port()).Owned() {
		r.Error("the kernel was given the port of a closed leg")
	}
}

// TestWhatIsNoPlainPairStaysHere: the kernel is given nothing that it could not relay as we do.
func TestWhatIsNoPlainPairStaysHere(t *testing.T) {
	needKernel(t)
	for _, c := range []struct {
		name   string
		a, b   PlainConfig
		codecs string
	}{
		{"other law", PlainConfig{}, PlainConfig{}, "0"},
		{"a tap", PlainConfig{}, PlainConfig{}, "8"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, byLoopback)
			r.lb = r.leg(1, r.b, c.b, r.b.sdp(c.codecs, 96, ""))
			br := Join(r.la, r.lb)
			if c.name == "a tap" {
				br.Tap(audio.SinkFunc(func(*audio.Frame) error { return nil }), nil)
			}
			for i := range 100 {
				r.a.send(tone(440, i))
				time.Sleep(6 * time.Millisecond)
				if r.la.Stats().Fast {
					t.Fatal("given to the kernel")
				}
			}
			r.b.got(100)
		})
	}
	t.Run("SRTP", func(t *testing.T) {
		p := newPlane(t, func(c *Config) { c.Fast = true })
		a, b := pair(t, p, PlainConfig{SDES: sdp.Required}, PlainConfig{SDES: sdp.Required})
		c, d := pair(t, p, PlainConfig{}, PlainConfig{})
		Join(b, c)
		f := audio.Frame{Source: &audio.Source{}, Payload: tone(440, 0)}
		for i := range 100 {
			f.Seq, f.Time, f.At = uint16(i), uint32(i*160), time.Now()
			_ = a.Write(&f)
			time.Sleep(6 * time.Millisecond)
			if b.Stats().Fast {
				t.Fatal("given to the kernel")
			}
		}
		eventually(t, "all came through", func() bool { return d.Stats().Received == 100 })
	})
}

// insideFast tells the test binary that every plane is opened with the kernel's part.
const insideFast = "KAPOK_RTP_FAST"

// TestAllByTheKernel runs the package's other tests once more, on planes that have the kernel's part: what is no plain
// pair, and what is one, is as it was.
func TestAllByTheKernel(t *testing.T) {
	needKernel(t)
	t.Parallel()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.skip=ByTheKernel|BetweenNetworks|BySockets|Allocated", "-test.timeout=180s")
	cmd.Env = append(os.Environ(), insideFast+"=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
