package customer

import (
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/platform/store"
	"github.com/kapok-hotline/kapok/platform/store/storetest"
)

// What a caller came for before: the newest first, those of others and those without a question left out.
func TestAsked(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := newHouse(t, db)
		h.call("013900000137", event.WrapupSaved{Question: "old"})
		h.clock.Advance(48 * time.Hour)
		since := h.clock.Now()
		h.call("013900000137", event.WrapupSaved{Question: "page does not open"})
		h.call("013900000138", event.WrapupSaved{Question: "another caller"})
		h.call("013900000137", event.WrapupSaved{Question: "rate"})
		got, err := h.Asked(t.Context(), "13900000137", since, h.clock.Now().Add(time.Minute), 3)
		if err != nil || len(got) != 2 || got[0].Question != "rate" || got[1].Question != "page does not open" || got[0].Queue != "vat" {
			t.Errorf("%+v %v", got, err)
		}
		if got, err = h.Asked(t.Context(), "", since, h.clock.Now(), 3); err != nil || got != nil {
			t.Errorf("of a withheld number: %+v %v", got, err)
		}
	})
}
