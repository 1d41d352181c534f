package customer

import (
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/store"
	"github.com/kapok-hotline/kapok/platform/store/storetest"
)

// A city keyed in holds for later calls of the number, until another is keyed in or it is too old.
func TestCityOf(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := newHouse(t, db)
		call := func(from string, b event.ContactLocated) {
			h.clock.Advance(time.Minute)
			c := id.New(h.clock.Now())
			h.fact(c, event.ContactStarted{Medium: contact.Phone, Direction: contact.In, From: from, To: "12366"})
			h.fact(c, b)
		}
		want := func(from, city string, since time.Duration) {
			t.Helper()
			got, err := h.CityOf(t.Context(), from, h.clock.Now().Add(-since))
			if err != nil || got != city {
				t.Errorf("%s: %q %v, want %q", from, got, err, city)
			}
		}
		call("013900000137", event.ContactLocated{City: "foshan", How: "segment"})
		want("013900000137", "", time.Hour)
		call("013900000137", event.ContactLocated{City: "shaoguan", How: "keyed"})
		want("+86 139 0000 0137", "shaoguan", time.Hour)
		want("013900000138", "", time.Hour)
		call("013900000137", event.ContactLocated{City: "meizhou", How: "keyed"})
		call("", event.ContactLocated{City: "zhuhai", How: "keyed"})
		call("013900000137", event.ContactLocated{How: "keyed"})
		want("013900000137", "meizhou", time.Hour)
		want("", "", time.Hour)
		h.clock.Advance(24 * time.Hour)
		want("013900000137", "", time.Hour)
		want("013900000137", "meizhou", 48*time.Hour)
	})
}
