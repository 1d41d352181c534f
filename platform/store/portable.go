package store

import (
	"strconv"
	"strings"
)

// numbered rewrites `?` to `$1`, `$2` … for PostgreSQL, leaving literals ('…'), quoted names ("…") and comments
// (-- … and /* … */) alone.
func numbered(text string) string {
	if !strings.Contains(text, "?") {
		return text
	}
	var out strings.Builder
	out.Grow(len(text) + 16)
	n := 0
	for i := 0; i < len(text); {
		if end := opaque(text, i); end > i {
			out.WriteString(text[i:end])
			i = end
			continue
		}
		if text[i] == '?' {
			n++
			out.WriteByte('$')
			out.WriteString(strconv.Itoa(n))
		} else {
			out.WriteByte(text[i])
		}
		i++
	}
	return out.String()
}

// opaque gives the end of the literal, quoted name or comment that starts at i, or i when none does. One that
// never ends reaches to the end of the text; the database will say so.
func opaque(text string, i int) int {
	var close string
	from := i + 1
	switch {
	case text[i] == '\'' || text[i] == '"': // a doubled quote inside reads as two literals, to the same effect
		close = text[i : i+1]
	case strings.HasPrefix(text[i:], "--"):
		close = "\n"
	case strings.HasPrefix(text[i:], "/*"):
		close, from = "*/", i+2
	default:
		return i
	}
	if from > len(text) {
		return len(text)
	}
	if at := strings.Index(text[from:], close); at >= 0 {
		return from + at + len(close)
	}
	return len(text)
}

// unlocked takes a closing FOR UPDATE [SKIP LOCKED] off for SQLite, whose transactions write one by one.
func unlocked(text string) string {
	if !strings.Contains(text, "FOR UPDATE") {
		return text
	}
	cut := strings.TrimRight(text, " \t\n;")
	cut = strings.TrimSpace(strings.TrimSuffix(cut, "SKIP LOCKED"))
	if bare, ok := strings.CutSuffix(cut, "FOR UPDATE"); ok {
		return bare
	}
	return text
}
