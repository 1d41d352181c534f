package section

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// reader gives a tree its types by a schema, collecting every problem on the way.
type reader struct{ problems []Problem }

func (r *reader) refuse(t *tree, path, code string, params ...any) any {
	p := problem(path, code, params...)
	p.Line = t.line
	r.problems = append(r.problems, p)
	return nil
}

// value reads what the schema says; nil after a problem. Missing values (null) become nil too.
func (r *reader) value(s *Schema, t *tree, path string) any {
	if t == nil || t.kind == null {
		return nil
	}
	switch s.Type {
	case "":
		return anything(t)
	case "object":
		if t.kind != mapping {
			return r.refuse(t, path, "value.type", "want", "object")
		}
		if s.Values != nil {
			return r.values(s, t, path)
		}
		return r.object(s, t, path)
	case "array":
		if t.kind != list {
			return r.refuse(t, path, "value.type", "want", "array")
		}
		if s.MaxItems > 0 && len(t.items) > s.MaxItems {
			return r.refuse(t, path, "value.items", "most", s.MaxItems)
		}
		out := make([]any, 0, len(t.items))
		for i, item := range t.items {
			out = append(out, r.value(s.Items, item, path+"["+strconv.Itoa(i)+"]"))
		}
		return out
	}
	if t.kind != scalar {
		return r.refuse(t, path, "value.type", "want", s.Type)
	}
	return r.scalar(s, t, path)
}

func (r *reader) object(s *Schema, t *tree, path string) any {
	out := map[string]any{}
	for _, e := range t.keys {
		p := s.Properties[e.name]
		if p == nil {
			at := &tree{line: e.line}
			if near := Nearest(e.name, s.Order); near != "" {
				r.refuse(at, join(path, e.name), "key.near", "key", e.name, "near", near)
			} else {
				r.refuse(at, join(path, e.name), "key.unknown", "key", e.name, "keys", strings.Join(s.Order, ", "))
			}
			continue
		}
		if v := r.value(p, e.value, join(path, e.name)); v != nil {
			out[e.name] = v
		}
	}
	for _, name := range s.Order {
		if given := t.get(name); given != nil && given.kind != null {
			continue
		}
		if d := s.Properties[name].Default; d != nil {
			out[name] = d
		} else if slices.Contains(s.Required, name) {
			r.refuse(t, join(path, name), "value.missing", "field", name)
		}
	}
	return out
}

func (r *reader) values(s *Schema, t *tree, path string) any {
	out := map[string]any{}
	for _, e := range t.keys {
		if v := r.value(s.Values, e.value, join(path, e.name)); v != nil {
			out[e.name] = v
		}
	}
	return out
}

func (r *reader) scalar(s *Schema, t *tree, path string) any {
	switch s.Type {
	case "boolean":
		switch t.text {
		case "true":
			return true
		case "false":
			return false
		}
		return r.refuse(t, path, "value.type", "want", "boolean")
	case "integer", "number":
		f, err := strconv.ParseFloat(t.text, 64)
		if t.quoted && t.line == 0 || err != nil || math.IsNaN(f) || math.IsInf(f, 0) || !json.Valid([]byte(t.text)) {
			return r.refuse(t, path, "value.type", "want", s.Type)
		}
		if s.probe != nil && s.probe(t.text) != nil {
			return r.refuse(t, path, "value.type", "want", s.Type)
		}
		if s.Minimum != nil && f < *s.Minimum || s.Maximum != nil && f > *s.Maximum {
			return r.refuse(t, path, "value.range", "least", bound(s.Minimum), "most", bound(s.Maximum))
		}
		return json.Number(t.text)
	}
	return r.text(s, t, path)
}

func (r *reader) text(s *Schema, t *tree, path string) any {
	n := utf8.RuneCountInString(t.text)
	switch {
	case s.MinLength > 0 && n < s.MinLength:
		return r.refuse(t, path, "value.short", "least", s.MinLength)
	case s.MaxLength > 0 && n > s.MaxLength:
		return r.refuse(t, path, "value.long", "most", s.MaxLength)
	case len(s.Enum) > 0 && !slices.Contains(s.Enum, t.text):
		return r.refuse(t, path, "value.enum", "value", t.text, "values", strings.Join(s.Enum, ", "))
	case !s.matches(t.text):
		return r.refuse(t, path, "value.pattern", "value", t.text, "pattern", s.Pattern)
	}
	if s.probe != nil && t.text != "" {
		if err := s.probe(t.text); err != nil {
			return r.refuse(t, path, "value.text", "value", t.text, "reason", err.Error())
		}
	}
	if s.codec && t.text == "" {
		return nil
	}
	return t.text
}

func bound(f *float64) string {
	if f == nil {
		return "∞"
	}
	return strconv.FormatFloat(*f, 'f', -1, 64)
}

// anything keeps a value without a schema as JSON would.
func anything(t *tree) any {
	switch t.kind {
	case list:
		out := make([]any, 0, len(t.items))
		for _, i := range t.items {
			out = append(out, anything(i))
		}
		return out
	case mapping:
		out := map[string]any{}
		for _, e := range t.keys {
			out[e.name] = anything(e.value)
		}
		return out
	case scalar:
		switch {
		case t.quoted:
		case t.text == "true" || t.text == "false":
			return t.text == "true"
		case json.Valid([]byte(t.text)):
			return json.Number(t.text)
		}
		return t.text
	}
	return nil
}
