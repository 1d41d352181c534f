package flow

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// fill puts variables into {var}; a name that is not set becomes nothing, a brace without its partner stays.
// The result is at most MaxValue bytes.
func fill(text string, vars map[string]string) string {
	var b strings.Builder
	for text != "" && b.Len() <= MaxValue {
		from := strings.IndexByte(text, '{')
		if from < 0 {
			break
		}
		to := strings.IndexByte(text[from:], '}')
		if to < 0 {
			break
		}
		name := text[from+1 : from+to]
		b.WriteString(text[:from])
		if varName(name) {
			b.WriteString(vars[name])
		} else {
			b.WriteString(text[from : from+to+1])
		}
		text = text[from+to+1:]
	}
	b.WriteString(text)
	return cut(b.String(), MaxValue)
}

// cut shortens s to at most n bytes without breaking a character.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// plain brings what a person writes into one shape: no outer space, full-width forms as ASCII, lower case.
func plain(s string) string {
	return strings.ToLower(strings.TrimSpace(strings.Map(func(r rune) rune {
		switch {
		case r >= '！' && r <= '～':
			return r - '！' + '!'
		case r == '　':
			return ' '
		}
		return r
	}, s)))
}

// holds tells whether the case is true of the variables.
func (c Case) holds(vars map[string]string) bool {
	v := vars[c.Var]
	switch c.Op {
	case Not:
		return !slices.Contains(c.Values, v)
	case Empty:
		return v == ""
	case Prefix:
		return slices.ContainsFunc(c.Values, func(p string) bool { return strings.HasPrefix(v, p) })
	case Above, Below:
		if len(c.Values) != 1 {
			return false
		}
		a, errA := strconv.ParseFloat(v, 64)
		b, errB := strconv.ParseFloat(c.Values[0], 64)
		return errA == nil && errB == nil && (c.Op == Above && a > b || c.Op == Below && a < b)
	}
	return slices.Contains(c.Values, v)
}

// digitsOnly keeps the keys of a telephone in s, at most 32.
func digitsOnly(s string) string {
	var b strings.Builder
	for i := 0; i < len(s) && b.Len() < 32; i++ {
		if strings.IndexByte("0123456789*#", s[i]) >= 0 {
			b.WriteByte(s[i])
		}
	}
	return b.String()
}
