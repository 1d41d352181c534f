package desk

import (
	"testing"

	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/platform/store/storetest"
	"github.com/kapok-hotline/kapok/platform/web/webtest"
)

// TestConsult walks an agent through asking somebody: what the page is told at each step, and what is refused.
func TestConsult(t *testing.T) {
	b := newBench(t, storetest.SQLite(t))
	me, other := b.As("agent", webtest.User("1001")), b.As("agent", webtest.User("1002"))
	const desk = "/api/v1/desk"
	on := func(what string) string { return desk + "/contacts/c1/" + what }
	b.Run(webtest.Scenario{Name: "sign in", By: me, Method: "POST", URL: desk + "/signin", Body: `{"endpoint":"8001"}`, Status: 200})
	b.ring()
	b.Run(webtest.Scenario{Name: "not while it rings", By: me, Method: "POST", URL: on("consult"), Body: `{"kind":"agent","code":"1002"}`, Status: 409, Code: "desk.contact.phase"})
	b.answer()
	b.Run(
		webtest.Scenario{Name: "without the right", As: "none", Method: "POST", URL: on("consult"), Body: `{"kind":"agent","code":"1002"}`, Status: 403},
		webtest.Scenario{Name: "not somebody else's", By: other, Method: "POST", URL: on("consult"), Body: `{"kind":"agent","code":"1003"}`, Status: 404, Code: "desk.contact.not_yours"},
		webtest.Scenario{Name: "nobody named", By: me, Method: "POST", URL: on("consult"), Body: `{"kind":"agent","code":" "}`, Status: 422, Code: "desk.transfer.nowhere"},
		webtest.Scenario{Name: "ask a colleague", By: me, Method: "POST", URL: on("consult"), Body: `{"kind":"agent","code":"1002"}`, Status: 200, Want: []string{`"consult":{`, `"name":"name of 1002"`, `"with":"ringing"`}},
	)
	b.heard("consult agent 1002")
	b.Run(
		webtest.Scenario{Name: "three talk", By: me, Method: "POST", URL: on("consult/turn"), Body: `{"with":"both"}`, Status: 200, Want: []string{`"parties":[{`, `"leg":"p1002"`, `"name":"name of 1002"`}},
		webtest.Scenario{Name: "an unknown word", By: me, Method: "POST", URL: on("consult/turn"), Body: `{"with":"all"}`, Status: 422},
		webtest.Scenario{Name: "go back", By: me, Method: "POST", URL: on("consult/end"), Status: 200},
	)
	b.heard("consult ends")
	b.Run(webtest.Scenario{Name: "an outside number is masked", By: me, Method: "POST", URL: on("consult"), Body: `{"kind":"number","code":"13900000137","join":true}`, Status: 200, Want: []string{`"leg":"p13900000137"`, `"code":"139****0137"`}})
	party := func(leg, what string) string { return on("parties/" + leg + "/" + what) }
	b.Run(
		webtest.Scenario{Name: "two parties", By: me, URL: desk, Status: 200, Want: []string{`"leg":"p1002"`, `"leg":"p13900000137"`}},
		webtest.Scenario{Name: "mute one", By: me, Method: "POST", URL: party("p1002", "mute"), Body: `{"muted":true}`, Status: 200, Want: []string{`"muted":true`}},
		webtest.Scenario{Name: "not somebody else's party", By: other, Method: "POST", URL: party("p1002", "drop"), Status: 404, Code: "desk.contact.not_yours"},
		webtest.Scenario{Name: "drop one", By: me, Method: "POST", URL: party("p1002", "drop"), Status: 200, Want: []string{`"leg":"p13900000137"`}},
	)
	b.heard("drop p1002")
	if k := b.m.floor.agents["1001"].cards["c1"]; len(k.parties) != 1 || k.asks != nil {
		t.Errorf("parties %+v, asked %+v", k.parties, k.asks)
	}
	b.Run(webtest.Scenario{Name: "hand over", By: me, Method: "POST", URL: on("consult/complete"), Status: 200})
	b.heard("consult completed")
	b.Post(b.now(), "gz", "c1", "1001", event.ConsultBegun{Agent: "1001"})
	b.Post(b.now(), "gz", "c1", "1001", event.ConsultEnded{Agent: "1001", Why: "contact.busy"})
	b.Post(b.now(), "gz", "c1", "1001", event.LegHeld{Leg: "leg1"})
	b.Post(b.now(), "gz", "c1", "1001", event.LegRecalled{Leg: "leg1", Agent: "1001"})
	b.phase("held")
	b.Run(webtest.Scenario{Name: "why nobody answered, and a forgotten hold", By: me, URL: desk, Status: 200, Want: []string{`"unasked":"contact.busy"`, `"recalled":1`}})
	b.Post(b.now(), "gz", "c1", "1001", event.LegResumed{Leg: "leg1"})
	b.phase("talking")
	if k := b.m.floor.agents["1001"].cards["c1"]; k.recalled != 0 {
		t.Errorf("recalled %d after the hold", k.recalled)
	}
}

// The cards of the talk's queue come before those of every queue, and another queue's not at all.
func TestEmergencyCards(t *testing.T) {
	db := storetest.SQLite(t)
	b := newBench(t, db)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []EmergencyCard{
		{Code: "fire", Number: "119", Name: "火警", Say: "地址？", Order: 2},
		{Code: "police", Number: "110", Name: "报警", Say: "在哪里？", Order: 1},
		{Code: "vat", Queue: "vat", Number: "120", Name: "急救", Say: "人还清醒吗？"},
		{Code: "iit", Queue: "iit", Number: "120", Name: "急救", Say: "?"},
	} {
		must(emergencyTable.Put(t.Context(), db, c.Code, c))
	}
	must(b.m.reload(t.Context()))
	me := b.As("agent", webtest.User("1001"))
	b.Run(webtest.Scenario{Name: "sign in", By: me, Method: "POST", URL: "/api/v1/desk/signin", Body: `{"endpoint":"8001"}`, Status: 200})
	b.ring()
	b.answer()
	var got []EmergencyCard
	me.Get("/api/v1/desk/contacts/c1/emergency").OK().Into(&got)
	order := ""
	for _, c := range got {
		order += c.Code + " "
	}
	if order != "vat police fire " {
		t.Errorf("cards: %s", order)
	}
}
