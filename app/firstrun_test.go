package app

import (
	"context"
	"net/netip"
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/modules/identity"
)

// TestFirstRun makes a bureau of the wizard's answers and finds it configured whole.
func TestFirstRun(t *testing.T) {
	h, err := Open(t.Context(), Options{Data: t.TempDir(), Advertise: netip.MustParseAddr("127.0.0.1"), Log: quiet()})
	if err != nil {
		t.Fatal(err)
	}
	defer h.close()
	s := identity.Setup{
		Bureau: identity.SetupBureau{Name: "某市政务热线", NameEN: "A city line"},
		Admin:  identity.SetupPerson{User: "admin", Name: "管理员", Password: "Quiet-River-2026"},
		Hours:  identity.SetupHours{From: "09:00", To: "17:30", LunchFrom: "12:00", LunchTo: "13:30"},
		Number: "12345",
		Agents: []identity.SetupAgent{{User: "2001", Name: "坐席甲", Password: "Green-Stone-2026"}},
	}
	if err := h.bootstrap(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	if err := h.calendar.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	zone := time.FixedZone("CST", 8*3600)
	for _, c := range []struct {
		at   time.Time
		want string
	}{
		{time.Date(2026, 11, 23, 10, 0, 0, 0, zone), "open"},
		{time.Date(2026, 11, 23, 12, 30, 0, 0, zone), "lunch"},
		{time.Date(2026, 11, 22, 10, 0, 0, 0, zone), "closed"},
		{time.Date(2026, 10, 10, 10, 0, 0, 0, zone), "open"}, // a Saturday worked for the National Day
		{time.Date(2026, 10, 1, 10, 0, 0, 0, zone), "holiday"},
	} {
		if state, _, _ := h.calendar.IsOpen("office", c.at); string(state) != c.want {
			t.Errorf("%v: %s, want %s", c.at, state, c.want)
		}
	}
	exported, err := h.book.Export(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := h.apply(context.Background(), exported); err != nil {
		t.Errorf("the exported bureau does not apply: %v", err)
	}
}

// TestOneProcessAFolder refuses a second process on a data folder.
func TestOneProcessAFolder(t *testing.T) {
	data := t.TempDir()
	h, err := Open(t.Context(), Options{Data: data, Log: quiet()})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), Options{Data: data, Log: quiet()}); err == nil {
		t.Error("two processes may have the same folder")
	}
	h.close()
	again, err := Open(t.Context(), Options{Data: data, Log: quiet()})
	if err != nil {
		t.Fatalf("the folder stays locked: %v", err)
	}
	again.close()
}
