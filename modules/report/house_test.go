package report

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/modules/report/reporttest"
	"github.com/kapok-hotline/kapok/platform/clock"
	"github.com/kapok-hotline/kapok/platform/ledger"
	"github.com/kapok-hotline/kapok/platform/ledger/ledgertest"
	"github.com/kapok-hotline/kapok/platform/store"
)

// house is a module over a ledger of its own.
type house struct {
	*Module
	ledger *ledger.Ledger
	clock  *clock.Manual
	facts  []ledger.Fact
}

// open makes a house whose clock stands at the last fact of the history.
func open(t testing.TB, db *store.DB, o reporttest.Options, change ...func(*Deps)) *house {
	t.Helper()
	migrated(t, db)
	h := &house{facts: reporttest.History(o)}
	at := o.From
	if n := len(h.facts); n > 0 {
		at = time.UnixMilli(h.facts[n-1].At)
	}
	h.clock = clock.NewManual(at.Add(time.Second))
	h.ledger = ledgertest.Open(t, ledger.Config{DB: db, Node: "node-1", Clock: h.clock})
	deps := Deps{Ledger: h.ledger, Clock: h.clock, Sites: tree{}}
	for _, c := range change {
		c(&deps)
	}
	h.Module = New(deps)
	if err := h.ledger.Register(t.Context(), h.Folds()...); err != nil {
		t.Fatal(err)
	}
	if _, err := h.ledger.Import(t.Context(), slices.Values(h.facts), 700); err != nil {
		t.Fatal(err)
	}
	return h
}

// tree is gd over gz and sz.
type tree struct{}

func (tree) Subtree(_ context.Context, root id.Site) ([]id.Site, error) {
	if root == "" || root == "gd" {
		return reporttest.Sites(), nil
	}
	return []id.Site{root}, nil
}

// append keeps facts that happen now, or at the given time.
func (h *house) append(t testing.TB, subject string, place id.Site, bodies ...event.Body) {
	t.Helper()
	for _, b := range bodies {
		h.appendAt(t, 0, subject, place, b)
	}
}

func (h *house) appendAt(t testing.TB, at int64, subject string, place id.Site, b event.Body) {
	t.Helper()
	err := h.ledger.Append(t.Context(), ledger.Fact{At: at, Kind: b.Kind(), Subject: subject, Place: string(place), Body: ledger.Body(b)})
	if err != nil {
		t.Fatal(err)
	}
}

func (h *house) table(t testing.TB, q Query) *Table {
	t.Helper()
	if q.From == "" {
		q.From, q.To = "2026-11-02", "2026-11-30"
	}
	got, err := h.Table(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	return got
}
