package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/kapok-hotline/kapok/test/house"
	"github.com/kapok-hotline/kapok/test/ua"
)

// tally counts what everybody did, by verb, in the order in which the verbs were named.
type tally struct {
	mu    sync.Mutex
	order []string
	verbs map[string]*verb
}

// verb is one thing people do: how often it was begun and done, and why it was not.
type verb struct {
	share string // of the mix, as planned
	tried int
	done  int
	why   map[string]int
}

func newTally() *tally { return &tally{verbs: map[string]*verb{}} }

// name enters a verb of the mix; each has to have been done at the end.
func (t *tally) name(what, share string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.verbs[what] == nil {
		t.order = append(t.order, what)
		t.verbs[what] = &verb{share: share, why: map[string]int{}}
	}
}

// note counts one try; why is empty when it was done.
func (t *tally) note(what, why string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	v := t.verbs[what]
	v.tried++
	if why == "" {
		v.done++
		return
	}
	v.why[why]++
}

// tried counts one try by its error.
func (t *tally) tried(what string, err error) { t.note(what, reason(err)) }

// reason is an error in a word or two: the code of a refusal, the status of a call.
func reason(err error) string {
	if err == nil {
		return ""
	}
	if p, ok := errors.AsType[*house.Problem](err); ok {
		if p.Code == "" {
			return fmt.Sprintf("http %d", p.Status)
		}
		return p.Code
	}
	if r, ok := errors.AsType[*ua.Refused](err); ok {
		return fmt.Sprintf("sip %d", r.Code)
	}
	switch text := err.Error(); {
	case strings.Contains(text, "connection refused"), strings.Contains(text, "connection reset"), strings.Contains(text, "EOF"):
		return "the house was down"
	case strings.Contains(text, "deadline exceeded"), errors.Is(err, ua.ErrSilence):
		return "no answer"
	case strings.Contains(text, "context canceled"):
		return "the run was over"
	default:
		return text[:min(len(text), 60)]
	}
}

// print writes the table: what was planned, tried and done, and each reason why not.
func (t *tally) print(w io.Writer) {
	t.mu.Lock()
	defer t.mu.Unlock()
	fmt.Fprintf(w, "%-30s %-16s %7s %7s  %s\n", "verb", "share", "tried", "done", "why not")
	for _, what := range t.order {
		v := t.verbs[what]
		var why []string
		for _, k := range slices.SortedFunc(maps.Keys(v.why), func(a, b string) int { return v.why[b] - v.why[a] }) {
			why = append(why, fmt.Sprintf("%s %d", k, v.why[k]))
		}
		fmt.Fprintf(w, "%-30s %-16s %7d %7d  %s\n", what, v.share, v.tried, v.done, strings.Join(why, ", "))
	}
}

// idle names the verbs that were never done.
func (t *tally) idle() (out []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, what := range t.order {
		if t.verbs[what].done == 0 {
			out = append(out, what)
		}
	}
	return out
}
