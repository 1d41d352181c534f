package web

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
)

//go:embed texts/*.json texts/platform/*.json
var textFiles embed.FS

// Languages are those every text must exist in.
var languages = [...]string{"zh", "en"}

// Languages lists the languages every text must exist in, the default first.
func Languages() []string { return slices.Clone(languages[:]) }

// Texts holds the sentences by language and key (`fault.<code>`, `<module>.<page>.<key>`). Placeholders are
// {name}. It may be read while modules add theirs.
type Texts struct {
	mu sync.RWMutex
	by map[string]map[string]string
}

// NewTexts gives an empty collection.
func NewTexts() *Texts { return &Texts{by: map[string]map[string]string{}} }

// OwnTexts gives the sentences this package brings: for its own faults, and for those of the platform's parts
// that do not speak to people themselves (store, bus, ledger, audit). Every Server has them already.
func OwnTexts() []fs.FS {
	var out []fs.FS
	for _, name := range []string{"texts", "texts/platform"} {
		sub, err := fs.Sub(textFiles, name)
		if err != nil {
			panic("web: own texts: " + err.Error()) // embedded at build time
		}
		out = append(out, sub)
	}
	return out
}

func ownTexts() *Texts {
	t := NewTexts()
	for _, sub := range OwnTexts() {
		if err := t.Add(sub); err != nil {
			panic("web: own texts: " + err.Error()) // embedded at build time: a mistake of ours, found by any test
		}
	}
	return t
}

// Add reads zh.json and en.json at the root of fsys: flat objects of key to sentence. A key that exists already
// with another sentence is an error, so that modules cannot shadow each other.
func (t *Texts) Add(fsys fs.FS) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, lang := range languages {
		name := lang + ".json"
		b, err := fs.ReadFile(fsys, name)
		if err != nil {
			return fmt.Errorf("texts: %w", err)
		}
		var m map[string]string
		if err := json.Unmarshal(b, &m); err != nil {
			return fmt.Errorf("texts: %s is no flat object of strings: %w", name, err)
		}
		if t.by[lang] == nil {
			t.by[lang] = map[string]string{}
		}
		for k, v := range m {
			if old, ok := t.by[lang][k]; ok && old != v {
				return fmt.Errorf("texts: %s: %q is there already with another sentence", name, k)
			}
			t.by[lang][k] = v
		}
	}
	return nil
}

// Say gives the sentence for key in the language, with {name} replaced from params. A key without a sentence
// gives the key itself without "fault.", so that the reader has at least the code; a test finds it.
func (t *Texts) Say(lang, key string, params map[string]any) string {
	t.mu.RLock()
	text, ok := t.by[lang][key]
	if !ok {
		text, ok = t.by[languages[0]][key]
	}
	t.mu.RUnlock()
	if !ok {
		return strings.TrimPrefix(key, "fault.")
	}
	return fillIn(text, params)
}

// Has reports whether the language has the key.
func (t *Texts) Has(lang, key string) bool {
	t.mu.RLock()
	defer t.mu.RUnlock()
	_, ok := t.by[lang][key]
	return ok
}

// Keys lists the language's keys in order.
func (t *Texts) Keys(lang string) []string {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return slices.Sorted(maps.Keys(t.by[lang]))
}

// fillIn replaces {name} by the parameter of that name; an unknown name stays as it is.
func fillIn(text string, params map[string]any) string {
	if len(params) == 0 || !strings.Contains(text, "{") {
		return text
	}
	var out strings.Builder
	for {
		before, rest, ok := strings.Cut(text, "{")
		out.WriteString(before)
		if !ok {
			return out.String()
		}
		name, after, ok := strings.Cut(rest, "}")
		v, known := params[name]
		if !ok || !known {
			out.WriteByte('{')
			text = rest
			continue
		}
		fmt.Fprint(&out, v)
		text = after
	}
}

// language picks zh or en from an Accept-Language header (RFC 9110 §12.5.4); zh when neither is named.
func language(header string) string {
	best, bestQ := languages[0], -1.0
	for i, part := range strings.Split(header, ",") {
		if i == 16 {
			break
		}
		name, weight, _ := strings.Cut(strings.TrimSpace(part), ";")
		name, _, _ = strings.Cut(strings.ToLower(name), "-")
		if !slices.Contains(languages[:], name) {
			continue
		}
		q := 1.0
		if v, ok := strings.CutPrefix(strings.TrimSpace(weight), "q="); ok {
			if f, err := strconv.ParseFloat(v, 64); err == nil {
				q = f
			}
		}
		if q > bestQ {
			best, bestQ = name, q
		}
	}
	return best
}
