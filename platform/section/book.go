package section

import (
	"cmp"
	"context"
	"embed"
	"io/fs"
	"log/slog"
	"slices"

	"github.com/kapok-hotline/kapok/platform/clock"
	"github.com/kapok-hotline/kapok/platform/store"
)

// Changed is the subject published after a change; its message is a Version.
const Changed = "config.changed"

// Version is the message of Changed: nodes rebuild their snapshots whole when they hear it.
type Version struct {
	Version int64 `json:"version"`
}

// Bus is what the Book needs of platform/bus.
type Bus interface {
	Publish(subject string, v any) error
}

// Config is what a Book needs. Only DB must be given.
type Config struct {
	DB    *store.DB
	Bus   Bus         // nil: nobody is told
	Clock clock.Clock // nil: the machine's
	// Audit is called inside the transaction for every item changed; an error undoes all.
	Audit func(ctx context.Context, tx *store.Tx, c Change) error
	Log   *slog.Logger
}

// Change is one item that a file, a request or a table changes.
type Change struct {
	Section string   `json:"section"`
	Code    string   `json:"code"`
	Kind    string   `json:"kind"`             // create, change, drop
	Fields  []string `json:"fields,omitempty"` // those that differ, of change
	Before  []byte   `json:"-"`                // JSON without secrets; nil for create
	After   []byte   `json:"-"`                // nil for drop
	By      string   `json:"-"`                // the user
}

// Book holds the sections of the process.
type Book struct {
	cfg      Config
	sections []Section // by order, then key
}

//go:embed migrations/*.sql
var migrations embed.FS

//go:embed texts/*.json
var texts embed.FS

// Migrations gives the tables of version and history, for store.DB.Migrate under the name "section".
func Migrations() fs.FS { return store.Folder(migrations, "migrations") }

// Texts gives the sentences of this package's problems and pages.
func Texts() fs.FS { return store.Folder(texts, "texts") }

// New migrates the Book's tables and gives a Book of the sections. Two sections of one key panic.
func New(ctx context.Context, cfg Config, sections ...Section) (*Book, error) {
	if cfg.Clock == nil {
		cfg.Clock = clock.System()
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	b := &Book{cfg: cfg, sections: slices.Clone(sections)}
	slices.SortStableFunc(b.sections, func(x, y Section) int {
		return cmp.Or(cmp.Compare(x.order, y.order), cmp.Compare(x.key, y.key))
	})
	seen := map[string]bool{}
	for _, s := range b.sections {
		if seen[s.key] {
			panic("two sections are called " + s.key)
		}
		seen[s.key] = true
	}
	return b, cfg.DB.Migrate(ctx, "section", Migrations())
}

// Keys lists the sections in their order.
func (b *Book) Keys() []string {
	out := make([]string, 0, len(b.sections))
	for _, s := range b.sections {
		out = append(out, s.key)
	}
	return out
}

func (b *Book) section(key string) (Section, bool) {
	for _, s := range b.sections {
		if s.key == key {
			return s, true
		}
	}
	return Section{}, false
}

// Version gives the version of the configuration, 0 before the first change.
func (b *Book) Version(ctx context.Context) (int64, error) {
	return version(ctx, b.cfg.DB)
}

func version(ctx context.Context, q store.Querier) (int64, error) {
	return store.One(ctx, q, `SELECT COALESCE(MAX(version), 0) FROM section_version`, store.Col[int64])
}
