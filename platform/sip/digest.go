package sip

import (
	"crypto/md5" //nolint:gosec // RFC 2617 phones speak nothing else
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"hash"
	"strconv"
	"strings"
)

// Algorithm is a digest algorithm (RFC 7616, RFC 8760). The strings are those of the wire.
type Algorithm string

// The algorithms we speak, weaker last.
const (
	SHA256 Algorithm = "SHA-256"
	MD5    Algorithm = "MD5"
)

func (a Algorithm) hash(parts ...string) string {
	var h hash.Hash
	if a == SHA256 {
		h = sha256.New()
	} else {
		h = md5.New() //nolint:gosec // see above
	}
	for i, p := range parts {
		if i > 0 {
			h.Write([]byte{':'})
		}
		h.Write([]byte(p))
	}
	var sum [sha256.Size]byte
	return hex.EncodeToString(h.Sum(sum[:0]))
}

// HA1 is H(user:realm:password) in lower-case hex: what is stored in place of a password (RFC 7616 §3.4.2).
func HA1(a Algorithm, user, realm, password string) string { return a.hash(user, realm, password) }

// digestResponse is request-digest with qop=auth, or without qop as RFC 2069 has it when qop is empty.
func digestResponse(a Algorithm, ha1, nonce, nc, cnonce, qop, method, uri string) string {
	ha2 := a.hash(method, uri)
	if qop == "" {
		return a.hash(ha1, nonce, ha2)
	}
	return a.hash(ha1, nonce, nc, cnonce, qop, ha2)
}

// digestParams reads "Digest a=b, c="d"" into a map with lower-case names; false for another scheme or nonsense.
func digestParams(v string) (map[string]string, bool) {
	scheme, rest, ok := strings.Cut(strings.TrimSpace(v), " ")
	if !ok || !strings.EqualFold(scheme, "digest") {
		return nil, false
	}
	out := map[string]string{}
	for _, p := range splitList(rest) {
		k, val, ok := strings.Cut(p, "=")
		k = strings.ToLower(strings.TrimSpace(k))
		if !ok || k == "" || len(out) > 32 {
			return nil, false
		}
		if _, twice := out[k]; twice {
			return nil, false
		}
		out[k] = unquote(strings.TrimSpace(val))
	}
	return out, len(out) > 0
}

// Credentials are what we show a peer that challenges us. HA1 (for the realm that will ask) may stand for Password.
type Credentials struct {
	User     string
	Password string
	HA1      map[Algorithm]string
}

// challenged says whether the response asks for credentials.
func challenged(m *message) bool { return m.code == 401 || m.code == 407 }

// answerChallenge makes the header that answers a 401 or 407; the strongest algorithm offered wins.
// nc is the count of uses of this nonce (1 for a fresh challenge).
func (c *Credentials) answerChallenge(m *message, method, uri string) (Header, error) {
	name, answer := "www-authenticate", "Authorization"
	if m.code == 407 {
		name, answer = "proxy-authenticate", "Proxy-Authorization"
	}
	best := map[string]string(nil)
	bestAlg := Algorithm("")
	for _, f := range m.fields {
		if f.name != name {
			continue
		}
		p, ok := digestParams(f.value)
		if !ok || p["nonce"] == "" {
			continue
		}
		alg := MD5
		switch strings.ToUpper(p["algorithm"]) {
		case "", "MD5":
		case "SHA-256":
			alg = SHA256
		default:
			continue
		}
		if q := p["qop"]; q != "" && !containsToken(q, "auth") {
			continue
		}
		if best == nil || bestAlg == MD5 && alg == SHA256 {
			best, bestAlg = p, alg
		}
	}
	if best == nil {
		return Header{}, fmt.Errorf("sip: the peer asks for credentials in a way we do not speak: %.200q", m.get(name))
	}
	ha1 := c.HA1[bestAlg]
	if ha1 == "" {
		ha1 = HA1(bestAlg, c.User, best["realm"], c.Password)
	}
	return Header{answer, authorization(best, bestAlg, ha1, c.User, method, uri)}, nil
}

func authorization(p map[string]string, alg Algorithm, ha1, user, method, uri string) string {
	var b strings.Builder
	quoted := func(k, v string) {
		b.WriteString(k)
		b.WriteString(`="`)
		b.WriteString(strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(clean(v)))
		b.WriteString(`", `)
	}
	b.WriteString("Digest ")
	quoted("username", user)
	quoted("realm", p["realm"])
	quoted("nonce", p["nonce"])
	quoted("uri", uri)
	qop, nc, cnonce := "", "", ""
	if p["qop"] != "" {
		qop, nc, cnonce = "auth", "00000001", token(8)
		b.WriteString("qop=auth, nc=" + nc + ", ")
		quoted("cnonce", cnonce)
	}
	quoted("response", digestResponse(alg, ha1, p["nonce"], nc, cnonce, qop, method, uri))
	if o, ok := p["opaque"]; ok {
		quoted("opaque", o)
	}
	b.WriteString("algorithm=" + string(alg))
	return b.String()
}

// proof is an Authorization header from outside, read.
type proof struct {
	user, realm, nonce, uri, response, cnonce, qop string
	nc                                             uint32
	ncText                                         string
	alg                                            Algorithm
}

// readProof finds the Authorization (or Proxy-Authorization) for our realm.
func readProof(m *message, name, realm string) (proof, bool) {
	for _, f := range m.fields {
		if f.name != name {
			continue
		}
		p, ok := digestParams(f.value)
		if !ok || p["realm"] != realm {
			continue
		}
		out := proof{
			user: p["username"], realm: realm, nonce: p["nonce"], uri: p["uri"], response: strings.ToLower(p["response"]),
			cnonce: p["cnonce"], qop: p["qop"], ncText: p["nc"], alg: MD5,
		}
		if a := p["algorithm"]; a != "" {
			out.alg = Algorithm(strings.ToUpper(a))
		}
		if out.alg != MD5 && out.alg != SHA256 {
			continue
		}
		if out.qop != "" {
			n, err := strconv.ParseUint(out.ncText, 16, 32)
			if err != nil || out.qop != "auth" || out.cnonce == "" || len(out.ncText) != 8 {
				continue
			}
			out.nc = uint32(n)
		}
		return out, out.user != "" && out.nonce != ""
	}
	return proof{}, false
}

// valid compares in constant time.
func (p *proof) valid(ha1, method string) bool {
	want := digestResponse(p.alg, ha1, p.nonce, p.ncText, p.cnonce, p.qop, method, p.uri)
	return subtle.ConstantTimeCompare([]byte(want), []byte(p.response)) == 1
}
