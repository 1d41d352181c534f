package callers

import (
	"crypto/md5" //nolint:gosec // RFC 2617 asks for it
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"strings"
)

// authorize answers a challenge of WWW-Authenticate (RFC 7616) with SHA-256 when it is offered, else MD5.
func authorize(challenges []string, user, password, method, uri, cnonce string) (string, bool) {
	best := map[string]string(nil)
	for _, c := range challenges {
		p := challenge(c)
		algorithm := strings.ToUpper(p["algorithm"])
		if p["nonce"] == "" || algorithm != "" && algorithm != "MD5" && algorithm != "SHA-256" {
			continue
		}
		if best == nil || algorithm == "SHA-256" {
			best = p
		}
	}
	if best == nil {
		return "", false
	}
	sum := func(parts ...string) string {
		var h hash.Hash = md5.New() //nolint:gosec // see above
		if strings.EqualFold(best["algorithm"], "SHA-256") {
			h = sha256.New()
		}
		h.Write([]byte(strings.Join(parts, ":")))
		return hex.EncodeToString(h.Sum(nil))
	}
	ha1, ha2 := sum(user, best["realm"], password), sum(method, uri)
	out := fmt.Sprintf(`Digest username="%s", realm="%s", nonce="%s", uri="%s"`, user, best["realm"], best["nonce"], uri)
	if strings.Contains(best["qop"], "auth") {
		const nc = "00000001"
		out += fmt.Sprintf(`, qop=auth, nc=%s, cnonce="%s", response="%s"`, nc, cnonce, sum(ha1, best["nonce"], nc, cnonce, "auth", ha2))
	} else {
		out += fmt.Sprintf(`, response="%s"`, sum(ha1, best["nonce"], ha2))
	}
	if a := best["algorithm"]; a != "" {
		out += ", algorithm=" + a
	}
	if o := best["opaque"]; o != "" {
		out += fmt.Sprintf(`, opaque="%s"`, o)
	}
	return out, true
}

// challenge reads the parameters of a challenge.
func challenge(value string) map[string]string {
	_, rest, _ := strings.Cut(value, " ")
	out := map[string]string{}
	for len(rest) > 0 && len(out) < 20 {
		name, after, ok := strings.Cut(rest, "=")
		if !ok {
			break
		}
		name = strings.ToLower(strings.Trim(name, " ,\t"))
		if strings.HasPrefix(after, `"`) {
			v, left, _ := strings.Cut(after[1:], `"`)
			out[name], rest = v, left
			continue
		}
		v, left, _ := strings.Cut(after, ",")
		out[name], rest = strings.TrimSpace(v), left
	}
	return out
}
