package sip_test

import (
	"context"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/platform/sip"
	"github.com/kapok-hotline/kapok/platform/sip/siptest"
)

// A handler that manages 50 calls a second is offered 500: the surplus is shed with 503 and Retry-After, calls that
// stand stay good, and 5 s after the rush nobody is shed any more.
func TestOverload(t *testing.T) {
	t.Parallel()
	turn := make(chan struct{}, 1)
	s := start(t, func(c *sip.Config) {
		c.Overload = sip.OverloadConfig{Delay: 200 * time.Millisecond, Pending: 20}
		c.Invite = func(in *sip.Incoming) {
			turn <- struct{}{}
			time.Sleep(20 * time.Millisecond)
			<-turn
			if in.To.URI.User == "keep" {
				_, _ = in.Answer(context.Background(), []byte(siptest.SDP))
				return
			}
			_ = in.Reject(486, "")
		}
	})
	p := siptest.New(t, s.Addr("udp"))
	stands := p.NewCall("sip:keep@kapok")
	stands.Establish(siptest.SDP)
	rush := siptest.New(t, s.Addr("udp"))
	offered := 0
	for end := time.Now().Add(1500 * time.Millisecond); time.Now().Before(end); offered++ {
		rush.NewCall(fmt.Sprintf("sip:c%d@kapok", offered)).SendInvite(siptest.SDP)
		time.Sleep(2 * time.Millisecond)
		if offered%100 == 50 {
			from := time.Now()
			stands.Request("INFO", "1", "Content-Type: application/dtmf")
			p.Expect("SIP/2.0 200")
			if d := time.Since(from); d > 500*time.Millisecond {
				t.Errorf("a standing call waited %v", d)
			}
		}
	}
	shed := rush.Seen("SIP/2.0 503")
	if len(shed) < offered/4 || shed[0].Get("Retry-After") == "" {
		t.Fatalf("%d of %d shed", len(shed), offered)
	}
	if s.Counts().Shed == 0 {
		t.Error("the counter of shed calls stands still")
	}
	time.Sleep(4 * time.Second)
	after := siptest.New(t, s.Addr("udp"))
	for i := range 20 {
		after.NewCall(fmt.Sprintf("sip:after%d@kapok", i)).SendInvite(siptest.SDP)
		time.Sleep(50 * time.Millisecond)
	}
	time.Sleep(100 * time.Millisecond)
	if n := len(after.Seen("SIP/2.0 503")); n > 2 { // one or two may meet a machine that is busy with other things
		t.Errorf("%d calls shed 5 s after the rush", n)
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
