package app

import (
	"time"

	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/ledger"
	"github.com/kapok-hotline/kapok/platform/store"
)

// facts hands what the modules say to the journal.
type facts struct{ h *House }

// Post writes a fact behind the caller's back, in order.
func (f facts) Post(at time.Time, place id.Site, subject, actor string, body event.Body) {
	fact := ledger.From(body, subject, actor, string(place))
	fact.At = at.UnixMilli()
	f.h.journal.Post(fact)
}

// Keep writes a fact in a transaction, with the rows it is about.
func (f facts) Keep(tx *store.Tx, at time.Time, place id.Site, subject, actor string, body event.Body) error {
	fact := ledger.From(body, subject, actor, string(place))
	fact.At = at.UnixMilli()
	return f.h.ledger.AppendTx(tx, fact)
}
