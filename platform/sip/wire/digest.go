package wire

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
	for _, p := range SplitList(rest) {
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

// Challenged says whether the response asks for credentials.
func Challenged(m *Head) bool { return m.Code == 401 || m.Code == 407 }

// AnswerChallenge makes the header that answers a 401 or 407; the strongest algorithm offered wins.
// nc is the count of uses of this nonce (1 for a fresh challenge).
func (c *Credentials) AnswerChallenge(m *Head, method, uri string) (Header, error) {
	name, answer := "www-authenticate", "Authorization"
	if m.Code == 407 {
		name, answer = "proxy-authenticate", "Proxy-Authorization"
	}
	best := map[string]string(nil)
	bestAlg := Algorithm("")
	for _, f := range m.Fields {
		if f.Name != name {
			continue
		}
		p, ok := digestParams(f.Value)
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
		if q := p["qop"]; q != "" && !ContainsToken(q, "auth") {
			continue
		}
		if best == nil || bestAlg == MD5 && alg == SHA256 {
			best, bestAlg = p, alg
		}
	}
	if best == nil {
		return Header{}, fmt.Errorf("sip: the peer asks for credentials in a way we do not speak: %.200q", m.Get(name))
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
		b.WriteString(strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(Clean(v)))
		b.WriteString(`", `)
	}
	b.WriteString("Digest ")
	quoted("username", user)
	quoted("realm", p["realm"])
	quoted("nonce", p["nonce"])
	quoted("uri", uri)
	qop, nc, cnonce := "", "", ""
	if p["qop"] != "" {
		qop, nc, cnonce = "auth", "00000001", Token(8)
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

// Proof is an Authorization header from outside, read.
type Proof struct {
	User, Realm, Nonce, uri, response, cnonce, qop string
	NC                                             uint32
	ncText                                         string
	Alg                                            Algorithm
}

// ReadProof finds the Authorization (or Proxy-Authorization) for our realm.
func ReadProof(m *Head, name, realm string) (Proof, bool) {
	for _, f := range m.Fields {
		if f.Name != name {
			continue
		}
		p, ok := digestParams(f.Value)
		if !ok || p["realm"] != realm {
			continue
		}
		out := Proof{
			User: p["username"], Realm: realm, Nonce: p["nonce"], uri: p["uri"], response: strings.ToLower(p["response"]),
			cnonce: p["cnonce"], qop: p["qop"], ncText: p["nc"], Alg: MD5,
		}
		if a := p["algorithm"]; a != "" {
			out.Alg = Algorithm(strings.ToUpper(a))
		}
		if out.Alg != MD5 && out.Alg != SHA256 {
			continue
		}
		if out.qop != "" {
			n, err := strconv.ParseUint(out.ncText, 16, 32)
			if err != nil || out.qop != "auth" || out.cnonce == "" || len(out.ncText) != 8 {
				continue
			}
			out.NC = uint32(n)
		}
		return out, out.User != "" && out.Nonce != ""
	}
	return Proof{}, false
}

// Valid compares in constant time.
func (p *Proof) Valid(ha1, method string) bool {
	want := digestResponse(p.Alg, ha1, p.Nonce, p.ncText, p.cnonce, p.qop, method, p.uri)
	return subtle.ConstantTimeCompare([]byte(want), []byte(p.response)) == 1
}
