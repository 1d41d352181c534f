package customer

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/clock"
	"github.com/kapok-hotline/kapok/platform/ledger"
	"github.com/kapok-hotline/kapok/platform/ledger/ledgertest"
	"github.com/kapok-hotline/kapok/platform/store"
)

// house is the module with a ledger that feeds it.
type house struct {
	*Module
	t     *testing.T
	l     *ledger.Ledger
	clock *clock.Manual
}

type names map[id.User]string

func (n names) UserName(u id.User) string { return n[u] }

var noon = time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC) // noon in Guangzhou

func newHouse(t *testing.T, db *store.DB) *house {
	t.Helper()
	c := clock.NewManual(noon)
	m := New(Deps{DB: db, Clock: c, Users: names{"1001": "坐席甲", "1002": "坐席乙"}})
	if err := db.Migrate(t.Context(), m.Name(), m.Migrations()); err != nil {
		t.Fatal(err)
	}
	l := ledgertest.Open(t, ledger.Config{DB: db, Node: "node-1", Clock: c}, m.Folds()...)
	l.Declare(m.Invariants()...)
	return &house{m, t, l, c}
}

func (h *house) fact(subject string, b event.Body) {
	h.t.Helper()
	if err := h.l.Append(h.t.Context(), ledger.Fact{Kind: b.Kind(), Subject: subject, Place: "gz", Body: ledger.Body(b)}); err != nil {
		h.t.Fatal(err)
	}
}

// call lets somebody call, an agent answer and write down what it was about; it gives the contact.
func (h *house) call(number string, w event.WrapupSaved) string {
	h.t.Helper()
	h.clock.Advance(time.Minute)
	c := id.New(h.clock.Now())
	h.fact(c, event.ContactStarted{Medium: contact.Phone, Direction: contact.In, From: number, To: "12366"})
	h.fact(c, event.ContactAnswered{Queue: "vat", Agent: "1001"})
	h.fact(c, event.WrapupSaved{Agent: "1001", Name: "张", TaxID: "9144", Question: "开"})
	w.Agent, w.Final = "1001", true
	h.fact(c, event.ContactEnded{By: contact.ByCaller, Outcome: contact.Answered, Ms: 60_000})
	h.fact(c, w)
	return c
}

func (h *house) pop(number string) Popup {
	h.t.Helper()
	p, err := h.Pop(h.t.Context(), number, h.clock.Now())
	if err != nil {
		h.t.Fatal(err)
	}
	return p
}

func (h *house) count(text string) int {
	h.t.Helper()
	n, err := store.One(h.t.Context(), h.deps.DB, text, store.Col[int])
	if err != nil {
		h.t.Fatal(err)
	}
	return n
}

func asJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}
