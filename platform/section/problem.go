package section

import (
	"fmt"
	"strings"
)

// Problem is one thing wrong with a configuration. Path is within the item when a section's Check gives it
// (`needs[0].skill`) and whole when the Book hands it out (`queues[vat].needs[0].skill`). The sentence of Code is
// the text `fault.<code>` with Params filled in.
type Problem struct {
	Line   int            `json:"line,omitempty"` // of the file, from 1; the row of a table
	Path   string         `json:"path,omitempty"`
	Code   string         `json:"code"` // `section.value.range`, or the checking module's own
	Params map[string]any `json:"params,omitempty"`
	Text   string         `json:"text,omitempty"` // in the caller's language, filled by the API
}

// Complaint makes a problem at a path within the item; params come as name, value pairs.
func Complaint(path, code string, params ...any) Problem {
	p := Problem{Path: path, Code: code}
	for i := 0; i+1 < len(params); i += 2 {
		if p.Params == nil {
			p.Params = map[string]any{}
		}
		p.Params[fmt.Sprint(params[i])] = params[i+1]
	}
	return p
}

func problem(path, code string, params ...any) Problem {
	return Complaint(path, "section."+code, params...)
}

// String is for logs: "line 12: queues[vat].needs[0].skill: section.ref.near map[…]", with the sentence instead
// of the code where it is known.
func (p Problem) String() string {
	var b strings.Builder
	if p.Line > 0 {
		fmt.Fprintf(&b, "line %d: ", p.Line)
	}
	if p.Path != "" {
		b.WriteString(p.Path + ": ")
	}
	if p.Text != "" {
		b.WriteString(p.Text)
	} else {
		b.WriteString(p.Code)
		if len(p.Params) > 0 {
			fmt.Fprint(&b, " ", p.Params)
		}
	}
	return b.String()
}

// same tells two problems apart without their lines: to know which ones a change brought.
func (p Problem) same() string { return p.Path + "\x00" + p.Code + "\x00" + fmt.Sprint(p.Params) }

// join puts a step before a path.
func join(base, path string) string {
	switch {
	case base == "" || path == "":
		return base + path
	case path[0] == '[':
		return base + path
	}
	return base + "." + path
}

// Nearest gives the name of the list that s is likely a slip of: at most two letters off, or a third of them;
// "" when none is near.
func Nearest(s string, list []string) string {
	best, most := "", max(2, len([]rune(s))/3)+1
	if len(s) > 64 {
		return ""
	}
	for _, c := range list {
		if len(c) > 64 || c == "" {
			continue
		}
		if d := distance([]rune(strings.ToLower(s)), []rune(strings.ToLower(c))); d < most && d < len([]rune(c)) {
			best, most = c, d
		}
	}
	return best
}

// distance counts the letters to change, put in, leave out or swap with their neighbour (Damerau 1964, in the
// restricted form) to get from a to b.
func distance(a, b []rune) int {
	prev2, prev, cur := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		cur[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			cur[j] = min(prev[j]+1, cur[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				cur[j] = min(cur[j], prev2[j-2]+1)
			}
		}
		prev2, prev, cur = prev, cur, prev2
	}
	return prev[len(b)]
}
