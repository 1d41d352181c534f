package app

import (
	"encoding/json"
	"time"

	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/ledger"
)

// facts hands what the modules say to the journal.
type facts struct{ h *House }

// Post writes a fact behind the caller's back, in order.
func (f facts) Post(at time.Time, place id.Site, subject, actor string, body event.Body) {
	b, err := json.Marshal(body)
	if err != nil {
		f.h.log.Error("a fact cannot be written down", "kind", body.Kind(), "subject", subject, "err", err)
		return
	}
	f.h.journal.Post(ledger.Fact{At: at.UnixMilli(), Kind: body.Kind(), Subject: subject, Actor: actor, Place: string(place), Body: b})
}
