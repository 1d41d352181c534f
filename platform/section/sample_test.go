package section_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/core/span"
	"github.com/kapok-hotline/kapok/platform/clock"
	"github.com/kapok-hotline/kapok/platform/section"
	"github.com/kapok-hotline/kapok/platform/store"
)

type bureau struct {
	Name string  `json:"name" minLength:"1"`
	Zone string  `json:"timezone" default:"Asia/Shanghai"`
	Site id.Site `json:"site,omitempty" ref:"sites"`
}

type site struct {
	Code   id.Site `json:"code" minLength:"1"`
	Name   string  `json:"name"`
	Parent id.Site `json:"parent,omitempty" ref:"sites"`
	Area   string  `json:"area_code,omitempty" pattern:"^0[0-9]{2,3}$"`
}

type skill struct {
	Code string `json:"code" minLength:"1" maxLength:"32"`
	Name string `json:"name"`
}

type need struct {
	Skill string `json:"skill"`
	Level int    `json:"level" minimum:"0" maximum:"4"`
}

type queue struct {
	Code  string    `json:"code" minLength:"1"`
	Name  string    `json:"name" minLength:"1"`
	Site  id.Site   `json:"site" ref:"sites"`
	Needs []need    `json:"needs,omitempty"`
	Ring  int       `json:"ring_s" minimum:"5" maximum:"120"`
	Relax span.Span `json:"relax_after,omitempty"`
	Kind  string    `json:"kind,omitempty" enum:"phone,chat"`
	Open  bool      `json:"open,omitempty"`
}

type user struct {
	Code     string         `json:"code" minLength:"1"`
	Name     string         `json:"name"`
	Site     id.Site        `json:"site" ref:"sites"`
	Password string         `json:"password,omitempty"`
	Roles    []string       `json:"roles,omitempty"`
	Skills   map[string]int `json:"skills,omitempty" ref:"skills"`
	Active   bool           `json:"active" default:"true"`
}

var tables = fstest.MapFS{"00001_all.sql": {Data: []byte(`-- +goose Up
CREATE TABLE sample_bureau (code TEXT PRIMARY KEY, body TEXT NOT NULL);
CREATE TABLE sample_site (code TEXT PRIMARY KEY, body TEXT NOT NULL);
CREATE TABLE sample_skill (code TEXT PRIMARY KEY, body TEXT NOT NULL);
CREATE TABLE sample_queue (code TEXT PRIMARY KEY, body TEXT NOT NULL);
CREATE TABLE sample_user (code TEXT PRIMARY KEY, body TEXT NOT NULL);
`)}}

// docs makes a section of a store.Docs table.
func docs[T any](s section.Spec[T], table string) section.Section {
	d := store.Docs[T]{Table: table}
	s.Right = "sample.all.manage"
	s.See = "sample.all.see"
	s.Load = func(ctx context.Context, tx *store.Tx) ([]T, error) { return d.Load(ctx, tx) }
	if s.Put == nil {
		s.Put = func(ctx context.Context, tx *store.Tx, v T) error {
			code := s.Key
			if !s.Single {
				code = s.ID(v)
			}
			return d.Put(ctx, tx, code, v)
		}
	}
	s.Drop = func(ctx context.Context, tx *store.Tx, code string) error { return d.Drop(ctx, tx, code) }
	return section.Of(s)
}

// heard is a bus that remembers.
type heard struct {
	mu   sync.Mutex
	list []any
}

func (h *heard) Publish(subject string, v any) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.list = append(h.list, subject, v)
	return nil
}

func (h *heard) all() []any {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.list)
}

func sections() []section.Section {
	users := store.Docs[user]{Table: "sample_user"}
	return []section.Section{
		docs(section.Spec[queue]{
			Key: "queues", Order: 40, ID: func(q queue) string { return q.Code }, Site: func(q queue) id.Site { return q.Site },
			Check: func(all section.Lookup, q queue) (out []section.Problem) {
				for i, n := range q.Needs {
					out = append(out, all.Need("needs["+string(rune('0'+i))+"].skill", "skills", n.Skill)...)
				}
				return out
			},
		}, "sample_queue"),
		docs(section.Spec[site]{Key: "sites", Order: 10, ID: func(s site) string { return string(s.Code) }}, "sample_site"),
		docs(section.Spec[skill]{Key: "skills", Order: 20, ID: func(s skill) string { return s.Code }}, "sample_skill"),
		docs(section.Spec[bureau]{Key: "bureau", Order: 5, Single: true}, "sample_bureau"),
		docs(section.Spec[user]{
			Key: "users", Order: 30, ID: func(u user) string { return u.Code }, Site: func(u user) id.Site { return u.Site },
			Put: func(ctx context.Context, tx *store.Tx, u user) error { return users.Put(ctx, tx, u.Code, u) },
			Secret: func(ctx context.Context, tx *store.Tx, u user) (bool, error) {
				old, err := users.Load(ctx, tx)
				return slices.ContainsFunc(old, func(o user) bool { return o.Code == u.Code && o.Password == u.Password }), err
			},
		}, "sample_user"),
	}
}

func newBook(t *testing.T, db *store.DB) (*section.Book, *heard, *[]section.Change) {
	t.Helper()
	if err := db.Migrate(t.Context(), "sample", tables); err != nil {
		t.Fatal(err)
	}
	bus, audit := &heard{}, &[]section.Change{}
	b, err := section.New(t.Context(), section.Config{
		DB: db, Bus: bus, Clock: clock.NewManual(time.UnixMilli(1_790_000_000_000)),
		Audit: func(_ context.Context, _ *store.Tx, c section.Change) error {
			*audit = append(*audit, c)
			return nil
		},
	}, sections()...)
	if err != nil {
		t.Fatal(err)
	}
	return b, bus, audit
}

const good = `# a small bureau
bureau: {name: 广州12366, site: gz}
sites:
  - {code: gd, name: 广东}
  - {code: gz, name: 广州, parent: gd, area_code: 020}
skills:
  - {code: vat, name: 增值税}
  - {code: 0101, name: "0101 stays a text"}
queues:
  - code: vat
    name: 增值税与发票
    site: gz
    needs: [{skill: vat, level: 1}]
    ring_s: 15
    relax_after: 20s
users:
  - {code: 1001, name: 坐席甲, site: gz, password: "tea-and-rice", roles: [agent], skills: {vat: 3, 0101: 1}}
`
