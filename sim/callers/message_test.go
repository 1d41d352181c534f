package callers

import (
	"strings"
	"testing"
)

const invite = "INVITE sip:8005@127.0.0.1:40000 SIP/2.0\r\nv: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bKx;rport\r\n" +
	"Record-Route: <sip:p1;lr>\r\nf: \"A\" <sip:013800001234@kapok>;tag=abc\r\nTo: <sip:8005@kapok>\r\ni: one@two\r\n" +
	"CSeq: 7 INVITE\r\nX-Kapok-Contact: 01ARZ3NDEKTSV4RRFFQ69G5FAV\r\nSubject: folded\r\n  twice\r\nContent-Length: 3\r\n\r\nv=0"

func TestParse(t *testing.T) {
	m, err := parse([]byte(invite))
	if err != nil {
		t.Fatal(err)
	}
	n, method := m.cseq()
	if m.method != "INVITE" || userOf(m.uri) != "8005" || n != 7 || method != "INVITE" || number(m) != "13800001234" ||
		param(m.get("via"), "branch") != "z9hG4bKx" || m.get("Subject") != "folded twice" || string(m.body) != "v=0" {
		t.Errorf("%+v", m)
	}
	r := m.reply(200, "OK", "tag9")
	if param(r.get("To"), "tag") != "tag9" || r.get("Record-Route") == "" || r.get("Subject") != "" {
		t.Errorf("%+v", r)
	}
	back, err := parse(r.bytes())
	if err != nil || back.code != 200 || back.get("Call-ID") != "one@two" {
		t.Errorf("%+v, %v", back, err)
	}
}

func TestParseRefuses(t *testing.T) {
	for _, bad := range []string{"", "\r\n\r\n", "SIP/2.0 99 Low\r\nCall-ID: a\r\nCSeq: 1 BYE\r\n\r\n", "BYE sip:a SIP/3.0\r\n\r\n", "BYE sip:a SIP/2.0\r\nno colon\r\n\r\n", strings.Repeat("x", maxMessage+1)} {
		if m, err := parse([]byte(bad)); err == nil {
			t.Errorf("%.40q was read as %+v", bad, m)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(invite))
	f.Add([]byte("SIP/2.0 401 Unauthorized\r\nCall-ID: a\r\nCSeq: 1 REGISTER\r\nWWW-Authenticate: Digest realm=\"k\", nonce=\"n\", qop=\"auth\"\r\n\r\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := parse(b)
		if err != nil {
			return
		}
		_ = m.reply(200, "OK", "t").bytes()
		_, _ = m.cseq()
		_ = address(m.get("Contact")) + userOf(m.uri) + number(m) + param(m.get("Via"), "branch")
		_, _ = authorize(m.all("WWW-Authenticate"), "u", "p", "REGISTER", "sip:x", "c")
	})
}

// TestAuthorize: the examples of RFC 7616 §3.9.1.
func TestAuthorize(t *testing.T) {
	const (
		realm  = `realm="http-auth@example.org", qop="auth, auth-int", nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"`
		cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
	)
	for algorithm, want := range map[string]string{
		"MD5": "8ca523f5e9506fed4657c9700eebdbec", "SHA-256": "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
	} {
		got, ok := authorize([]string{"Digest " + realm + ", algorithm=" + algorithm}, "Mufasa", "Circle of Life", "GET", "/dir/index.html", cnonce)
		if !ok || !strings.Contains(got, `response="`+want+`"`) {
			t.Errorf("%s: %s", algorithm, got)
		}
	}
	both, _ := authorize([]string{"Digest " + realm + ", algorithm=MD5", "Digest " + realm + ", algorithm=SHA-256"}, "a", "b", "GET", "/", "c")
	if !strings.Contains(both, "algorithm=SHA-256") {
		t.Errorf("the weaker one was taken: %s", both)
	}
	if _, ok := authorize([]string{"Basic realm=x", "Digest realm=\"r\", nonce=\"n\", algorithm=MD6"}, "a", "b", "GET", "/", "c"); ok {
		t.Error("an unknown algorithm was taken")
	}
}
