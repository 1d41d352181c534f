package id

import (
	"sort"
	"testing"
	"time"
)

func TestNewSortsByTime(t *testing.T) {
	start := time.Date(2014, 11, 3, 10, 0, 0, 0, time.UTC)
	var ids []string
	for i := range 500 {
		ids = append(ids, New(start.Add(time.Duration(i)*time.Millisecond)))
	}
	if !sort.StringsAreSorted(ids) {
		t.Fatal("ULIDs of rising milliseconds are not in rising order")
	}
	seen := map[string]bool{}
	for range 10_000 {
		s := New(start)
		if seen[s] {
			t.Fatalf("%s came twice", s)
		}
		seen[s] = true
	}
}

func TestTimeIsKept(t *testing.T) {
	for _, at := range []time.Time{time.UnixMilli(0), time.UnixMilli(1), time.Date(2026, 11, 23, 1, 2, 3, 4e6, time.UTC)} {
		got, ok := Time(New(at))
		if !ok || got.UnixMilli() != at.UnixMilli() {
			t.Errorf("Time(New(%v)) = %v, %v", at, got, ok)
		}
	}
}

func TestValid(t *testing.T) {
	for s, want := range map[string]bool{
		"01ARZ3NDEKTSV4RRFFQ69G5FAV":  true,
		"81ARZ3NDEKTSV4RRFFQ69G5FAV":  false, // would overflow 128 bits
		"01ARZ3NDEKTSV4RRFFQ69G5FAU":  false, // no U in the alphabet
		"01ARZ3NDEKTSV4RRFFQ69G5FA":   false,
		"":                            false,
		"01arz3ndektsv4rrffq69g5fav":  false, // one spelling only, so that keys compare as bytes
		"01ARZ3NDEKTSV4RRFFQ69G5FAV1": false,
	} {
		if got := Valid(s); got != want {
			t.Errorf("Valid(%q) = %v, want %v", s, got, want)
		}
	}
}
