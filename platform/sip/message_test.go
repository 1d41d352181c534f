package sip

import (
	"bufio"
	"bytes"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/platform/sip/wire"
)

func TestTraceKeepsBothEnds(t *testing.T) {
	var l traceLog
	for i := range 200 {
		l.add(Entry{Text: []byte{byte(i)}})
	}
	all := l.all()
	if len(all) != traceHead+traceTail || all[0].Text[0] != 0 || all[traceHead].Text[0] != 200-traceTail || all[len(all)-1].Text[0] != 199 {
		t.Fatalf("%d entries from %d to %d", len(all), all[0].Text[0], all[len(all)-1].Text[0])
	}
}

const seed = "INVITE sip:b@kapok SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bKx;rport, SIP/2.0/TCP h\r\nMax-Forwards: 70\r\n" +
	"From: \"A\" <sip:a@h>;tag=1\r\nTo: <sip:b@kapok>\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\nContact: <sip:a@10.0.0.1>\r\nRecord-Route: <sip:p;lr>\r\n" +
	"Session-Expires: 1800;refresher=uac\r\nRefer-To: <sip:c@h?Replaces=x%3Bto-tag%3Da%3Bfrom-tag%3Db>\r\n" +
	"Authorization: Digest username=\"u\", realm=\"kapok\", nonce=\"n\", uri=\"sip:h\", response=\"r\"\r\nContent-Length: 4\r\n\r\nbody"

// FuzzMessage reads what comes from outside with everything that reads it, and answers it.
func FuzzMessage(f *testing.F) {
	f.Add([]byte(seed))
	f.Add([]byte(strings.Replace(seed, "INVITE sip:b@kapok SIP/2.0", "SIP/2.0 200 OK", 1)))
	f.Add([]byte("OPTIONS x SIP/2.0\r\nv: SIP / 2.0 / UDP h : 1 ; branch = z\r\n folded\r\n\r\n"))
	flow := &Flow{Transport: "tcp", Remote: netip.MustParseAddrPort("10.0.0.9:5060")}
	f.Fuzz(func(t *testing.T, b []byte) {
		h, _ := wire.Scan(b)
		m, err := newMessage(h, b, flow, time.Time{})
		if len(h.Body) > len(b) {
			t.Fatal("the body is longer than the message")
		}
		m.response(wire.Reply{Code: 200, Tag: "t"})
		m.ServerKey("INVITE")
		m.replyFlow()
		wire.ReadProof(m.Head, "authorization", "kapok")
		_, _ = readRefer(m)
		_, _, _ = sessionExpires(m.Get("session-expires"))
		for _, fl := range h.Fields {
			if strings.ContainsAny(fl.Value, "\n") {
				t.Fatalf("header %s holds a line end", fl.Name)
			}
			_, _ = ParseAddress(fl.Value)
			wire.SplitList(fl.Value)
			wire.StripTag(fl.Value)
		}
		if err == nil && h.Method != "" {
			out := m.response(wire.Reply{Code: 183, Tag: "t", Headers: []Header{{Name: "X", Value: "y"}}, Body: []byte("b")})
			again, bad := wire.Scan(out)
			if bad != nil || again.Code != 183 || again.Get("call-id") != m.CallID {
				t.Fatalf("our answer cannot be read: %v\n%s", bad, out)
			}
		}
	})
}

// FuzzStream cuts messages off a connection; what is cut must be a prefix of what came, in order.
func FuzzStream(f *testing.F) {
	f.Add([]byte(seed + "\r\n\r\n" + seed))
	f.Add([]byte("\r\n\r\nA\r\nContent-Length: 99999999999\r\n\r\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		r := bufio.NewReaderSize(bytes.NewReader(b), 32)
		rest := b
		for {
			m, err := readMessage(r)
			if errors.Is(err, errKeepAlive) {
				continue
			}
			if err != nil {
				return
			}
			i := bytes.Index(rest, m)
			if len(m) == 0 || len(m) > wire.MaxMessage || i < 0 {
				t.Fatalf("%d bytes that did not come", len(m))
			}
			rest = rest[i+len(m):]
		}
	})
}
