package ledger

import (
	"encoding/json"
	"regexp"

	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/clock"
	"github.com/kapok-hotline/kapok/platform/store"
)

// Fact is something that happened. Once written it is neither changed nor deleted.
//
// Who appends gives Kind, Subject, Actor, Place and Body; the rest is filled where it is zero: ID with a new
// ULID (give one where the fact may come again: a second one with the same ID is ignored), At with now, Node
// with this node, Day and Slot from At in the zone of Place, Seq always.
type Fact struct {
	Seq     int64           `json:"seq"`  // 1, 2, 3 … in order of commit over all nodes
	ID      id.Fact         `json:"id"`   // ULID
	Node    id.Node         `json:"node"` // where it happened
	At      int64           `json:"at"`   // unix-ms
	Day     string          `json:"day"`  // local: 2026-11-23
	Slot    int             `json:"slot"` // local quarter-hour, 0..95
	Kind    string          `json:"kind"` // noun.past: contact.queued
	Subject string          `json:"subject"`
	Actor   string          `json:"actor"` // who did it; "" when nobody did
	Place   string          `json:"place"` // the site
	Body    json.RawMessage `json:"body"`  // a JSON object; empty becomes {}

	// Said is what Body was made of, where that was in this process: Read takes it instead of decoding. It is never
	// stored or sent, and shared by all who read the fact: nobody may change what it points to.
	Said event.Body `json:"-"`
}

// Bounds of a fact's parts, in bytes.
const (
	maxWord = 200
	maxBody = 256 << 10
)

var kindShape = regexp.MustCompile(`^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*){1,3}$`)

// From makes a fact of an event: its kind is the event's.
func From(b event.Body, subject, actor, place string) Fact {
	return Fact{Kind: b.Kind(), Subject: subject, Actor: actor, Place: place, Body: Body(b), Said: b}
}

// Read gives what a fact says; false when its body has another shape.
func Read[T any](f *Fact) (T, bool) {
	if said, ok := any(f.Said).(T); ok {
		return said, true
	}
	var b T
	err := json.Unmarshal(f.Body, &b)
	return b, err == nil
}

// Body makes the body of a fact from a value of core/event.
func Body(v any) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil { // a channel or a function in an event: no JSON, so Append refuses the fact by its kind
		return json.RawMessage("!" + err.Error())
	}
	return b
}

// complete fills what is not given and refuses what cannot be kept, so that one bad fact spoils no other.
func (l *Ledger) complete(facts []Fact) ([]Fact, error) {
	out := make([]Fact, len(facts))
	for i, f := range facts {
		now := l.clock.Now()
		if f.At == 0 {
			f.At = now.UnixMilli()
		}
		if f.ID == "" {
			f.ID = id.Fact(id.New(now))
		}
		if f.Node == "" {
			f.Node = l.node
		}
		if len(f.Body) == 0 {
			f.Body = json.RawMessage("{}")
		}
		if f.Day == "" {
			f.Day, f.Slot = clock.Local(f.At, l.zone(f.Place))
		}
		if field := f.fault(); field != "" {
			return nil, fault.New(fault.Invalid, "ledger.fact.invalid", "kind", f.Kind, "field", field).At(field)
		}
		out[i] = f
	}
	return out, nil
}

// fault gives the name of the first part that breaks its bounds.
func (f *Fact) fault() string {
	switch {
	case len(f.Kind) > maxWord || !kindShape.MatchString(f.Kind):
		return "kind"
	case !id.Valid(string(f.ID)):
		return "id"
	case f.At < 0:
		return "at"
	case len(f.Day) != len("2026-11-23"):
		return "day"
	case f.Slot < 0 || f.Slot >= clock.Slots:
		return "slot"
	case len(f.Body) > maxBody || !f.readable():
		return "body"
	case len(f.Node) > maxWord:
		return "node"
	case len(f.Subject) > maxWord:
		return "subject"
	case len(f.Actor) > maxWord:
		return "actor"
	case len(f.Place) > maxWord:
		return "place"
	}
	return ""
}

// readable says whether the body is JSON; what Body made of a value is, unless it says why it could not.
func (f *Fact) readable() bool {
	if f.Said != nil {
		return f.Body[0] == '{'
	}
	return json.Valid(f.Body)
}

const columns = `seq, id, node, at, day, slot, kind, subject, actor, place, body`

func scanFact(r store.Scanner) (f Fact, err error) {
	var body string
	err = r.Scan(&f.Seq, &f.ID, &f.Node, &f.At, &f.Day, &f.Slot, &f.Kind, &f.Subject, &f.Actor, &f.Place, &body)
	f.Body = json.RawMessage(body)
	return f, err
}
