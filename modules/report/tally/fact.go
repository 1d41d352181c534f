package tally

import (
	"encoding/json"
	"fmt"

	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/id"
)

// Fact is a ledger fact with its body decoded.
type Fact struct {
	ID      string
	At      int64 // unix ms UTC
	Day     string
	Slot    int
	Subject string // the contact, or the user for agent.* facts
	Actor   string
	Place   id.Site
	Body    event.Body
}

// Offer is event.ContactOffered without the brain's trace, which is long and counts nothing.
type Offer struct {
	Offer     id.Offer `json:"offer"`
	Queue     id.Queue `json:"queue"`
	Agent     id.User  `json:"agent"`
	EnteredAt int64    `json:"entered_at"`
}

// Kind is that of event.ContactOffered.
func (Offer) Kind() string { return event.ContactOffered{}.Kind() }

// Counted gives a body that is known already in the shape Decode gives it in; nil when its kind counts nothing.
func Counted(said event.Body) event.Body {
	switch b := said.(type) {
	case event.ContactOffered:
		return Offer{b.Offer, b.Queue, b.Agent, b.EnteredAt}
	default:
		if decoders[said.Kind()] == nil {
			return nil
		}
		return said
	}
}

// Decode reads the body of a fact of the kind. Kinds that count nothing give nil and no error.
func Decode(kind string, body []byte) (event.Body, error) {
	read, ok := decoders[kind]
	if !ok {
		return nil, nil
	}
	b, err := read(body)
	if err != nil {
		return nil, fmt.Errorf("body of a %s fact: %w", kind, err)
	}
	return b, nil
}

// Kinds gives the kinds Decode knows.
func Kinds() []string {
	out := make([]string, 0, len(decoders))
	for k := range decoders {
		out = append(out, k)
	}
	return out
}

func as[T event.Body](raw []byte) (event.Body, error) {
	var v T
	err := json.Unmarshal(raw, &v)
	return v, err
}

var decoders = map[string]func([]byte) (event.Body, error){
	"contact.started":     as[event.ContactStarted],
	"contact.served":      as[event.ContactServed],
	"contact.queued":      as[event.ContactQueued],
	"contact.offered":     as[Offer],
	"contact.missed":      as[event.ContactMissed],
	"contact.answered":    as[event.ContactAnswered],
	"contact.abandoned":   as[event.ContactAbandoned],
	"contact.exited":      as[event.ContactExited],
	"callback.ended":      as[event.CallbackEnded],
	"contact.transferred": as[event.ContactTransferred],
	"contact.ended":       as[event.ContactEnded],
	"contact.lost":        as[event.ContactLost],
	"leg.started":         as[event.LegStarted],
	"leg.ended":           as[event.LegEnded],
	"recording.stored":    as[event.RecordingStored],
	"wrapup.saved":        as[event.WrapupSaved],
	"agent.signed_in":     as[event.AgentSignedIn],
	"agent.changed":       as[event.AgentChanged],
	"agent.signed_out":    as[event.AgentSignedOut],
}
