package desk

import (
	"testing"

	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/store/storetest"
	"github.com/kapok-hotline/kapok/platform/web/webtest"
)

// Who was handed a call past the queues is ready at once when it ends, and may still write what it was about.
func TestHandedOverIsWrittenAbout(t *testing.T) {
	b := newBench(t, storetest.SQLite(t))
	me, other := b.As("agent", webtest.User("1001")), b.As("agent", webtest.User("1002"))
	me.Post("/api/v1/desk/signin", `{"endpoint":"8002"}`).OK()
	b.Post(b.now(), "gz", "c1", "1001", event.LegStarted{Leg: "leg1", Role: "agent", Agent: "1001"})
	b.Post(b.now(), "gz", "c1", "1001", event.LegAnswered{Leg: "leg1"})
	b.phase("talking")
	b.change("1001", event.Ready, "", "")
	b.Post(b.now(), "gz", "c1", "1001", event.LegEnded{Leg: "leg1", Role: "agent", Agent: "1001"})
	b.phase("")
	const url = "/api/v1/desk/contacts/c1/wrapup/done"
	b.Run(
		webtest.Scenario{Name: "not who never had it", By: other, Method: "POST", URL: url, Body: `{"state":"ready"}`, Status: 404, Code: "desk.contact.not_yours"},
		webtest.Scenario{Name: "who had it", By: me, Method: "POST", URL: url, Body: `{"state":"ready","wrapup":{"answer":"done"}}`, Status: 200},
	)
}

func TestHadIsBounded(t *testing.T) {
	h := hadOf{}
	for i := range hadKept + 3 {
		h.keep("1001", id.Contact(rune('a'+i)))
	}
	if len(h["1001"]) != hadKept || h["1001"][0] != "d" {
		t.Errorf("remembers %v", h["1001"])
	}
}
