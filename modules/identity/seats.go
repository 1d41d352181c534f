package identity

import (
	"maps"
	"slices"

	"github.com/kapok-hotline/kapok/core/id"
)

// Seats gives every seat, by code.
func (m *Module) Seats() []Seat {
	s := m.snap.Load()
	out := make([]Seat, 0, len(s.seats))
	for _, code := range slices.Sorted(maps.Keys(s.seats)) {
		out = append(out, s.seats[code])
	}
	return out
}

// SeatAt gives the seat a desk phone stands at, "" for none.
func (m *Module) SeatAt(p id.Phone) id.Seat {
	if p == "" {
		return ""
	}
	for _, s := range m.Seats() {
		if s.Phone == p {
			return s.Code
		}
	}
	return ""
}
