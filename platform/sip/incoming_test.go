package sip_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/kapok-hotline/kapok/platform/sip"
	"github.com/kapok-hotline/kapok/platform/sip/siptest"
)

// incomings gives each new call on a channel.
func incomings(t testing.TB, change func(*sip.Config)) (*sip.Server, *siptest.Peer, chan *sip.Incoming) {
	t.Helper()
	ch := make(chan *sip.Incoming, 8)
	s := start(t, func(c *sip.Config) {
		c.Invite = func(in *sip.Incoming) { ch <- in }
		if change != nil {
			change(c)
		}
	})
	return s, siptest.New(t, s.Addr("udp")), ch
}

func uri(s *sip.Server) string { return "sip:12366@" + s.Addr("udp").String() }

func TestIncomingIsRead(t *testing.T) {
	t.Parallel()
	s, p, ch := incomings(t, nil)
	p.Send(`INVITE sip:12366@kapok.example;user=phone SIP/2.0
v: SIP/2.0/UDP {addr};branch={branch}
f: "Chen \"CC\" Wei" <sip:+8613800138000@carrier.example:5070;user=phone>;tag=abc
t: <tel:12366;phone-context=+86>
i: id-1
CSeq: 7
 INVITE
m: <sip:gw@{addr}>
P-Asserted-Identity: "Chen" <sip:13800138000@carrier.example>, <tel:+8613800138000>
X-Call: one
X-Call: two
Replaces: other;to-tag=a;from-tag=b;early-only
c: application/sdp

` + siptest.SDP)
	in := recv(t, ch)
	got := map[string]any{
		"callid": in.CallID, "from": in.From.String(), "display": in.From.Display, "to": in.To.URI.String(), "uri": in.URI.String(),
		"pai": []string{in.Identity[0].String(), in.Identity[1].String()}, "x": in.Header("x-call"),
		"offer": string(in.Offer), "source": in.Source.String(), "transport": in.Transport, "replaces": *in.Replaces,
	}
	want := map[string]any{
		"callid": "id-1", "from": `"Chen \"CC\" Wei" <sip:+8613800138000@carrier.example:5070;user=phone>;tag=abc`, "display": `Chen "CC" Wei`,
		"to": "tel:12366;phone-context=+86", "uri": "sip:12366@kapok.example;user=phone",
		"pai": []string{`"Chen" <sip:13800138000@carrier.example>`, "<tel:+8613800138000>"}, "x": []string{"one", "two"},
		"offer": siptest.SDP, "source": p.Addr.String(), "transport": "udp",
		"replaces": sip.Replaces{CallID: "other", ToTag: "a", FromTag: "b", EarlyOnly: true},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Fatal(d)
	}
	if err := in.Reject(486, "", sip.Header{Name: "Reason", Value: "Q.850;cause=17\r\nX-Evil: 1"}); err != nil {
		t.Fatal(err)
	}
	m := p.Expect("SIP/2.0 486 Busy Here")
	if m.Get("X-Evil") != "" {
		t.Fatal("a header value could begin a new line")
	}
	_ = s
}

func TestCancelBeforeTheAnswer(t *testing.T) {
	t.Parallel()
	s, p, ch := incomings(t, nil)
	c := p.NewCall(uri(s))
	c.SendInvite(siptest.SDP)
	in := recv(t, ch)
	if err := in.Progress(180, "", nil); err != nil {
		t.Fatal(err)
	}
	ring := p.Expect("SIP/2.0 180")
	p.Raw([]byte(c.Text("CANCEL", c.Branch, "", "Reason: SIP;cause=200;text=\"elsewhere\"")))
	ok := p.Expect("SIP/2.0 200")
	end := p.Expect("SIP/2.0 487")
	if ring.Tag("To") != end.Tag("To") || ok.Tag("To") != end.Tag("To") {
		t.Errorf("To tags differ: 180 %q, CANCEL %q, 487 %q", ring.Tag("To"), ok.Tag("To"), end.Tag("To"))
	}
	recv(t, in.Canceled())
	if _, err := in.Answer(context.Background(), []byte(siptest.SDP)); !errors.Is(err, sip.ErrCanceled) {
		t.Errorf("Answer after CANCEL: %v", err)
	}
	p.Again(end) // repeated until the ACK
	c.To = end.Tag("To")
	p.Raw([]byte(c.Text("ACK", c.Branch, "")))
	time.Sleep(4 * quick)
	before := len(p.Seen("SIP/2.0 487"))
	time.Sleep(10 * quick)
	if n := len(p.Seen("SIP/2.0 487")) - before; n > 0 {
		t.Errorf("487 came %d times more after the ACK", n)
	}
}

func TestTryingOnlyWhenTheHandlerIsSlow(t *testing.T) {
	t.Parallel()
	s, p, ch := incomings(t, nil)
	c := p.NewCall(uri(s))
	c.SendInvite(siptest.SDP)
	in := recv(t, ch)
	m := p.Expect("SIP/2.0 100")
	p.Raw([]byte(c.Text("INVITE", c.Branch, siptest.SDP))) // a repeat gets the same again and makes no second call
	p.Again(m)
	select {
	case <-ch:
		t.Fatal("a repeat began a second call")
	case <-time.After(2 * quick):
	}
	_ = in.Reject(480, "")
	p.Expect("SIP/2.0 480")
}

func TestUnansweredCallEnds(t *testing.T) {
	t.Parallel()
	s, p, ch := incomings(t, func(c *sip.Config) { c.Unanswered = 3 * quick })
	p.NewCall(uri(s)).SendInvite(siptest.SDP)
	in := recv(t, ch)
	p.Expect("SIP/2.0 480")
	recv(t, in.Canceled())
}

func TestLateOffer(t *testing.T) {
	t.Parallel()
	s, p, ch := incomings(t, nil)
	c := p.NewCall(uri(s))
	c.SendInvite("")
	in := recv(t, ch)
	if in.Offer != nil {
		t.Fatal("there is no offer")
	}
	got := make(chan string, 1)
	in.Handle(sip.Events{Answered: func(_ *sip.Dialog, b []byte) { got <- string(b) }})
	d, err := in.Answer(context.Background(), []byte("our offer"))
	if err != nil {
		t.Fatal(err)
	}
	m := p.Expect("SIP/2.0 200")
	if m.Body != "our offer" {
		t.Fatalf("200 carries %q", m.Body)
	}
	c.Answered(m)
	c.Ack("their answer")
	b, err := d.WaitACK(context.Background())
	if err != nil || string(b) != "their answer" || recv(t, got) != "their answer" {
		t.Fatalf("ACK body %q, %v", b, err)
	}
}

func TestByeWaitsForTheAck(t *testing.T) { // RFC 3261 §15: the callee must not send BYE before the ACK
	t.Parallel()
	s, p, ch := incomings(t, nil)
	c := p.NewCall(uri(s))
	c.SendInvite(siptest.SDP)
	d, err := recv(t, ch).Answer(context.Background(), []byte(siptest.SDP))
	if err != nil {
		t.Fatal(err)
	}
	go d.Bye(context.Background())
	m := p.Expect("SIP/2.0 200")
	p.ExpectNone("BYE", 3*quick)
	c.Answered(m)
	c.Ack("")
	p.Respond(p.Expect("BYE"), 200, "OK", "", "")
	recv(t, d.Done())
}

func TestEarlyByeIsACancel(t *testing.T) {
	t.Parallel()
	s, p, ch := incomings(t, nil)
	c := p.NewCall(uri(s))
	c.SendInvite(siptest.SDP)
	in := recv(t, ch)
	_ = in.Progress(180, "", nil)
	c.To = p.Expect("SIP/2.0 180").Tag("To")
	c.Request("BYE", "")
	p.Expect("SIP/2.0 200")
	p.Expect("SIP/2.0 487")
	recv(t, in.Canceled())
}

func TestReliableProvisional(t *testing.T) { // RFC 3262
	t.Parallel()
	s, p, ch := incomings(t, nil)
	c := p.NewCall(uri(s))
	c.SendInvite(siptest.SDP, "Supported: 100rel")
	in := recv(t, ch)
	if err := in.Progress(180, "", nil); err != nil { // no body: need not be reliable
		t.Fatal(err)
	}
	if m := p.Expect("SIP/2.0 180"); m.Get("RSeq") != "" {
		t.Fatal("180 without a body went reliably")
	}
	if err := in.Progress(183, "", []byte(siptest.SDP)); err != nil {
		t.Fatal(err)
	}
	m := p.Expect("SIP/2.0 183")
	if m.Get("RSeq") == "" || m.Get("Require") != "100rel" {
		t.Fatalf("183 with a body is not reliable:\n%s", m.Raw)
	}
	p.Again(m) // repeated until PRACK
	answered := make(chan error, 1)
	go func() {
		_, err := in.Answer(context.Background(), []byte(siptest.SDP))
		answered <- err
	}()
	p.ExpectNone("SIP/2.0 200", 2*quick) // the 200 waits for the PRACK (§5)
	c.To = m.Tag("To")
	c.Request("PRACK", "", "RAck: 1 1 INVITE")
	p.Expect("SIP/2.0 481") // matches nothing
	c.Request("PRACK", "", "RAck: "+m.Get("RSeq")+" 1 INVITE")
	var finals []string
	for range 2 {
		finals = append(finals, p.Expect("SIP/2.0 200").Get("CSeq"))
	}
	if !strings.Contains(strings.Join(finals, ","), "PRACK") || !strings.Contains(strings.Join(finals, ","), "INVITE") {
		t.Fatalf("200 for %v", finals)
	}
	if err := recv(t, answered); err != nil {
		t.Fatal(err)
	}
}

func TestReliableWithoutPrackFails(t *testing.T) {
	t.Parallel()
	s, p, ch := incomings(t, nil)
	c := p.NewCall(uri(s))
	c.SendInvite(siptest.SDP, "Require: 100rel")
	in := recv(t, ch)
	_ = in.Progress(180, "", nil)
	if m := p.Expect("SIP/2.0 180"); m.Get("RSeq") == "" {
		t.Fatal("the peer demanded 100rel")
	}
	p.Expect("SIP/2.0 504")
	recv(t, in.Canceled())
}

func TestLoopIsDetected(t *testing.T) {
	t.Parallel()
	s, p, ch := incomings(t, nil)
	c := p.NewCall(uri(s))
	c.SendInvite(siptest.SDP)
	recv(t, ch)
	p.Raw([]byte(c.Text("INVITE", "z9hG4bKother", siptest.SDP))) // RFC 3261 §8.2.2.2
	p.Expect("SIP/2.0 482")
}
