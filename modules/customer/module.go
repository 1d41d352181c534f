package customer

import (
	"embed"
	"io/fs"

	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/core/right"
	"github.com/kapok-hotline/kapok/platform/clock"
	"github.com/kapok-hotline/kapok/platform/ledger"
	"github.com/kapok-hotline/kapok/platform/store"
)

// Rights of the module.
const (
	See    right.Right = "customer.person.see"    // look people up, identifiers masked
	Reveal right.Right = "customer.number.reveal" // see a number or tax ID in full, with a reason, audited
)

// Directory names users: identity fills it.
type Directory interface {
	// UserName gives the user's name, the code itself when there is no such user.
	UserName(u id.User) string
}

// Deps is what the module needs.
type Deps struct {
	DB    *store.DB
	Clock clock.Clock
	Users Directory // nil: agents are shown by code
}

// Module is the customer module.
type Module struct{ deps Deps }

// New makes the module; its tables are made by the app, by Migrations.
func New(deps Deps) *Module {
	if deps.Clock == nil {
		deps.Clock = clock.System()
	}
	return &Module{deps: deps}
}

//go:embed migrations/*.sql texts/*.json
var files embed.FS

// Name is the module's.
func (m *Module) Name() string { return "customer" }

// Migrations gives the module's tables.
func (m *Module) Migrations() fs.FS { return store.Folder(files, "migrations") }

// Texts gives the module's texts.
func (m *Module) Texts() fs.FS { return store.Folder(files, "texts") }

// Rights lists what the module asks for.
func (m *Module) Rights() []right.Right { return []right.Right{See, Reveal} }

// Folds gives the fold that fills the module's tables.
func (m *Module) Folds() []ledger.Fold { return []ledger.Fold{fold{}} }

func (m *Module) userName(u id.User) string {
	if m.deps.Users == nil || u == "" {
		return string(u)
	}
	return m.deps.Users.UserName(u)
}
