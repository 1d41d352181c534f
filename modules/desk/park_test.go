package desk

import (
	"context"
	"testing"

	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/store/storetest"
	"github.com/kapok-hotline/kapok/platform/web/webtest"
)

// Park and Unpark tell what voice and brain would.
func (b *bench) Park(_ context.Context, c id.Contact, u id.User) (int, error) {
	err := b.say("park")
	b.Post(b.now(), "gz", string(c), string(u), event.ContactParked{Agent: u, Slot: 3, Queue: "vat", Until: b.now().UnixMilli() + 60_000})
	b.Post(b.now(), "gz", string(c), string(u), event.LegEnded{Leg: "leg1", Role: "agent", Agent: u})
	b.change(u, event.Wrapup, "", c)
	return 3, err
}

func (b *bench) Unpark(_ context.Context, c id.Contact, u id.User) error {
	err := b.say("unpark by " + string(u))
	b.change(u, event.Ringing, "", c)
	b.Post(b.now(), "gz", string(c), string(u), event.LegStarted{Leg: "leg2", Role: "agent", Agent: u, Own: true})
	return err
}

// TestParkDesk: who parks goes to the summary; every desk of the site shows the slot until somebody has taken the person
// back, and the call's end clears it.
func TestParkDesk(t *testing.T) {
	b := newBench(t, storetest.SQLite(t))
	me, other := b.As("agent", webtest.User("1001")), b.As("agent", webtest.User("1002"))
	const desk = "/api/v1/desk"
	b.Run(
		webtest.Scenario{Name: "sign in", By: me, Method: "POST", URL: desk + "/signin", Body: `{"endpoint":"8001"}`, Status: 200, Want: []string{`"parked":[]`}},
		webtest.Scenario{Name: "nobody parked, not signed in", By: other, Method: "POST", URL: desk + "/parked/3", Status: 409, Code: "desk.signed_out"},
		webtest.Scenario{Name: "sign in the other", By: other, Method: "POST", URL: desk + "/signin", Body: `{"endpoint":"browser"}`, Status: 200},
		webtest.Scenario{Name: "nobody parked", By: other, Method: "POST", URL: desk + "/parked/3", Status: 404, Code: "desk.park.none"},
	)
	b.ring()
	b.Run(webtest.Scenario{Name: "not while it rings", By: me, Method: "POST", URL: desk + "/contacts/c1/park", Status: 409, Code: "desk.contact.phase"})
	b.answer()
	b.Run(
		webtest.Scenario{Name: "without the right", As: "none", Method: "POST", URL: desk + "/contacts/c1/park", Status: 403},
		webtest.Scenario{Name: "another's", By: other, Method: "POST", URL: desk + "/contacts/c1/park", Status: 404, Code: "desk.contact.not_yours"},
		webtest.Scenario{
			Name: "parked", By: me, Method: "POST", URL: desk + "/contacts/c1/park", Status: 200,
			Want: []string{`"slot":3`, `"by":"1001"`, `"queue_name":"queue vat"`, `"number":"139****0137"`}, Not: []string{"013900000137"},
		},
	)
	b.phase("wrapup")
	b.Run(
		webtest.Scenario{Name: "a colleague sees it", By: other, URL: desk, Status: 200, Want: []string{`"slot":3`, `"by_name":"name of 1001"`}},
		webtest.Scenario{Name: "and takes them back", By: other, Method: "POST", URL: desk + "/parked/3", Status: 200, Want: []string{`"phase":"ringing"`, `"own":true`, `"slot":3`}},
	)
	b.heard("unpark by 1002")
	b.Post(b.now(), "gz", "c1", "1002", event.LegAnswered{Leg: "leg2"})
	b.Post(b.now(), "gz", "c1", "1002", event.ContactUnparked{Slot: 3, Agent: "1002", How: event.ParkTaken})
	b.phase("wrapup")
	b.Run(webtest.Scenario{Name: "the slot is free", By: me, URL: desk, Status: 200, Want: []string{`"parked":[]`}})
	b.Post(b.now(), "gz", "c1", "1002", event.ContactParked{Agent: "1002", Slot: 1})
	b.Post(b.now(), "gz", "c1", "", event.ContactLost{})
	b.phase("wrapup")
	b.Run(webtest.Scenario{Name: "lost with its process", By: me, URL: desk, Status: 200, Want: []string{`"parked":[]`}})
}
