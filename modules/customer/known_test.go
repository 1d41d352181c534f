package customer

import (
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/platform/store"
	"github.com/kapok-hotline/kapok/platform/store/storetest"
)

// Row B7: the agent a caller knows is the last who spoke with that number, of late.
func TestRowB7KnownAgent(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := newHouse(t, db)
		h.call("013900000137", event.WrapupSaved{})
		for _, x := range []struct {
			number string
			since  time.Time
			want   string
		}{
			{"013900000137", noon, "1001"},
			{"13900000137", noon, "1001"},
			{"013900000137", noon.Add(time.Hour), ""},
			{"013900000138", noon, ""},
			{"", noon, ""},
		} {
			got, err := h.KnownAgent(t.Context(), x.number, x.since)
			if err != nil || string(got) != x.want {
				t.Errorf("%q since %v: %q, %v; want %q", x.number, x.since, got, err, x.want)
			}
		}
	})
}
