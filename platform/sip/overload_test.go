package sip_test

import (
	"context"
	"fmt"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/platform/sip"
	"github.com/kapok-hotline/kapok/platform/sip/siptest"
)

// hotline refuses all calls but those to keep, slowly when told, and fares as the test says.
type hotline struct {
	late atomic.Int64 // ns that ready work waits for a processor
	slow atomic.Int64 // ns that the handler takes
}

func (h *hotline) start(t *testing.T, pending int) *sip.Server {
	cfg := sip.Config{
		Listen: []string{"127.0.0.1:0"}, Now: time.Now, Flood: sip.FloodConfig{Rate: -1},
		Overload: sip.OverloadConfig{Delay: 40 * time.Millisecond, Pending: pending},
		Invite: func(in *sip.Incoming) {
			time.Sleep(time.Duration(h.slow.Load()))
			if in.To.URI.User == "keep" {
				_, _ = in.Answer(context.Background(), []byte(siptest.SDP))
				return
			}
			_ = in.Reject(486, "")
		},
	}
	s, err := sip.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	s.Feign(func() (time.Duration, float64) { return time.Duration(h.late.Load()), 0.4 })
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// rush offers n calls 2 ms apart and gives how many were shed.
func rush(t *testing.T, s *sip.Server, n int) (shed []siptest.Msg) {
	p := siptest.New(t, s.Addr("udp"))
	for i := range n {
		p.NewCall(fmt.Sprintf("sip:c%d@kapok", i)).SendInvite(siptest.SDP)
		time.Sleep(2 * time.Millisecond)
	}
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if len(p.Seen("SIP/2.0 486"))+len(p.Seen("SIP/2.0 503")) >= n {
			break
		}
	}
	return p.Seen("SIP/2.0 503")
}

// When processors come late new calls are shed with 503 and Retry-After, standing ones are served, and soon after
// nobody is shed any more.
func TestOverload(t *testing.T) {
	t.Parallel()
	var h hotline
	s := h.start(t, 0)
	p := siptest.New(t, s.Addr("udp"))
	stands := p.NewCall("sip:keep@kapok")
	stands.Establish(siptest.SDP)
	if shed := rush(t, s, 200); len(shed) > 0 {
		t.Errorf("%d calls shed although nothing is late", len(shed))
	}
	h.late.Store(int64(90 * time.Millisecond))
	shed := rush(t, s, 600)
	if len(shed) < 100 || len(shed) == 600 {
		t.Errorf("%d of 600 shed", len(shed))
	}
	if _, on := s.Shedding(); !on || s.Counts().Shed == 0 {
		t.Error("nobody would see that calls are shed")
	}
	if len(shed) > 0 && shed[0].Get("Retry-After") == "" {
		t.Error("nobody told when to come again")
	}
	stands.Request("INFO", "1", "Content-Type: application/dtmf")
	p.Expect("SIP/2.0 200")
	h.late.Store(0)
	for end := time.Now().Add(5 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		if _, on := s.Shedding(); !on {
			break
		}
		if time.Now().After(end) {
			t.Fatal("calls are limited 5 s after the rush")
		}
	}
	if shed := rush(t, s, 200); len(shed) > 0 {
		t.Errorf("%d calls shed after the rush", len(shed))
	}
}

// A handler that waits for something else than a processor is no overload, up to the bound of calls that may wait.
func TestSlowHandlerIsNoOverload(t *testing.T) {
	t.Parallel()
	var h hotline
	h.slow.Store(int64(700 * time.Millisecond))
	if shed := rush(t, h.start(t, 0), 400); len(shed) > 0 {
		t.Errorf("%d calls shed", len(shed))
	}
	s := h.start(t, 50)
	if shed := rush(t, s, 400); len(shed) < 50 {
		t.Errorf("%d calls shed with room for 50", len(shed))
	}
	h.slow.Store(0)
	time.Sleep(750 * time.Millisecond)
	if shed := rush(t, s, 50); len(shed) > 0 {
		t.Errorf("%d calls shed when there was room again", len(shed))
	}
}

// What the house has put off counts like late processors.
func TestStrain(t *testing.T) {
	t.Parallel()
	var h hotline
	s := h.start(t, 0)
	s.Strain(func() float64 { return 1.5 })
	if shed := rush(t, s, 600); len(shed) < 100 {
		t.Errorf("%d of 600 shed", len(shed))
	}
	s.Strain(func() float64 { return 2 })
	time.Sleep(250 * time.Millisecond)
	if shed := rush(t, s, 20); len(shed) != 20 {
		t.Errorf("%d of 20 shed when nothing more is borne", len(shed))
	}
}

func TestFixedRate(t *testing.T) {
	t.Parallel()
	s := start(t, func(c *sip.Config) {
		c.Overload.Rate = 10
		c.Invite = func(in *sip.Incoming) { _ = in.Reject(486, "") }
	})
	p := siptest.New(t, s.Addr("udp"))
	for i := range 30 {
		p.NewCall(fmt.Sprintf("sip:c%d@kapok", i)).SendInvite(siptest.SDP)
	}
	p.Expect("SIP/2.0 486")
	time.Sleep(100 * time.Millisecond)
	if n := len(p.Seen("SIP/2.0 503")); n < 20 {
		t.Errorf("%d of 30 shed at 10/s", n)
	}
}

func TestFloodAndScanners(t *testing.T) {
	t.Parallel()
	s := start(t, func(c *sip.Config) { c.Flood = sip.FloodConfig{Rate: 5, Burst: 10} })
	opt := func(p *siptest.Peer, agent string) {
		p.Send("OPTIONS sip:x@kapok SIP/2.0\nVia: SIP/2.0/UDP {addr};branch={branch}\nFrom: <sip:a@b>;tag=1\nTo: <sip:x@kapok>\nCall-ID: " +
			siptest.Token() + "\nCSeq: 1 OPTIONS\nUser-Agent: " + agent + "\n")
	}
	p := siptest.New(t, s.Addr("udp"))
	opt(p, "friendly-scanner")
	p.ExpectNone("SIP/2.0", 30*time.Millisecond)
	for range 50 {
		opt(p, "phone")
	}
	time.Sleep(100 * time.Millisecond)
	if n := len(p.Seen("SIP/2.0 200")); n < 5 || n > 12 {
		t.Errorf("%d of 50 answered at a burst of 10", n)
	}
	if err := s.SetTrunks([]sip.TrunkConfig{{ID: "t", Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}}); err != nil {
		t.Fatal(err)
	}
	before := len(p.Seen("SIP/2.0 200"))
	for range 50 {
		opt(p, "carrier")
	}
	time.Sleep(200 * time.Millisecond)
	if n := len(p.Seen("SIP/2.0 200")) - before; n != 50 {
		t.Errorf("%d of 50 answered to a trunk", n)
	}
}
