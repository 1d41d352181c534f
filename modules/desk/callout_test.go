package desk

import (
	"context"
	"testing"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/store"
	"github.com/kapok-hotline/kapok/platform/store/storetest"
	"github.com/kapok-hotline/kapok/platform/web/webtest"
)

// CallOut begins the call c1, as voice and brain would tell of it.
func (b *bench) CallOut(_ context.Context, o contact.Outcall) (id.Contact, error) {
	if err := b.say("call out " + o.Number + " " + o.Purpose + "/" + o.Ref); err != nil {
		return "", err
	}
	u := string(o.Agent)
	b.change(o.Agent, event.Ringing, "", "c1")
	b.Post(b.now(), "gz", "c1", u, event.ContactStarted{Direction: contact.Out, From: "013900000137", To: "013900000137"})
	b.Post(b.now(), "gz", "c1", u, event.CalloutBegun{Agent: o.Agent, Number: "013900000137", Purpose: o.Purpose, Ref: o.Ref})
	b.Post(b.now(), "gz", "c1", u, event.LegStarted{Leg: "leg1", Role: "agent", Agent: o.Agent, Own: true})
	return "c1", nil
}

// TestRowD4Desk: an agent dials, sees the call ring, be answered and end, and dials again without seeing the number.
func TestRowD4Desk(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		b := newBench(t, db)
		me, other := b.As("agent", webtest.User("1001")), b.As("agent", webtest.User("1002"))
		const desk, outs = "/api/v1/desk", "/api/v1/desk/callouts"
		b.Run(
			webtest.Scenario{Name: "without the right", As: "none", Method: "POST", URL: outs, Body: `{"number":"13900000137"}`, Status: 403},
			webtest.Scenario{Name: "not signed in", By: me, Method: "POST", URL: outs, Body: `{"number":"13900000137"}`, Status: 409, Code: "desk.signed_out"},
			webtest.Scenario{Name: "sign in", By: me, Method: "POST", URL: desk + "/signin", Body: `{"endpoint":"browser"}`, Status: 200},
			webtest.Scenario{Name: "no number", By: me, Method: "POST", URL: outs, Body: `{"number":" "}`, Status: 422, Code: "desk.callout.nowhere"},
			webtest.Scenario{Name: "nobody's contact", By: me, Method: "POST", URL: outs, Body: `{"of":"c9"}`, Status: 404, Code: "desk.contact.not_yours"},
			webtest.Scenario{
				Name: "called: my own phone rings", By: me, Method: "POST", URL: outs, Body: `{"number":" 139 0000 0137 "}`, Status: 200,
				Want: []string{`"phase":"ringing"`, `"own":true`, `"direction":"out"`, `"out":{"purpose":"desk"}`, `"number":"139****0137"`}, Not: []string{"13900000137"},
			},
		)
		b.heard("call out 139 0000 0137 desk/")
		b.change("1001", event.Talking, "", "c1")
		b.Post(b.now(), "gz", "c1", "1001", event.LegAnswered{Leg: "leg1"})
		b.phase("dialing")
		b.Run(
			webtest.Scenario{Name: "no hold while it rings there", By: me, Method: "POST", URL: desk + "/contacts/c1/hold", Status: 409, Code: "desk.contact.phase"},
			webtest.Scenario{Name: "give up", By: me, Method: "POST", URL: desk + "/contacts/c1/hangup", Status: 200, Want: []string{`"phase":"dialing"`}, Not: []string{`"own":true`}},
		)
		b.Post(b.now(), "gz", "c1", "1001", event.CalloutAnswered{Agent: "1001", Purpose: "desk"})
		b.phase("talking")
		b.Post(b.now(), "gz", "c1", "1001", event.LegEnded{Leg: "leg1", Role: "agent", Agent: "1001"})
		b.Post(b.now(), "gz", "c1", "1001", event.CalloutEnded{Agent: "1001", Purpose: "desk", Result: event.OutAnswered})
		b.change("1001", event.Wrapup, "", "c1")
		b.Post(b.now(), "gz", "c1", "", event.ContactEnded{})
		b.phase("wrapup")
		b.Run(
			webtest.Scenario{Name: "how it went", By: me, URL: desk, Status: 200, Want: []string{`"phase":"wrapup"`, `"result":"answered"`}},
			webtest.Scenario{Name: "of late", By: me, URL: outs, Status: 200, Want: []string{`"number":"139****0137"`, `"result":"answered"`}, Not: []string{"13900000137"}},
			webtest.Scenario{Name: "another's", By: other, URL: outs, Status: 200, Not: []string{"139"}},
			webtest.Scenario{Name: "another cannot call whom I called", By: other, Method: "POST", URL: desk + "/signin", Body: `{"endpoint":"8001"}`, Status: 200},
			webtest.Scenario{Name: "so it is", By: other, Method: "POST", URL: outs, Body: `{"of":"c1"}`, Status: 404, Code: "desk.contact.not_yours"},
			webtest.Scenario{Name: "call back out of the wrap-up", By: me, Method: "POST", URL: outs, Body: `{"of":"c1"}`, Status: 200},
		)
		b.heard("call out 013900000137 desk/c1")
	})
}
