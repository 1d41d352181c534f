package tally

import (
	"time"

	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/clock"
)

// Spent is a piece of time an agent spent in one state within one slot.
type Spent struct {
	Day    string
	Slot   int
	Site   id.Site
	Agent  id.User
	State  event.AgentState
	Reason string
}

// Time sums spent milliseconds and how often the state was entered.
type Time struct {
	Ms    int64
	Times int64
}

// maxPieces bounds the work of one fact: 31 days of quarter-hours. What a longer state has beyond stays in the
// last piece, so that the sum holds.
const maxPieces = 31 * clock.Slots

// Split cuts the span of ms milliseconds from since at the borders of local slots and gives the pieces in
// order; their sum is ms. A slot's length is that of the wall: borders are where the local quarter-hour turns.
func Split(since, ms int64, loc *time.Location, piece func(day string, slot int, ms int64)) {
	end := since + ms
	for n := 1; since < end; n++ {
		day, slot := clock.Local(since, loc)
		next := since - mod(since, clock.SlotMillis) + clock.SlotMillis // zones differ from UTC by whole quarter-hours
		if n == maxPieces || next > end {
			next = end
		}
		piece(day, slot, next-since)
		since = next
	}
}

func mod(a, b int64) int64 { return (a%b + b) % b }

// Times are spent times by piece.
type Times map[Spent]*Time

// Book adds the state that the fact says was left. Time signed out is no agent's time.
func (t Times) Book(agent id.User, site id.Site, b event.AgentChanged, loc *time.Location) {
	if b.Was == event.SignedOut || b.Was == "" || b.WasMs <= 0 {
		return
	}
	t.Add(Spent{Site: site, Agent: agent, State: b.Was, Reason: b.WasReason}, b.WasSince, b.WasMs, loc)
}

// Add adds a span in the state; the entry into it counts where it began.
func (t Times) Add(s Spent, since, ms int64, loc *time.Location) {
	first := int64(1)
	Split(since, ms, loc, func(day string, slot int, ms int64) {
		s.Day, s.Slot = day, slot
		at, ok := t[s]
		if !ok {
			at = new(Time)
			t[s] = at
		}
		at.Ms += ms
		at.Times += first
		first = 0
	})
}

// Presence is what an agent is doing now.
type Presence struct {
	Agent    id.User
	Site     id.Site
	State    event.AgentState
	Reason   string
	Since    int64 // unix ms
	SignedIn int64 // unix ms; 0 when signed out
	Contact  id.Contact
	Queue    id.Queue
	At       int64 // of the newest fact taken in
	Seat     id.Seat
}

// Apply takes in an agent fact unless a newer one was seen; of two in the same millisecond the later holds.
func (p *Presence) Apply(f Fact) {
	if f.At < p.At {
		return
	}
	switch b := f.Body.(type) {
	case event.AgentSignedIn:
		p.State, p.Reason, p.Since, p.SignedIn, p.Seat = event.Away, "", f.At, f.At, b.Seat
		p.Contact, p.Queue = "", ""
	case event.AgentChanged:
		p.State, p.Reason, p.Since = b.State, b.Reason, f.At
		if b.State == b.Was && b.WasMs == 0 { // only its deadline moved
			p.Since = b.WasSince
		}
		p.Contact, p.Queue = b.With, ""
		if b.With == b.Contact { // wrap-up of the talk just left
			p.Queue = b.Queue
		}
		if b.State == event.SignedOut {
			p.SignedIn = 0
		} else if p.SignedIn == 0 {
			p.SignedIn = f.At
		}
	case event.AgentSignedOut:
		p.State, p.Reason, p.Since, p.SignedIn = event.SignedOut, "", f.At, 0
		p.Contact, p.Queue = "", ""
	default:
		return
	}
	p.Agent, p.Site, p.At = id.User(f.Subject), f.Place, f.At
}
