package demo

import (
	"encoding/json"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/core/taxid"
)

var china = time.FixedZone("China", 8*3600)

func weekdays(d time.Time) bool {
	return d.Hour() == 10 && d.Weekday() != time.Saturday && d.Weekday() != time.Sunday
}

func made(t *testing.T, o Options) []Made {
	t.Helper()
	if o.Last.IsZero() {
		o.Last = time.Date(2026, 11, 22, 12, 0, 0, 0, china)
	}
	if o.Works == nil {
		o.Works = weekdays
	}
	h, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	var out []Made
	for {
		m, ok := h.Next()
		if !ok {
			return out
		}
		out = append(out, m)
	}
}

// TestStory: the rates of the report, on whichever day the history ends.
func TestStory(t *testing.T) {
	for _, last := range []time.Time{
		time.Date(2026, 11, 22, 12, 0, 0, 0, china), time.Date(2027, 3, 2, 12, 0, 0, 0, china), time.Date(2026, 7, 15, 0, 0, 0, 0, china),
	} {
		began := time.Now()
		parts, all, facts := map[string]*Sum{"before": {}, "worst": {}, "best": {}, "": {}}, Sum{}, 0
		for _, m := range made(t, Options{Seed: 12366, Last: last}) {
			parts[Part(m.Day)].Add(m.Sum)
			all.Add(m.Sum)
			facts += len(m.Facts)
		}
		t.Logf("%s: %d contacts, %d facts, before %.3f, worst %.3f, best %.4f; %v", last.Format(time.DateOnly), all.Contacts, facts,
			parts["before"].Rate(), parts["worst"].Rate(), parts["best"].Rate(), time.Since(began).Round(time.Millisecond))
		for part, want := range map[string]float64{"before": .80, "worst": .31, "best": .914} {
			if got := parts[part].Rate(); math.Abs(got-want) > .015 {
				t.Errorf("%s: %.3f answered, want %.3f", part, got, want)
			}
		}
		if all.Contacts < 22000 || all.Contacts > 28000 {
			t.Errorf("%d contacts, want about 25,000", all.Contacts)
		}
	}
}

func TestSameSeedSameHistory(t *testing.T) {
	o := Options{Seed: 7, From: 40, Until: 45}
	if !reflect.DeepEqual(made(t, o), made(t, o)) {
		t.Error("the same seed gave two histories")
	}
	other := o
	other.Seed = 8
	if reflect.DeepEqual(made(t, o), made(t, other)) {
		t.Error("another seed gave the same history")
	}
}

func TestFactsAreInOrderAndWhole(t *testing.T) {
	seen := map[id.Fact]bool{}
	for _, m := range made(t, Options{Seed: 3, From: 60, Until: 67}) {
		at, open := int64(0), map[string]int{}
		for _, f := range m.Facts {
			if f.At < at || f.Day != m.Date {
				t.Fatalf("%s %s at %d comes after %d", f.Kind, f.Day, f.At, at)
			}
			at = f.At
			if made, ok := id.Time(string(f.ID)); !ok || made.UnixMilli() != f.At || seen[f.ID] {
				t.Fatalf("%s has the identifier %q", f.Kind, f.ID)
			}
			seen[f.ID] = true
			switch f.Kind {
			case "contact.started", "agent.signed_in":
				open[f.Subject]++
			case "contact.ended", "agent.signed_out":
				open[f.Subject]--
			}
		}
		for subject, n := range open {
			if n != 0 {
				t.Errorf("%s: %d left open on %s", subject, n, m.Date)
			}
		}
	}
}

// TestTrialWithoutMenus: whoever compares calls with and without menus finds both; whoever was led without pressed nothing.
func TestTrialWithoutMenus(t *testing.T) {
	guided := map[bool]int{}
	for _, m := range made(t, Options{Seed: 12366, From: Days - 14}) {
		without, trial := map[string]bool{}, strings.Contains(" 2026-11-11 2026-11-18", m.Date) // Wednesdays
		for _, f := range m.Facts {
			switch f.Kind {
			case "contact.guided":
				var b event.ContactGuided
				if err := json.Unmarshal(f.Body, &b); err != nil {
					t.Fatal(err)
				}
				if b.NoMenu != trial {
					t.Fatalf("%s: menus off is %v", m.Date, b.NoMenu)
				}
				guided[b.NoMenu]++
				without[f.Subject] = b.NoMenu
			case "contact.stepped":
				var b event.ContactStepped
				if err := json.Unmarshal(f.Body, &b); err != nil {
					t.Fatal(err)
				}
				if without[f.Subject] && b.Key != "" {
					t.Fatalf("%s: somebody pressed %s in a menu that was off", m.Date, b.Key)
				}
			}
		}
	}
	if guided[true] < 200 || guided[false] < 1000 {
		t.Errorf("%d without menus, %d with", guided[true], guided[false])
	}
}

func TestDayOffIsEmpty(t *testing.T) {
	for _, m := range made(t, Options{Seed: 1, Works: func(time.Time) bool { return false }, Until: 3}) {
		if len(m.Facts) > 0 {
			t.Errorf("%d facts on %s", len(m.Facts), m.Date)
		}
	}
}

func TestPeople(t *testing.T) {
	all := People(1, PeopleCount, Districts())
	numbers := map[string]int{}
	for _, p := range all {
		numbers[p.Number]++
		if p.TaxID != "" && !taxid.Valid(p.TaxID) {
			t.Fatalf("%s has a wrong check character", p.TaxID)
		}
	}
	if len(numbers) < PeopleCount*9/10 {
		t.Errorf("%d numbers for %d people", len(numbers), PeopleCount)
	}
}
