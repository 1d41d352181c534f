package wire

import (
	"fmt"
	"strconv"
	"strings"

	gosip "github.com/emiago/sipgo/sip"
)

// URI is a sip:, sips: or tel: address (RFC 3261 §19.1, RFC 3966). Params holds the URI parameters as written,
// without the leading semicolon; for tel: the number is in User and Host is empty.
type URI struct {
	Scheme string
	User   string
	Host   string
	Port   int
	Params string
}

// ParseURI reads a URI as it stands in a request line or between angle brackets.
// An unknown scheme is not an error: Scheme then names it and User holds the rest.
func ParseURI(s string) (URI, error) {
	if len(s) == 0 || len(s) > maxValue {
		return URI{}, fmt.Errorf("sip: empty or overlong URI (%d bytes)", len(s))
	}
	if strings.ContainsAny(s, " \t\r\n<>\"\x00") || s == "*" {
		return URI{}, fmt.Errorf("sip: URI %.80q holds characters that no URI may hold", s)
	}
	if scheme, rest, ok := strings.Cut(s, ":"); !ok || rest == "" || !isScheme(scheme) {
		return URI{}, fmt.Errorf("sip: URI %.80q has no scheme", s)
	}
	var u gosip.Uri
	if err := gosip.ParseUri(s, &u); err != nil {
		return URI{}, fmt.Errorf("sip: URI %.80q: %w", s, err)
	}
	if (u.Scheme == "sip" || u.Scheme == "sips") && (u.Host == "" || u.Port > 65535) {
		return URI{}, fmt.Errorf("sip: URI %.80q has no usable host and port", s)
	}
	out := fromLibrary(&u)
	if out.Host == "" && out.User == "" {
		return URI{}, fmt.Errorf("sip: URI %.80q names nothing", s)
	}
	return out, nil
}

// isScheme is the scheme rule of RFC 3986 §3.1.
func isScheme(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i] | 0x20
		if c >= 'a' && c <= 'z' || i > 0 && (s[i] >= '0' && s[i] <= '9' || strings.IndexByte("+-.", s[i]) >= 0) {
			continue
		}
		return false
	}
	return s != ""
}

func fromLibrary(u *gosip.Uri) URI {
	if raw := u.Raw(); raw != "" {
		number, params, _ := strings.Cut(raw, ";")
		return URI{Scheme: u.Scheme, User: number, Params: params}
	}
	out := URI{Scheme: u.Scheme, User: u.User, Host: u.Host, Port: u.Port}
	if out.Scheme == "" {
		out.Scheme = "sip"
	}
	if len(u.UriParams) > 0 {
		out.Params = u.UriParams.ToString(';')
	}
	return out
}

// String gives the URI in its written form, without characters that could end a header line.
func (u URI) String() string {
	var b strings.Builder
	u.write(&b)
	return b.String()
}

func (u URI) write(b *strings.Builder) {
	scheme := u.Scheme
	if scheme == "" {
		scheme = "sip"
	}
	b.WriteString(Clean(scheme))
	b.WriteByte(':')
	b.WriteString(Clean(u.User))
	if u.Host != "" {
		if u.User != "" {
			b.WriteByte('@')
		}
		b.WriteString(HostText(Clean(u.Host)))
		if u.Port > 0 {
			b.WriteByte(':')
			b.WriteString(strconv.Itoa(u.Port))
		}
	}
	if u.Params != "" {
		b.WriteByte(';')
		b.WriteString(Clean(u.Params))
	}
}

// HostText puts an IPv6 literal in brackets.
func HostText(h string) string {
	if strings.Contains(h, ":") && !strings.HasPrefix(h, "[") {
		return "[" + h + "]"
	}
	return h
}

// Param gives the value of a URI parameter; ok is true for a flag without a value too.
func (u URI) Param(name string) (value string, ok bool) { return Param(u.Params, name) }

// Param finds name in "a=b;c;d=e"; names compare without case, quotes around a value are taken off.
func Param(params, name string) (string, bool) {
	for params != "" {
		var one string
		one, params = cutParam(params)
		k, v, _ := strings.Cut(one, "=")
		if strings.EqualFold(strings.TrimSpace(k), name) {
			return unquote(strings.TrimSpace(v)), true
		}
	}
	return "", false
}

// cutParam cuts the first parameter off, leaving semicolons inside quotes alone.
func cutParam(s string) (first, rest string) {
	quoted := false
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && quoted:
			i++
		case s[i] == '"':
			quoted = !quoted
		case s[i] == ';' && !quoted:
			return s[:i], s[i+1:]
		}
	}
	return s, ""
}

func unquote(s string) string {
	if len(s) < 2 || s[0] != '"' || s[len(s)-1] != '"' {
		return s
	}
	s = s[1 : len(s)-1]
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// Address is a name-addr with its header parameters (From, To, Contact, P-Asserted-Identity; RFC 3261 §20.10).
type Address struct {
	Display string
	URI     URI
	Params  string
}

// ParseAddress reads one address; a list must be split first (splitList).
func ParseAddress(s string) (Address, error) {
	s = strings.TrimSpace(s)
	if len(s) == 0 || len(s) > maxValue {
		return Address{}, fmt.Errorf("sip: empty or overlong address (%d bytes)", len(s))
	}
	var (
		a   Address
		raw string
	)
	if open := openBracket(s); open >= 0 {
		end := strings.IndexByte(s[open:], '>')
		if end < 0 {
			return Address{}, fmt.Errorf("sip: address %.80q has no closing >", s)
		}
		a.Display = unquote(strings.TrimSpace(s[:open]))
		raw = s[open+1 : open+end]
		rest := strings.TrimSpace(s[open+end+1:])
		if rest != "" && rest[0] != ';' {
			return Address{}, fmt.Errorf("sip: address %.80q has text behind >", s)
		}
		a.Params = strings.TrimPrefix(rest, ";")
	} else {
		raw, a.Params, _ = strings.Cut(s, ";")
		raw = strings.TrimSpace(raw)
		if strings.ContainsAny(raw, "?,") { // RFC 3261 §20.10: such a URI must stand in brackets
			return Address{}, fmt.Errorf("sip: address %.80q needs brackets", s)
		}
	}
	if raw != strings.TrimSpace(raw) {
		return Address{}, fmt.Errorf("sip: address %.80q is not well formed", s)
	}
	u, err := ParseURI(raw)
	a.URI = u
	return a, err
}

// openBracket finds the < of a name-addr outside a quoted display name, or -1.
func openBracket(s string) int {
	quoted := false
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && quoted:
			i++
		case s[i] == '"':
			quoted = !quoted
		case s[i] == '<' && !quoted:
			return i
		}
	}
	return -1
}

// Tag gives the tag parameter.
func (a Address) Tag() string {
	t, _ := Param(a.Params, "tag")
	return t
}

// String gives the address in its written form, display name quoted.
func (a Address) String() string {
	var b strings.Builder
	if a.Display != "" {
		b.WriteByte('"')
		for _, c := range []byte(Clean(a.Display)) {
			if c == '"' || c == '\\' {
				b.WriteByte('\\')
			}
			b.WriteByte(c)
		}
		b.WriteString(`" `)
	}
	b.WriteByte('<')
	a.URI.write(&b)
	b.WriteByte('>')
	if a.Params != "" {
		b.WriteByte(';')
		b.WriteString(Clean(a.Params))
	}
	return b.String()
}

// SplitList splits a comma-separated header value outside quotes and angle brackets.
func SplitList(s string) []string {
	var out []string
	quoted, angle, start := false, false, 0
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && quoted:
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '<':
			angle = true
		case c == '>':
			angle = false
		case c == ',' && !angle:
			if v := strings.TrimSpace(s[start:i]); v != "" {
				out = append(out, v)
			}
			start = i + 1
		}
	}
	if v := strings.TrimSpace(s[min(start, len(s)):]); v != "" {
		out = append(out, v)
	}
	return out
}

// Clean drops the bytes that could end a header line (RFC 3261 §25.1): CR, LF and NUL.
func Clean(s string) string {
	if !strings.ContainsAny(s, "\r\n\x00") {
		return s
	}
	return strings.Map(func(r rune) rune {
		if r == '\r' || r == '\n' || r == 0 {
			return -1
		}
		return r
	}, s)
}

// StripTag takes the tag parameter off a From or To value.
func StripTag(v string) string {
	at := 0
	if i := openBracket(v); i >= 0 {
		if j := strings.IndexByte(v[i:], '>'); j >= 0 {
			at = i + j + 1
		}
	} else if i := strings.IndexByte(v, ';'); i >= 0 {
		at = i
	} else {
		return v
	}
	out := v[:at]
	params := strings.TrimPrefix(strings.TrimSpace(v[at:]), ";")
	for params != "" {
		var one string
		one, params = cutParam(params)
		if name, _, _ := strings.Cut(one, "="); !strings.EqualFold(strings.TrimSpace(name), "tag") && one != "" {
			out += ";" + one
		}
	}
	return out
}
