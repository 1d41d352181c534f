package sip_test

import (
	"context"
	"testing"

	gosip "github.com/emiago/sipgo/sip"
	"github.com/kapok-hotline/kapok/platform/sip"
	"github.com/kapok-hotline/kapok/platform/sip/siptest"
)

// Every message we write must be read by a parser that is not ours, and read the same.
func TestAnotherParserReadsUs(t *testing.T) {
	t.Parallel()
	traces := make(chan []sip.Entry, 4)
	s, p, ch := incomings(t, func(c *sip.Config) { c.Traced = func(_ string, e []sip.Entry) { traces <- e } })
	c := p.NewCall(uri(s))
	c.SendInvite(siptest.SDP, "Supported: 100rel, timer", "Session-Expires: 1800", "Record-Route: <sip:10.0.0.1;lr>", "Timestamp: 1")
	in := recv(t, ch)
	in.Handle(sip.Events{Offer: func(_ *sip.Dialog, o []byte) ([]byte, error) { return o, nil }})
	_ = in.Progress(183, "陈先生请稍候", []byte(siptest.SDP), sip.Header{Name: "X-Name", Value: "客户"})
	m := p.Expect("SIP/2.0 183")
	c.To = m.Tag("To")
	c.Request("PRACK", "", "RAck: "+m.Get("RSeq")+" 1 INVITE")
	p.Expect("SIP/2.0 200")
	c.Seq = 1
	if _, err := in.Answer(context.Background(), []byte(siptest.SDP)); err != nil {
		t.Fatal(err)
	}
	c.Answered(p.Expect("SIP/2.0 200"))
	c.Ack("")
	c.Seq = 2
	c.Request("INVITE", siptest.SDP)
	p.Expect("SIP/2.0 200")
	c.Ack("")
	c.Request("BYE", "")
	p.Expect("SIP/2.0 200")
	o := call(t, s, p, func(o *sip.CallOptions) {
		o.From = sip.Address{Display: `陈 "CC"`, URI: sip.URI{User: "13800138000", Host: "kapok"}}
	})
	inv := p.Expect("INVITE")
	p.Respond(inv, 183, "x", "t1", siptest.SDP, "Require: 100rel", "RSeq: 5")
	p.Respond(p.Expect("PRACK"), 200, "OK", "", "")
	o.Cancel()
	p.Respond(p.Expect("CANCEL"), 200, "OK", "", "")
	p.Respond(inv, 487, "x", "t1", "")
	p.Expect("ACK")
	sent := 0
	for range 2 {
		for _, e := range recv(t, traces) {
			if !e.Out {
				continue
			}
			sent++
			m, err := gosip.ParseMessage(e.Text)
			if err != nil {
				t.Errorf("%v:\n%s", err, e.Text)
				continue
			}
			if m.Via() == nil || m.From() == nil || m.To() == nil || m.CallID() == nil || m.CSeq() == nil || m.ContentLength() == nil {
				t.Errorf("a header is missing:\n%s", e.Text)
			}
			if int(*m.ContentLength()) != len(m.Body()) {
				t.Errorf("the length is wrong:\n%s", e.Text)
			}
		}
	}
	if sent < 9 {
		t.Errorf("only %d messages of ours in the traces", sent)
	}
}
