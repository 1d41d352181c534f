package desk

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/kapok-hotline/kapok/platform/store"
	"github.com/kapok-hotline/kapok/platform/store/storetest"
	"github.com/kapok-hotline/kapok/platform/web/webtest"
)

// TestRowD5TaxID: a tax ID of each form is kept when its check digit fits, and one that does not fit only with a reason,
// which the ledger has.
func TestRowD5TaxID(t *testing.T) {
	b := newBench(t, storetest.SQLite(t))
	me := b.As("agent", webtest.User("1001"))
	b.Run(webtest.Scenario{Name: "sign in", By: me, Method: "POST", URL: "/api/v1/desk/signin", Body: `{"endpoint":"8001"}`, Status: 200})
	b.ring()
	b.answer()
	const done = "/api/v1/desk/contacts/c1/wrapup/done"
	body := func(w Wrapup) string {
		raw, err := json.Marshal(map[string]any{"state": "ready", "wrapup": w})
		if err != nil {
			t.Fatal(err)
		}
		return string(raw)
	}
	for _, x := range []struct {
		id, why string
		status  int
	}{
		{"91440103MA99QUKA41", "", 200}, // 18, of a firm
		{"440106198202020555", "", 200}, // 18, of a person
		{"44030071526726X", "", 200},    // 15
		{"44010619820202055500", "", 200},
		{"91440103MA99QUKA40", "", 422},
		{"91440103MA99QUKA40", " ", 422},
		{"91440103MA99QUKA40", "x", 422},
		{"91440103MA99QUKA40", "来电人坚持无误", 200},
		{"9144", "只记得前四位", 200},
		{"", "", 200},
	} {
		s := webtest.Scenario{Name: x.id + " " + x.why, By: me, Method: "POST", URL: done, Body: body(Wrapup{TaxID: x.id, TaxIDWhy: x.why}), Status: x.status}
		if x.status != 200 {
			s.Code = "desk.tax_id.wrong"
		}
		b.Run(s)
	}
	me.Put("/api/v1/desk/contacts/c1/wrapup", Wrapup{TaxID: "91440103MA99QUKA41", TaxIDWhy: "none is needed"}).OK()
	var kept Wrapup
	me.Get("/api/v1/desk/contacts/c1/wrapup").OK().Into(&kept)
	if kept.TaxIDWhy != "" {
		t.Errorf("a right tax ID keeps the reason %q", kept.TaxIDWhy)
	}
}

// TestRowD5Suggestions: topics, the tax type nearly all have, answers of one's own or given by several, and the person's
// last topic.
func TestRowD5Suggestions(t *testing.T) {
	w := func(agent, topic, taxType, answer, refer string) writtenBefore {
		return writtenBefore{agent: "", Wrapup: Wrapup{Topic: topic, TaxType: taxType, Answer: answer, Refer: refer, Name: agent}}
	}
	var all []writtenBefore
	add := func(agent, topic, taxType, answer, refer string) {
		x := w(agent, topic, taxType, answer, refer)
		x.agent = "1002"
		if agent == "me" {
			x.agent = "1001"
		}
		all = append(all, x)
	}
	add("me", "0101", "01", "mine", "")
	add("other", "0101", "01", "given twice", "办税厅")
	add("other", "0101", "01", "given twice", "办税厅")
	add("other", "0101", "01", "told one person", "")
	add("other", "0102", "02", strings.Repeat("长", answerLong+1), "")
	add("other", "0102", "03", strings.Repeat("长", answerLong+1), "")
	add("other", "", "", "no topic", "稽查局")
	got := suggestions(all, "1001")
	raw, _ := json.Marshal(got)
	want := `{"topics":["0101"],"by_topic":[{"topic":"0101","tax_type":"01","answers":["given twice","mine"]},{"topic":"0102","answers":[]}],"refers":["办税厅","稽查局"]}`
	if string(raw) != want {
		t.Errorf("got  %s\nwant %s", raw, want)
	}
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		b := newBench(t, db)
		me, other := b.As("agent", webtest.User("1001")), b.As("agent", webtest.User("1002"))
		b.Run(webtest.Scenario{Name: "sign in", By: me, Method: "POST", URL: "/api/v1/desk/signin", Body: `{"endpoint":"8001"}`, Status: 200})
		b.ring()
		b.answer()
		const url = "/api/v1/desk/contacts/c1/suggestions"
		b.Run(
			webtest.Scenario{Name: "nothing written yet", By: me, URL: url, Status: 200, Want: []string{`"by_topic":[]`}},
			webtest.Scenario{Name: "not of another's contact", By: other, URL: url, Status: 404, Code: "desk.contact.not_yours"},
			webtest.Scenario{Name: "written", By: me, Method: "POST", URL: "/api/v1/desk/contacts/c1/wrapup/done", Body: `{"state":"ready","wrapup":{"topic":"0101","tax_type":"01","answer":"登录电子税务局","refer":"办税厅","satisfied":"5"}}`, Status: 200},
			webtest.Scenario{Name: "no such grade", By: me, Method: "POST", URL: "/api/v1/desk/contacts/c1/wrapup/done", Body: `{"state":"ready","wrapup":{"satisfied":"6"}}`, Status: 422},
		)
		b.Run(webtest.Scenario{Name: "suggested", By: me, URL: url, Status: 200, Want: []string{`"answers":["登录电子税务局"]`, `"refers":["办税厅"]`, `"topics":["0101"]`}})
	})
}
