package sip

import (
	"bufio"
	"bytes"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParseURI(t *testing.T) {
	for in, want := range map[string]URI{
		"sip:alice@kapok.example":                    {Scheme: "sip", User: "alice", Host: "kapok.example"},
		"sips:a@h:5071;lr;x=1":                       {Scheme: "sips", User: "a", Host: "h", Port: 5071, Params: "lr;x=1"},
		"sip:10.0.0.1":                               {Scheme: "sip", Host: "10.0.0.1"},
		"tel:+8675512366;phone-context=x":            {Scheme: "tel", User: "+8675512366", Params: "phone-context=x"},
		"sip:user;par=u%40example.net@kapok.example": {Scheme: "sip", User: "user;par=u%40example.net", Host: "kapok.example"},
		"sip:x@rand.invalid;transport=ws":            {Scheme: "sip", User: "x", Host: "rand.invalid", Params: "transport=ws"},
		"sip:a@h?Subject=x":                          {Scheme: "sip", User: "a", Host: "h"},
		"isbn:2983792873":                            {Scheme: "isbn", User: "2983792873"},
	} {
		got, err := ParseURI(in)
		if d := cmp.Diff(want, got); err != nil || d != "" {
			t.Errorf("%s: %v %s", in, err, d)
		}
	}
	for _, in := range []string{"", "*", "sip:", "sip:a b@h", "sip:a@h\r\nX: y", "<sip:a@h>", "sip:a@h:99999", "sip:a@h:", strings.Repeat("x", 9000)} {
		if u, err := ParseURI(in); err == nil {
			t.Errorf("%.40q was read as %+v", in, u)
		}
	}
	for _, in := range []string{"sip:a@[2001:db8::1]:5060;transport=tcp", "sip:[2001:db8::1]", "tel:12366", "sip:a@h;lr"} {
		u, err := ParseURI(in)
		if err != nil || u.String() != in {
			t.Errorf("%s is written back as %s (%v)", in, u, err)
		}
	}
}

func TestParseAddress(t *testing.T) {
	for in, want := range map[string]Address{
		`"A \"B\" C" <sip:a@h>;tag=1`: {Display: `A "B" C`, URI: URI{Scheme: "sip", User: "a", Host: "h"}, Params: "tag=1"},
		`caller<sip:a@h>`:             {Display: "caller", URI: URI{Scheme: "sip", User: "a", Host: "h"}},
		`sip:a@h;tag=x;y="b;c"`:       {URI: URI{Scheme: "sip", User: "a", Host: "h"}, Params: `tag=x;y="b;c"`},
		`<sip:a@h;lr> ; tag = 9`:      {URI: URI{Scheme: "sip", User: "a", Host: "h", Params: "lr"}, Params: " tag = 9"},
	} {
		got, err := ParseAddress(in)
		if d := cmp.Diff(want, got); err != nil || d != "" {
			t.Errorf("%s: %v %s", in, err, d)
		}
	}
	for _, in := range []string{"", "<sip:a@h", `"a <sip:a@h>`, "< sip:a@h >", "<sip:a@h> x", "sip:a@h?x=y", "<>"} {
		if a, err := ParseAddress(in); err == nil {
			t.Errorf("%q was read as %+v", in, a)
		}
	}
	a := Address{Display: "x\r\nEvil: 1", URI: URI{User: "a\r\nb", Host: "h"}}
	if s := a.String(); strings.ContainsAny(s, "\r\n") {
		t.Errorf("%q could begin a new line", s)
	}
}

func TestTagsAndLists(t *testing.T) {
	for in, want := range map[string]string{
		`"x;tag=no" <sip:a@h;tag=no>;p;tag=yes`: "yes", "sip:a@h;tag=t": "t", "<sip:a@h>": "", `<sip:a@h>; TAG = "q"`: "q",
	} {
		if got := tagOf(in); got != want {
			t.Errorf("tag of %s: %q", in, got)
		}
		if s := stripTag(in); tagOf(s) != "" {
			t.Errorf("%s still has a tag", s)
		}
	}
	got := splitList(`"a, b" <sip:x,y@h>, <sip:z@h> ,, c`)
	if d := cmp.Diff([]string{`"a, b" <sip:x,y@h>`, "<sip:z@h>", "c"}, got); d != "" {
		t.Error(d)
	}
}

func TestParseDTMF(t *testing.T) {
	for _, c := range []struct {
		ct, body string
		key      byte
		d        time.Duration
		ok       bool
	}{
		{"application/dtmf-relay", "Signal=5\r\nDuration=100\r\n", '5', 100 * time.Millisecond, true},
		{"Application/DTMF-Relay; x=y", "signal= *\nduration = 250", '*', 250 * time.Millisecond, true},
		{"application/dtmf-relay", "Signal=11", '#', 160 * time.Millisecond, true},
		{"application/dtmf", " d ", 'D', 160 * time.Millisecond, true},
		{"application/dtmf", "55", 0, 160 * time.Millisecond, false},
		{"application/sdp", "Signal=5", 0, 0, false},
		{"application/dtmf-relay", "Duration=100", 0, 100 * time.Millisecond, false},
	} {
		if k, d, ok := ParseDTMF(c.ct, []byte(c.body)); k != c.key || d != c.d || ok != c.ok {
			t.Errorf("%s %q: %c %v %v", c.ct, c.body, k, d, ok)
		}
	}
}

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
		h, _ := scan(b)
		m, err := newMessage(h, b, flow, time.Time{})
		if len(h.body) > len(b) {
			t.Fatal("the body is longer than the message")
		}
		m.response(reply{code: 200, tag: "t"})
		m.serverKey("INVITE")
		m.replyFlow()
		readProof(m, "authorization", "kapok")
		_, _ = readRefer(m)
		_, _, _ = sessionExpires(m.get("session-expires"))
		for _, fl := range h.fields {
			if strings.ContainsAny(fl.value, "\n") {
				t.Fatalf("header %s holds a line end", fl.name)
			}
			_, _ = ParseAddress(fl.value)
			splitList(fl.value)
			stripTag(fl.value)
		}
		if err == nil && h.method != "" {
			out := m.response(reply{code: 183, tag: "t", headers: []Header{{"X", "y"}}, body: []byte("b")})
			again, bad := scan(out)
			if bad != nil || again.code != 183 || again.get("call-id") != m.callID {
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
			if len(m) == 0 || len(m) > maxMessage || i < 0 {
				t.Fatalf("%d bytes that did not come", len(m))
			}
			rest = rest[i+len(m):]
		}
	})
}

// FuzzURI: what is read is written back as something that reads the same.
func FuzzURI(f *testing.F) {
	for _, s := range []string{"sip:a@h:5060;lr", "tel:+86;x=y", "sip:[::1]", `"A" <sip:a@h>;tag=1`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		_, _ = ParseReplaces(s)
		digestParams(s)
		if a, err := ParseAddress(s); err == nil && strings.ContainsAny(a.String(), "\r\n\x00") {
			t.Fatalf("%q could begin a new line", a.String())
		}
		u, err := ParseURI(s)
		if err != nil {
			return
		}
		out := u.String()
		if strings.ContainsAny(out, "\r\n\x00 <>") {
			t.Fatalf("%q could begin a new line", out)
		}
		if _, err := ParseURI(out); err != nil {
			t.Fatalf("%q was written as %q: %v", s, out, err)
		}
	})
}
