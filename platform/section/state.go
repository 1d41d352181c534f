package section

import (
	"context"
	"slices"
	"strconv"

	"github.com/kapok-hotline/kapok/platform/store"
)

// state is what the configuration holds, or will hold: a Lookup.
type state struct {
	sections map[string]*holding
}

type holding struct {
	codes []string // in the order they were loaded, new ones last
	items map[string]item
}

// load reads all sections as they stand in the transaction.
func (b *Book) load(ctx context.Context, tx *store.Tx) (*state, error) {
	st := &state{sections: map[string]*holding{}}
	for _, s := range b.sections {
		list, err := s.load(ctx, tx)
		if err != nil {
			return nil, err
		}
		h := &holding{items: map[string]item{}}
		for _, it := range list {
			h.put(it)
		}
		st.sections[s.key] = h
	}
	return st, nil
}

func (h *holding) put(it item) {
	if _, there := h.items[it.code]; !there {
		h.codes = append(h.codes, it.code)
	}
	h.items[it.code] = it
}

func (h *holding) drop(code string) {
	delete(h.items, code)
	h.codes = slices.DeleteFunc(h.codes, func(c string) bool { return c == code })
}

func (st *state) clone() *state {
	out := &state{sections: map[string]*holding{}}
	for key, h := range st.sections {
		c := &holding{codes: slices.Clone(h.codes), items: make(map[string]item, len(h.items))}
		for code, it := range h.items {
			c.items[code] = it
		}
		out.sections[key] = c
	}
	return out
}

// Has is Lookup's.
func (st *state) Has(section, code string) bool {
	_, ok := st.Item(section, code)
	return ok
}

// Codes is Lookup's.
func (st *state) Codes(section string) []string {
	h := st.sections[section]
	if h == nil {
		return nil
	}
	return slices.Sorted(slices.Values(h.codes))
}

// Item is Lookup's.
func (st *state) Item(section, code string) (any, bool) {
	if h := st.sections[section]; h != nil {
		it, ok := h.items[code]
		return it.value, ok
	}
	return nil, false
}

// Need is Lookup's.
func (st *state) Need(path, section, code string) []Problem {
	if code == "" || st.sections[section] == nil || st.Has(section, code) {
		return nil
	}
	if near := Nearest(code, st.Codes(section)); near != "" {
		return []Problem{problem(path, "ref.near", "section", section, "name", code, "near", near)}
	}
	return []Problem{problem(path, "ref.unknown", "section", section, "name", code)}
}

// problems checks every item against all others: what the sections' own checks say, and the names that refer
// to other sections. Paths are whole.
func (b *Book) check(st *state) []Problem {
	var out []Problem
	for _, s := range b.sections {
		for _, code := range st.sections[s.key].codes {
			it := st.sections[s.key].items[code]
			var list []Problem
			if s.schema.refers() {
				if t, err := fromJSON(it.body); err == nil {
					list = refs(s.schema, t, "", st)
				}
			}
			if s.check != nil {
				list = append(list, s.check(st, it)...)
			}
			for _, p := range list {
				p.Path = join(s.path(code), p.Path)
				out = append(out, p)
			}
		}
	}
	return out
}

// refers tells whether any field holds codes of another section.
func (s *Schema) refers() bool {
	if s == nil {
		return false
	}
	if s.Ref != "" || s.Items.refers() || s.Values.refers() {
		return true
	}
	for _, p := range s.Properties {
		if p.refers() {
			return true
		}
	}
	return false
}

func refs(s *Schema, t *tree, path string, st *state) []Problem {
	if s == nil || t == nil {
		return nil
	}
	var out []Problem
	switch {
	case t.kind == scalar && s.Ref != "":
		return st.Need(path, s.Ref, t.text)
	case t.kind == list:
		for i, item := range t.items {
			out = append(out, refs(s.Items, item, path+"["+strconv.Itoa(i)+"]", st)...)
		}
	case t.kind == mapping:
		for _, e := range t.keys {
			if s.Values != nil {
				if s.Ref != "" { // of a map: its keys are the codes
					out = append(out, st.Need(join(path, e.name), s.Ref, e.name)...)
				}
				out = append(out, refs(s.Values, e.value, join(path, e.name), st)...)
			} else {
				out = append(out, refs(s.Properties[e.name], e.value, join(path, e.name), st)...)
			}
		}
	}
	return out
}
