package routing

import (
	"fmt"
	"testing"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/engine/acd"
)

// What an agent with room for four chats and a call carries under weights, and from the moment they change.
func TestWeights(t *testing.T) {
	for _, x := range []struct {
		name    string
		rules   Rules
		calls   int // already talking
		offered int // of four chats
	}{
		{"as shipped: three in writing", Rules{}, 0, 3},
		{"as shipped: nothing beside a call", Rules{}, 1, 0},
		{"lighter chats", Rules{Weights: map[string]int{"chat": 25}}, 0, 4},
		{"a chat beside a call", Rules{Weights: map[string]int{"phone": 60, "chat": 40}}, 1, 1},
		{"heavy chats: one", Rules{Weights: map[string]int{"chat": 100}}, 0, 1},
	} {
		t.Run(x.name, func(t *testing.T) {
			// told at the start and told later must come to the same
			for _, later := range []bool{false, true} {
				first := x.rules
				if later {
					first = Rules{Weights: map[string]int{"phone": 100, "chat": 100}}
				}
				b := acd.New(acd.Config{Settings: brainSettings(first)})
				now := int64(1_000_000)
				apply := func(e acd.Event) (n int) {
					now++
					for _, c := range b.Apply(&e, now) {
						if c.Kind == acd.Offer {
							b.Apply(&acd.Event{Kind: acd.OfferAccepted, Agent: c.Agent, Contact: c.Contact, Offer: c.Offer}, now)
							n++
						}
					}
					return n
				}
				apply(acd.Event{Kind: acd.QueueConfigured, Config: &acd.Queue{ID: "q"}})
				agent := brainAgent("1001", Agent{Capacity: map[string]int{"chat": 4}}, nil)
				apply(acd.Event{Kind: acd.AgentSignedIn, Agent: "1001", Profile: agent, Ready: true, Endpoint: true})
				if later {
					s := brainSettings(x.rules)
					apply(acd.Event{Kind: acd.SettingsChanged, Settings: &s})
				}
				for i := range x.calls {
					apply(acd.Event{Kind: acd.ContactEntered, Contact: id.Contact(fmt.Sprint("call", i)), Queue: "q", Channel: phoneChannel})
				}
				got := 0
				for i := range 4 {
					got += apply(acd.Event{Kind: acd.ContactEntered, Contact: id.Contact(fmt.Sprint("chat", i)), Queue: "q", Channel: acd.Channel(contact.Chat)})
				}
				if got != x.offered {
					t.Errorf("later %v: %d chats, want %d", later, got, x.offered)
				}
			}
		})
	}
	if p := checkWeights(Rules{Weights: map[string]int{"phone": 100, "fax": 10, "chat": 0, "sms": 101}}); len(p) != 3 {
		t.Errorf("%+v", p)
	}
}
