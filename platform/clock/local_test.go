package clock

import (
	"testing"
	"time"
)

func TestLocal(t *testing.T) {
	shanghai, err := Zone("")
	if err != nil {
		t.Fatal(err)
	}
	berlin, err := Zone("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, utc string
		loc       *time.Location
		day       string
		slot      int
	}{
		{"last slot before midnight", "2026-11-22T15:59:59.999Z", shanghai, "2026-11-22", 95},
		{"first slot of the day", "2026-11-22T16:00:00Z", shanghai, "2026-11-23", 0},
		{"half past eight", "2026-11-23T00:30:00Z", shanghai, "2026-11-23", 34},
		{"fourteen minutes stay in the slot", "2026-11-23T00:44:59Z", shanghai, "2026-11-23", 34},
		{"before 1970", "1969-12-31T15:59:00Z", shanghai, "1969-12-31", 95},
		{"hour that comes twice, first", "2026-10-25T00:30:00Z", berlin, "2026-10-25", 10},
		{"hour that comes twice, second", "2026-10-25T01:30:00Z", berlin, "2026-10-25", 10},
	} {
		at, err := time.Parse(time.RFC3339Nano, c.utc)
		if err != nil {
			t.Fatal(err)
		}
		day, slot := Local(at.UnixMilli(), c.loc)
		if day != c.day || slot != c.slot {
			t.Errorf("%s: Local(%s) = %s %d, want %s %d", c.name, c.utc, day, slot, c.day, c.slot)
		}
	}
}

func TestSlotStartInvertsLocal(t *testing.T) {
	loc, err := Zone("Asia/Shanghai")
	if err != nil {
		t.Fatal(err)
	}
	for slot := range Slots {
		ms, err := SlotStart("2026-02-28", slot, loc)
		if err != nil {
			t.Fatal(err)
		}
		if day, got := Local(ms, loc); day != "2026-02-28" || got != slot {
			t.Errorf("slot %d came back as %s %d", slot, day, got)
		}
		if day, got := Local(ms+SlotMillis-1, loc); day != "2026-02-28" || got != slot {
			t.Errorf("end of slot %d came back as %s %d", slot, day, got)
		}
	}
	if _, err := SlotStart("2026-02-30", 0, loc); err == nil {
		t.Error("the 30th of February was taken")
	}
}

func TestAddDays(t *testing.T) {
	for _, c := range []struct {
		day  string
		n    int
		want string
	}{
		{"2026-02-28", 1, "2026-03-01"},
		{"2028-02-28", 1, "2028-02-29"},
		{"2026-01-01", -1, "2025-12-31"},
		{"2026-11-23", 0, "2026-11-23"},
	} {
		if got, err := AddDays(c.day, c.n); err != nil || got != c.want {
			t.Errorf("AddDays(%s, %d) = %s, %v; want %s", c.day, c.n, got, err, c.want)
		}
	}
	if _, err := AddDays("23.11.2026", 1); err == nil {
		t.Error("a German date was taken")
	}
}
