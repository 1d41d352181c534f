package rtp

import (
	"errors"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/kapok-hotline/kapok/platform/audio"
	"github.com/kapok-hotline/kapok/platform/sdp"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestLatchFollowsTheFirstPacket(t *testing.T) {
	p := newPlane(t, nil)
	real, nat, thief := newPhone(t), newPhone(t), newPhone(t)
	l := answered(t, p, nat, PlainConfig{}, real.sdp("8", 101, "")) // announces another port than it sends from
	thief.dst = nat.dst
	nat.send(tone(440, 0))
	eventually(t, "the leg follows", func() bool { return l.Stats().Remote == nat.addr() })
	l.in.mu.Lock()
	l.latch.opened = l.latch.opened.Add(-time.Minute) // the window is over
	l.in.mu.Unlock()
	thief.send(tone(440, 0))
	eventually(t, "the stranger is counted", func() bool { return l.Stats().Foreign == 1 })
	if s := l.Stats(); s.Remote != nat.addr() || s.Received != 1 {
		t.Errorf("%+v", s)
	}
	real.dst = nat.dst
	real.send(tone(440, 0)) // the announced address may always come back
	eventually(t, "back to the announced address", func() bool { return l.Stats().Remote == real.addr() })
}

func TestHoldStopsSending(t *testing.T) {
	p := newPlane(t, nil)
	ph := newPhone(t)
	l := answered(t, p, ph, PlainConfig{}, ph.sdp("8", 101, ""))
	f := audio.Frame{Source: &audio.Source{}, At: time.Now(), Payload: tone(440, 0)}
	_ = l.Write(&f)
	ph.got(1)
	if _, err := l.Answer(ph.sdp("8", 101, "a=sendonly\r\n")); err != nil {
		t.Fatal(err)
	}
	_ = l.Write(&f)
	if s := l.Stats(); !s.Held || s.Direction != sdp.RecvOnly || s.Sent != 1 {
		t.Errorf("on hold: %+v", s)
	}
	if _, err := l.Answer(ph.sdp("8", 101, "")); err != nil {
		t.Fatal(err)
	}
	f.Seq++
	_ = l.Write(&f)
	ph.got(2)
}

func TestHoldByZeroAddressKeepsThePath(t *testing.T) {
	p := newPlane(t, nil)
	ph := newPhone(t)
	l := answered(t, p, ph, PlainConfig{}, ph.sdp("8", 101, ""))
	if _, err := l.Answer([]byte(strings.Replace(string(ph.sdp("8", 101, "")), "c=IN IP4 127.0.0.1", "c=IN IP4 0.0.0.0", 1))); err != nil {
		t.Fatal(err)
	}
	if s := l.Stats(); !s.Held || s.Remote != ph.addr() {
		t.Errorf("%+v", s)
	}
}

func TestTwoLegsAgreeByOfferAndAnswer(t *testing.T) {
	p := newPlane(t, nil)
	for _, c := range []struct {
		name string
		a, b PlainConfig
		want string
	}{
		{"clear", PlainConfig{}, PlainConfig{}, ""},
		{"rtcp-mux", PlainConfig{RTCPMux: true}, PlainConfig{}, ""},
		{"SRTP by SDES", PlainConfig{SDES: sdp.Required}, PlainConfig{SDES: sdp.Either}, sdp.SuiteGCM},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, b := pair(t, p, c.a, c.b)
			heard := make(chan int, 64)
			b.SetSink(audio.SinkFunc(func(f *audio.Frame) error { heard <- len(f.Payload); return nil }))
			f := audio.Frame{Source: &audio.Source{}, Payload: tone(440, 0)}
			for i := range 20 {
				f.Seq, f.Time, f.At = uint16(i), uint32(i*160), time.Now()
				if err := a.Write(&f); err != nil {
					t.Fatal(err)
				}
			}
			for range 20 {
				if n := <-heard; n != 160 {
					t.Fatalf("%d bytes", n)
				}
			}
			if a.Stats().Secure != c.want || b.Stats().Secure != c.want {
				t.Errorf("secured by %q and %q", a.Stats().Secure, b.Stats().Secure)
			}
			// Reports go both ways and tell the quality.
			for range 2 {
				for _, l := range []*Plain{a, b} {
					l.in.mu.Lock()
					l.nextRTCP = time.Time{}
					l.in.mu.Unlock()
					l.tend(time.Now())
				}
				time.Sleep(20 * time.Millisecond)
			}
			eventually(t, "a knows what b hears", func() bool { s := a.Stats(); return s.PeerMOS > 4 && s.PeerLoss == 0 && s.RTT > 0 })
			if s := b.Stats(); s.MOS < 4 || s.Lost != 0 || s.Received != 20 {
				t.Errorf("%+v", s)
			}
		})
	}
}

// pair makes two legs that talk to each other.
func pair(t testing.TB, p *Plane, ca, cb PlainConfig) (a, b *Plain) {
	t.Helper()
	a, err := p.NewPlain(ca)
	if err != nil {
		t.Fatal(err)
	}
	b, err = p.NewPlain(cb)
	if err != nil {
		t.Fatal(err)
	}
	offer, _ := a.Offer(sdp.SendRecv)
	answer, err := b.Answer(offer)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Accept(answer); err != nil {
		t.Fatal(err)
	}
	return a, b
}

func TestTimeoutFromCountersButNotOnHold(t *testing.T) {
	var shift atomic.Int64
	p := newPlane(t, func(c *Config) {
		c.Now = func() time.Time { return time.Now().Add(time.Duration(shift.Load())) }
	})
	ph := newPhone(t)
	var told atomic.Int32
	l := answered(t, p, ph, PlainConfig{Timeout: 30 * time.Second, Events: Events{Timeout: func() { told.Add(1) }}}, ph.sdp("8", 101, ""))
	if _, err := l.Answer(ph.sdp("8", 101, "a=inactive\r\n")); err != nil {
		t.Fatal(err)
	}
	shift.Store(int64(time.Minute))
	time.Sleep(2 * clerkTime)
	if told.Load() != 0 {
		t.Fatal("timed out on hold")
	}
	if _, err := l.Answer(ph.sdp("8", 101, "")); err != nil { // resumed: the time begins anew
		t.Fatal(err)
	}
	time.Sleep(2 * clerkTime)
	if told.Load() != 0 {
		t.Fatal("timed out at once after hold")
	}
	shift.Store(int64(2 * time.Minute))
	eventually(t, "timed out", func() bool { return told.Load() == 1 })
	time.Sleep(2 * clerkTime)
	if told.Load() != 1 {
		t.Error("told again without media in between")
	}
	ph.send(tone(440, 0))
	eventually(t, "heard", func() bool { return l.Stats().Received == 1 })
	time.Sleep(2 * clerkTime)
	shift.Store(int64(3 * time.Minute))
	eventually(t, "told again after media came back", func() bool { return told.Load() == 2 })
}

func TestHostilePacketsAreCountedAndDropped(t *testing.T) {
	now := time.Now()
	p := newPlane(t, func(c *Config) { c.Now = func() time.Time { return now } }) // one endless second
	ph := newPhone(t)
	l := answered(t, p, ph, PlainConfig{}, ph.sdp("8", 101, ""))
	for _, b := range [][]byte{{}, {0x80}, make([]byte, 12), []byte("\x40\x08aaaaaaaaaaaa"), []byte("\x8f\x08aaaaaaaaaa"), []byte("\x90\x08aaaaaaaaaa\x00\x00\xff\xff"), []byte("\xa0\x08aaaaaaaaaa\xff"), []byte("\x80\x63aaaaaaaaaa\x00"), []byte("\x80\xc8")} {
		ph.sendRaw(b)
	}
	eventually(t, "counted", func() bool { s := l.Stats(); return s.Bad+s.Foreign == 9 })
	if s := l.Stats(); s.Received != 0 {
		t.Errorf("%+v", s)
	}
	eventually(t, "the flood is cut", func() bool { ph.send([]byte("x")); return l.Stats().Flooded > 0 })
	if s := l.Stats(); s.Received > maxRate {
		t.Errorf("%d packets taken", s.Received)
	}
}

func TestNoCodecIsTold(t *testing.T) {
	p := newPlane(t, nil)
	l, err := p.NewPlain(PlainConfig{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = l.Answer([]byte(strings.Replace(string(newPhone(t).sdp("18", 101, "")), "\r\na=rtpmap", "\r\na=x", 1)))
	if err == nil || !strings.Contains(err.Error(), "PCMA") {
		t.Errorf("%v", err)
	}
	if err := l.Close(); err != nil || p.Legs() != 0 {
		t.Errorf("%v, %d legs", err, p.Legs())
	}
	_ = l.Close()
}

// A leg that is closed sends nothing from its ports, which may be another's by now, and what its peer still sends
// reaches nobody.
func TestPortsOfAClosedLegServeAnother(t *testing.T) {
	var ns atomic.Int64
	ns.Store(time.Now().UnixNano())
	now := func() time.Time { return time.Unix(0, ns.Load()) }
	home := netip.MustParseAddr("127.0.0.1")
	p, err := New(Config{Bind: home, Public: home, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	p.ports = rangeOf(t, 1, restAtLeast, now)
	a, err := p.NewPlain(PlainConfig{})
	if err != nil {
		t.Fatal(err)
	}
	_ = a.Close()
	if err := a.Write(&audio.Frame{Codec: audio.PCMA, Payload: make([]byte, 160), Source: &audio.Source{}}); err != nil && !errors.Is(err, ErrClosed) {
		t.Errorf("writing to a closed leg: %v", err)
	}
	ns.Add(int64(restAtLeast))
	b, err := p.NewPlain(PlainConfig{})
	if err != nil {
		t.Fatal(err)
	}
	if b.pair != a.pair || b.pair.leg.Load() != b {
		t.Error("the pair does not serve the new leg")
	}
	if err := a.transmit(make([]byte, 12), false); !errors.Is(err, ErrClosed) {
		t.Errorf("the old leg sends from the new one's port: %v", err)
	}
}
