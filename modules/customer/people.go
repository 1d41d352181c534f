package customer

import (
	"context"
	"strings"
	"unicode/utf8"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/taxid"
	"github.com/kapok-hotline/kapok/platform/store"
)

// Someone is a person in a list.
type Someone struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Type     string `json:"type" enum:"firm,person," doc:"empty: not known"`
	TaxID    string `json:"tax_id" doc:"masked"`
	FirstAt  int64  `json:"first_at"`
	LastAt   int64  `json:"last_at"`
	Contacts int    `json:"contacts"`
}

func scanPerson(r store.Scanner) (p Someone, err error) {
	return p, r.Scan(&p.ID, &p.Name, &p.Type, &p.FirstAt, &p.LastAt, &p.Contacts)
}

// Identifier is one way a person is known by.
type Identifier struct {
	Kind  string `json:"kind" doc:"number, tax, or the channel"`
	Value string `json:"value" doc:"masked"`
	At    int64  `json:"at" doc:"last seen, unix ms"`
}

type held struct {
	key
	at int64
}

func scanHeld(r store.Scanner) (h held, err error) {
	return h, r.Scan(&h.kind, &h.value, &h.at)
}

// beyond sorts after every id.
const beyond = "~"

// find looks people up: by number, by tax ID, or by a part of the name of at least two characters; without a
// question it gives those seen last.
func (m *Module) find(ctx context.Context, q string, page store.Page) (store.Slice[Someone], error) {
	q = strings.TrimSpace(q)
	var none store.Slice[Someone]
	if q == "" {
		return m.newest(ctx, page)
	}
	before := beyond
	if _, err := page.Key(&before); err != nil {
		return none, err
	}
	n := page.Rows() + 1
	var rows []Someone
	var err error
	k, isKey := asked(q)
	switch g := grams(q); {
	case isKey:
		rows, err = store.All(ctx, m.deps.DB, sqlByKey, scanPerson, k.kind, k.value, before, n)
	case len(g) == 0:
		return none, fault.New(fault.Invalid, "customer.query.short").At("q")
	default:
		rows, err = store.All(ctx, m.deps.DB, sqlByGrams, scanPerson, g[len(g)-1], g[0], before, store.Contains(q), n)
	}
	if err != nil {
		return none, err
	}
	return m.slice(ctx, page, rows, func(p Someone) []any { return []any{p.ID} })
}

func (m *Module) newest(ctx context.Context, page store.Page) (store.Slice[Someone], error) {
	at, before := int64(1)<<62, beyond
	if _, err := page.Key(&at, &before); err != nil {
		return store.Slice[Someone]{}, err
	}
	rows, err := store.All(ctx, m.deps.DB, sqlNewest, scanPerson, at, before, page.Rows()+1)
	if err != nil {
		return store.Slice[Someone]{}, err
	}
	return m.slice(ctx, page, rows, func(p Someone) []any { return []any{p.LastAt, p.ID} })
}

func (m *Module) slice(ctx context.Context, page store.Page, rows []Someone, key func(Someone) []any) (store.Slice[Someone], error) {
	s, err := store.Cut(page, rows, key)
	for i := range s.Rows {
		if err == nil {
			s.Rows[i].TaxID, err = m.maskedTax(ctx, s.Rows[i].ID)
		}
	}
	return s, err
}

func (m *Module) maskedTax(ctx context.Context, who string) (string, error) {
	t, err := taxOf(ctx, m.deps.DB, who)
	return key{tax, t}.mask(), err
}

// asked reads a question as an identifier.
func asked(q string) (key, bool) {
	if id := taxid.Clean(q); taxid.KindOf(id) != taxid.Bad {
		return key{tax, id}, true
	}
	if utf8.RuneCountInString(q) > 32 || strings.Trim(q, "0123456789+-() ") != "" {
		return key{}, false
	}
	k := from(contact.Phone, q)
	return k, len(k.value) >= 3
}

// Whole is a person with what is known of them.
type Whole struct {
	Someone
	Identifiers []Identifier `json:"identifiers"`
	History     []Past       `json:"history" doc:"the newest first"`
}

// whole gives a person with identifiers and the newest history before a moment.
func (m *Module) whole(ctx context.Context, who string, before int64, limit int) (Whole, error) {
	p, err := store.One(ctx, m.deps.DB, sqlPerson, scanPerson, who)
	if err != nil {
		return Whole{}, gone(err, who)
	}
	out := Whole{Someone: p, Identifiers: []Identifier{}}
	if out.TaxID, err = m.maskedTax(ctx, who); err != nil {
		return out, err
	}
	list, err := store.All(ctx, m.deps.DB, sqlIdentifiers, scanHeld, who)
	if err != nil {
		return out, err
	}
	for _, h := range list {
		if h.kind != organisation {
			out.Identifiers = append(out.Identifiers, Identifier{h.kind, h.mask(), h.at})
		}
	}
	out.History, err = m.history(ctx, key{}, who, before, limit)
	return out, err
}

func gone(err error, who string) error {
	if fault.KindOf(err) == fault.NotFound {
		return fault.New(fault.NotFound, "customer.person.missing", "id", who)
	}
	return err
}
