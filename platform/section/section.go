package section

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"reflect"

	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/core/right"
	"github.com/kapok-hotline/kapok/platform/store"
)

// Spec declares a section of items of type T. Load and Put work on the module's own tables; T's json tags
// are the names in file, API and page, its other tags the rules (see Schema).
type Spec[T any] struct {
	Key     string      // "queues": name in the file and the API
	Order   int         // sections are put in rising order, dropped in falling order
	Right   right.Right // to change items
	See     right.Right // to see them; empty: Right
	Single  bool        // one item, a mapping instead of a list; its code is Key
	IDField string      // the field that names an item; empty: "code"

	ID    func(T) string  // the item's code; not asked of a Single section
	Site  func(T) id.Site // the site the item belongs to, for people whose rights end at a subtree; nil: none
	Plain func(T) bool    // an item just as shipped with the program: left out of the export; nil: none
	// Load gives every item without its secrets.
	Load func(ctx context.Context, tx *store.Tx) ([]T, error)
	// Put creates the item or replaces it whole; an empty secret keeps the one there is.
	Put func(ctx context.Context, tx *store.Tx, item T) error
	// Drop removes it; nil: items cannot be removed.
	Drop func(ctx context.Context, tx *store.Tx, code string) error
	// Check says what is wrong with the item among all others, beside what its tags say; nil: nothing.
	Check func(all Lookup, item T) []Problem
	// Secret reports whether the secrets given in item are those stored already; nil: a secret given is a change.
	Secret func(ctx context.Context, tx *store.Tx, item T) (same bool, err error)
}

// Lookup answers what the configuration will hold when the change is through.
type Lookup interface {
	// Has reports whether the section has an item of the code; false when there is no such section.
	Has(section, code string) bool
	// Codes lists the section's codes in order; nil when there is no such section.
	Codes(section string) []string
	// Item gives the item, of the section's own type T.
	Item(section, code string) (any, bool)
	// Need gives a problem with the nearest name when code is not empty and not in the section. Sections
	// that do not exist in this process are not asked.
	Need(path, section, code string) []Problem
}

// Section is a Spec without its type; make it with Of.
type Section struct {
	key, idField string
	order        int
	right, see   right.Right
	single       bool
	schema       *Schema

	load   func(ctx context.Context, tx *store.Tx) ([]item, error)
	decode func(body []byte) (item, error)
	put    func(ctx context.Context, tx *store.Tx, it item) error
	drop   func(ctx context.Context, tx *store.Tx, code string) error
	check  func(all Lookup, it item) []Problem
	secret func(ctx context.Context, tx *store.Tx, it item) (bool, error)
}

// item is one item in both forms.
type item struct {
	code  string
	site  id.Site
	plain bool
	value any    // T, with its secrets
	body  []byte // canonical JSON, without them
}

// Key gives the section's name.
func (s Section) Key() string { return s.key }

// Of makes a section of its Spec. It panics when the Spec is not usable: that is a mistake of the program.
func Of[T any](p Spec[T]) Section {
	if p.Key == "" || p.Load == nil || p.Put == nil || p.ID == nil && !p.Single || !p.Right.Valid() {
		panic(fmt.Sprintf("section %q: Key, Right, Load, Put and ID must be given", p.Key))
	}
	s := Section{
		key: p.Key, idField: p.IDField, order: p.Order, right: p.Right, see: p.See, single: p.Single,
		schema: schemaOf(reflect.TypeFor[T](), 0), put: put(p), drop: p.Drop,
	}
	if s.idField == "" {
		s.idField = "code"
	}
	if s.see == "" {
		s.see = s.right
	}
	secrets := s.schema.secrets()
	pack := func(v T) (item, error) {
		it := item{code: p.Key, value: v}
		if !p.Single {
			it.code = p.ID(v)
		}
		if p.Site != nil {
			it.site = p.Site(v)
		}
		it.plain = p.Plain != nil && p.Plain(v)
		body, err := json.Marshal(v)
		if err != nil {
			return it, fmt.Errorf("section %s, %s: %w", p.Key, it.code, err)
		}
		it.body, err = without(body, secrets)
		return it, err
	}
	s.load = func(ctx context.Context, tx *store.Tx) ([]item, error) {
		list, err := p.Load(ctx, tx)
		if err != nil {
			return nil, err
		}
		out := make([]item, 0, len(list))
		for _, v := range list {
			it, err := pack(v)
			if err != nil {
				return nil, err
			}
			out = append(out, it)
		}
		return out, nil
	}
	s.decode = func(body []byte) (item, error) {
		var v T
		if err := json.Unmarshal(body, &v); err != nil {
			return item{}, err
		}
		return pack(v)
	}
	if p.Check != nil {
		s.check = func(all Lookup, it item) []Problem { return p.Check(all, it.value.(T)) }
	}
	if p.Secret != nil {
		s.secret = func(ctx context.Context, tx *store.Tx, it item) (bool, error) { return p.Secret(ctx, tx, it.value.(T)) }
	}
	return s
}

func put[T any](p Spec[T]) func(context.Context, *store.Tx, item) error {
	return func(ctx context.Context, tx *store.Tx, it item) error { return p.Put(ctx, tx, it.value.(T)) }
}

// path names an item: queues[vat], or bureau for a section of one.
func (s Section) path(code string) string {
	if s.single {
		return s.key
	}
	return s.key + "[" + code + "]"
}

// without takes top-level keys out of a JSON object and keeps the order of the others.
func without(body []byte, keys []string) ([]byte, error) {
	if len(keys) == 0 {
		return body, nil
	}
	fields, err := members(body)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	b.WriteByte('{')
	for _, f := range fields {
		hidden := false
		for _, k := range keys {
			hidden = hidden || k == f.name
		}
		if hidden {
			continue
		}
		if b.Len() > 1 {
			b.WriteByte(',')
		}
		name, err := json.Marshal(f.name)
		if err != nil {
			return nil, err
		}
		b.Write(name)
		b.WriteByte(':')
		b.Write(f.value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

type member struct {
	name  string
	value json.RawMessage
}

// members lists the members of a JSON object in order.
func members(body []byte) ([]member, error) {
	d := json.NewDecoder(bytes.NewReader(body))
	if _, err := d.Token(); err != nil {
		return nil, err
	}
	var out []member
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, err
		}
		var v json.RawMessage
		if err := d.Decode(&v); err != nil {
			return nil, err
		}
		out = append(out, member{fmt.Sprint(name), v})
	}
	return out, nil
}
