package wire

import (
	"strings"
	"testing"
)

// The example of RFC 7616 §3.9.1 with both algorithms; RFC 8760 takes them over for SIP unchanged.
func TestDigestVectors(t *testing.T) {
	const (
		nonce  = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"
		cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
	)
	for _, c := range []struct {
		a    Algorithm
		want string
	}{
		{MD5, "8ca523f5e9506fed4657c9700eebdbec"},
		{SHA256, "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"},
	} {
		ha1 := HA1(c.a, "Mufasa", "http-auth@example.org", "Circle of Life")
		if got := digestResponse(c.a, ha1, nonce, "00000001", cnonce, "auth", "GET", "/dir/index.html"); got != c.want {
			t.Errorf("%s: %s", c.a, got)
		}
	}
	// RFC 2617 §3.5, and without qop as RFC 2069 has it
	ha1 := HA1(MD5, "Mufasa", "testrealm@host.com", "Circle Of Life")
	if got := digestResponse(MD5, ha1, "dcd98b7102dd2f0e8b11d0f600bfb0c093", "00000001", "0a4f113b", "auth", "GET", "/dir/index.html"); got != "6629fae49393a05397450978507c4ef1" {
		t.Errorf("RFC 2617: %s", got)
	}
	if got := digestResponse(MD5, ha1, "dcd98b7102dd2f0e8b11d0f600bfb0c093", "", "", "", "GET", "/dir/index.html"); got != "670fd8c2df070c60b045671b8b24ff02" {
		t.Errorf("RFC 2069: %s", got)
	}
}

func TestDigestParams(t *testing.T) {
	for v, want := range map[string]string{
		`Digest realm="a, b", nonce="x\"y",qop=auth`: `x"y`,
		`digest nonce=abc , realm=r`:                 "abc",
		`Basic abc`:                                  "",
		`Digest`:                                     "",
		`Digest nonce="a", nonce="b"`:                "",
	} {
		p, _ := digestParams(v)
		if p["nonce"] != want {
			t.Errorf("%s: nonce %q", v, p["nonce"])
		}
	}
}

func TestCredentialsAnswer(t *testing.T) {
	m := &Head{Code: 401, Fields: []Field{
		{"www-authenticate", `Digest realm="r", nonce="n", algorithm=SHA-512-256`},
		{"www-authenticate", `Digest realm="r", nonce="n", algorithm=MD5, qop="auth-int"`},
	}}
	c := Credentials{User: "u", Password: "p"}
	if _, err := c.AnswerChallenge(m, "INVITE", "sip:a@b"); err == nil {
		t.Error("a challenge we do not speak was answered")
	}
	m.Fields = append(m.Fields, Field{"www-authenticate", `Digest realm="r", nonce="n"`})
	h, err := c.AnswerChallenge(m, "INVITE", "sip:a@b")
	if err != nil || h.Name != "Authorization" || strings.Contains(h.Value, "qop") {
		t.Errorf("%v %v", h, err)
	}
}
