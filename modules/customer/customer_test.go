package customer

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/ledger/ledgertest"
	"github.com/kapok-hotline/kapok/platform/store"
	"github.com/kapok-hotline/kapok/platform/store/storetest"
	"github.com/kapok-hotline/kapok/platform/web/webtest"
)

// Synthetic tax IDs, of no firm.
const (
	firmA = "91440103MA99QUKA41"
	firmB = "91440104MA92G19B2M"
	wrong = "91440103MA99QUKA40"
	// One firm's IDs before and after 2015, printed on its own site.
	oldID = "44030071526726X"
	newID = "9144030071526726XG"
)

func TestPop(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := newHouse(t, db)
		if p := h.pop("13900000137"); p.Person != nil || p.ContactsToday != 0 || len(p.History) != 0 || p.Number != "139****0137" || p.City != "" {
			t.Errorf("a number never seen: %s", asJSON(p))
		}
		first := h.call("013900000137", event.WrapupSaved{Topic: "0101", Question: "开票", Answer: "可以"})
		if p := h.pop("+8613900000137"); p.Person != nil || p.ContactsToday != 1 || len(p.History) != 1 {
			t.Errorf("nobody said who it was: %s", asJSON(p))
		}
		second := h.call("013900000137", event.WrapupSaved{TaxID: " 91440103ma99quka41 ", Name: "木棉商行", Topic: "0203", Question: "红字发票", Answer: "先填信息表"})
		third := h.call("02083330000", event.WrapupSaved{TaxID: firmA, Topic: "0101"})

		p := h.pop("139 0000 0137")
		if p.Person == nil || p.Person.Name != "木棉商行" || p.Person.TaxID != "914***********KA41" || p.Person.Type != "firm" {
			t.Fatalf("who: %s", asJSON(p))
		}
		if p.ContactsToday != 2 || len(p.History) != 3 {
			t.Errorf("two from this number, and one by the firm's other: %s", asJSON(p))
		}
		if got := []string{string(p.History[0].Contact), string(p.History[1].Contact), string(p.History[2].Contact)}; !slices.Equal(got, []string{third, second, first}) {
			t.Errorf("the newest first: %q", got)
		}
		if x := p.History[1]; x.AgentName != "坐席甲" || x.Topic != "0203" || x.Question != "红字发票" || x.Outcome != contact.Answered || x.Queue != "vat" || x.From != "139****0137" {
			t.Errorf("history: %s", asJSON(x))
		}
		if p := h.pop("020-83330000"); p.City != "广州" || p.Number != "020-****0000" || p.Person == nil || p.Person.Name != "木棉商行" {
			t.Errorf("by the other number: %s", asJSON(p))
		}
		if p := h.pop("anonymous"); p.Number != "" || p.Person != nil || p.History == nil {
			t.Errorf("withheld: %s", asJSON(p))
		}
		h.clock.Advance(24 * time.Hour)
		if p := h.pop("13900000137"); p.ContactsToday != 0 || len(p.History) != 3 {
			t.Errorf("the next day: %s", asJSON(p))
		}
		ledgertest.Holds(t, h.l)
	})
}

func TestWhoIsWho(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := newHouse(t, db)
		people := func() int { return h.count(`SELECT COUNT(*) FROM customer_person`) }

		h.call("013900000001", event.WrapupSaved{TaxID: wrong, Question: "?"})
		if people() != 0 {
			t.Error("a wrong tax ID made a person")
		}
		h.call("013900000001", event.WrapupSaved{Name: "张三"})
		h.call("013900000001", event.WrapupSaved{Name: "张三丰"})
		if p := h.pop("13900000001"); people() != 1 || p.Person.Name != "张三丰" || p.Person.Type != "" {
			t.Errorf("a better name: %d people, %s", people(), asJSON(p.Person))
		}
		h.call("013900000001", event.WrapupSaved{TaxID: "11010519491231002X"})
		if p := h.pop("13900000001"); people() != 1 || p.Person.Type != "person" || p.Person.TaxID != "110***********002X" {
			t.Errorf("the same person's identity: %d people, %s", people(), asJSON(p.Person))
		}
		h.call("013900000001", event.WrapupSaved{TaxID: firmB, Name: "他的公司"})
		if p := h.pop("13900000001"); people() != 2 || p.Person.Name != "他的公司" {
			t.Errorf("calling for a firm: %d people, %s", people(), asJSON(p.Person))
		}
		h.call("013900000001", event.WrapupSaved{Name: "会计小王"})
		if p := h.pop("13900000001"); people() != 2 || p.Person.Name != "他的公司" {
			t.Errorf("who calls from a firm does not rename it: %s", asJSON(p.Person))
		}
		h.call("02083330001", event.WrapupSaved{TaxID: oldID, Name: "老公司"})
		h.call("02083330002", event.WrapupSaved{TaxID: newID})
		if p := h.pop("02083330002"); people() != 3 || p.Person.Name != "老公司" || p.Person.TaxID != "914***********26XG" {
			t.Errorf("old and new ID are one firm: %d people, %s", people(), asJSON(p.Person))
		}
		h.call("", event.WrapupSaved{TaxID: firmA, Name: "不显号"})
		if got, err := h.find(t.Context(), firmA, store.Page{}); err != nil || len(got.Rows) != 1 || got.Rows[0].Contacts != 1 {
			t.Errorf("a firm that withholds its number: %v %s", err, asJSON(got))
		}
		ledgertest.Holds(t, h.l)
	})
}

func TestOtherChannelsAndOutbound(t *testing.T) {
	h := newHouse(t, storetest.SQLite(t))
	h.fact("C1", event.ContactStarted{Medium: contact.WeChat, Direction: contact.In, From: "oABC-openid"})
	h.fact("C1", event.WrapupSaved{Agent: "1002", Name: "微信用户", Final: true})
	h.fact("C2", event.ContactStarted{Medium: contact.Phone, Direction: contact.Out, From: "12366", To: "13900000009"})
	h.fact("C2", event.ContactLost{})
	h.fact("C3", event.ContactEnded{Outcome: contact.Left}) // started before the ledger did
	if p := h.pop("13900000009"); len(p.History) != 1 || p.History[0].Outcome != contact.Failed {
		t.Errorf("a call to somebody is theirs: %s", asJSON(p))
	}
	got, err := h.find(t.Context(), "微信", store.Page{})
	if err != nil || len(got.Rows) != 1 {
		t.Fatalf("%v %s", err, asJSON(got))
	}
	w, err := h.whole(t.Context(), got.Rows[0].ID, 1<<62, 10)
	if err != nil || len(w.Identifiers) != 1 || w.Identifiers[0].Kind != "wechat" || strings.Contains(asJSON(w), "openid") {
		t.Errorf("%v %s", err, asJSON(w))
	}
}

// A rebuild from the facts gives the same rows, ids included.
func TestRebuild(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := newHouse(t, db)
		for i := range 12 {
			h.call("01390000000"+string(rune('0'+i%4)), event.WrapupSaved{TaxID: []string{firmA, "", firmB, oldID, newID}[i%5], Name: []string{"甲公司", "乙", ""}[i%3], Question: "问"})
		}
		rows := func() string {
			var b strings.Builder
			for _, q := range []string{
				`SELECT id || name || kind || CAST(first_at AS TEXT) || CAST(last_at AS TEXT) || CAST(contacts AS TEXT) FROM customer_person ORDER BY id`,
				`SELECT kind || value || person || CAST(at AS TEXT) FROM customer_identifier ORDER BY kind, value, person`,
				`SELECT gram || person FROM customer_gram ORDER BY gram, person`,
				`SELECT contact || person || agent || outcome || question FROM customer_contact ORDER BY contact`,
			} {
				list, err := store.All(t.Context(), db, q, store.Col[string])
				if err != nil {
					t.Fatal(err)
				}
				b.WriteString(strings.Join(list, "\n") + "\n\n")
			}
			return b.String()
		}
		before := rows()
		if err := h.l.Rebuild(t.Context(), "customer"); err != nil {
			t.Fatal(err)
		}
		if after := rows(); after != before {
			t.Errorf("before\n%s\nafter\n%s", before, after)
		}
		ledgertest.Holds(t, h.l)
	})
}

func TestFind(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := newHouse(t, db)
		h.call("013900000001", event.WrapupSaved{TaxID: firmA, Name: "广州木棉贸易有限公司"})
		h.call("013900000002", event.WrapupSaved{TaxID: firmB, Name: "广州珠江贸易有限公司"})
		h.call("013900000003", event.WrapupSaved{Name: "Kapok 100% Trading"})
		for q, want := range map[string][]string{
			"木棉":            {"广州木棉贸易有限公司"},
			"贸易有限":          {"广州珠江贸易有限公司", "广州木棉贸易有限公司"},
			"kapok":         {"Kapok 100% Trading"},
			"100%":          {"Kapok 100% Trading"},
			"0% t":          {"Kapok 100% Trading"},
			"易贸":            nil,
			"139 0000 0002": {"广州珠江贸易有限公司"},
			firmB:           {"广州珠江贸易有限公司"},
			wrong:           nil,
			"13911111111":   nil,
			"":              {"Kapok 100% Trading", "广州珠江贸易有限公司", "广州木棉贸易有限公司"},
		} {
			s, err := h.find(t.Context(), q, store.Page{})
			if err != nil {
				t.Errorf("%q: %v", q, err)
			}
			var got []string
			for _, p := range s.Rows {
				got = append(got, p.Name)
			}
			if !slices.Equal(got, want) {
				t.Errorf("%q finds %q, want %q", q, got, want)
			}
		}
		for _, q := range []string{"", "贸易"} {
			var all []string
			p := store.Page{Limit: 1}
			for range 5 {
				s, err := h.find(t.Context(), q, p)
				if err != nil {
					t.Fatal(err)
				}
				for _, r := range s.Rows {
					all = append(all, r.Name)
				}
				if p.After = s.Next; p.After == "" {
					break
				}
			}
			if want := map[string]int{"": 3, "贸易": 2}[q]; len(all) != want {
				t.Errorf("%q page by page: %q", q, all)
			}
		}
	})
}

func TestRoutes(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := newHouse(t, db)
		c := h.call("013900000137", event.WrapupSaved{TaxID: firmA, Name: "木棉商行", Question: "开票"})
		s, err := h.find(t.Context(), "", store.Page{})
		if err != nil {
			t.Fatal(err)
		}
		who := s.Rows[0].ID
		b := webtest.New(t, h.Module)
		b.Tree("gz", "gd")
		see, reveal := []webtest.Option{webtest.With(See)}, []webtest.Option{webtest.With(See, Reveal)}
		b.Run(
			webtest.Scenario{Name: "nobody", Method: "GET", URL: "/api/v1/people", Status: 401},
			webtest.Scenario{Name: "without the right", As: "none", Method: "GET", URL: "/api/v1/people", Status: 403},
			webtest.Scenario{
				Name: "by number, masked", As: "none", Opts: see, Method: "GET", URL: "/api/v1/people?q=13900000137", Status: 200,
				Want: []string{`"name":"木棉商行"`, `"tax_id":"914***********KA41"`, `"contacts":1`}, Not: []string{firmA, "0137"},
			},
			webtest.Scenario{Name: "one letter", As: "none", Opts: see, Method: "GET", URL: "/api/v1/people?q=%E6%9C%A8", Status: 422, Code: "customer.query.short"},
			webtest.Scenario{
				Name: "the person", As: "none", Opts: see, Method: "GET", URL: "/api/v1/people/" + who, Status: 200,
				Want: []string{`"kind":"number","value":"139****0137"`, `"agent_name":"坐席甲"`, `"question":"开票"`}, Not: []string{firmA, "13900000137"},
			},
			webtest.Scenario{Name: "there is none", As: "none", Opts: see, Method: "GET", URL: "/api/v1/people/nobody", Status: 404, Code: "customer.person.missing"},
			webtest.Scenario{Name: "reveal needs its own right", As: "none", Opts: see, Method: "POST", URL: "/api/v1/people/" + who + "/reveal", Body: `{"reason":"回访"}`, Status: 403},
			webtest.Scenario{Name: "and a reason", As: "none", Opts: reveal, Method: "POST", URL: "/api/v1/people/" + who + "/reveal", Body: `{"reason":"  "}`, Status: 422, Code: "customer.reveal.reason", Not: []string{firmA}},
			webtest.Scenario{
				Name: "then it shows", As: "none", Opts: reveal, Method: "POST", URL: "/api/v1/people/" + who + "/reveal", Body: `{"reason":"回访核对"}`, Status: 200,
				JSON: `{"identifiers":[{"kind":"number","value":"13900000137"},{"kind":"tax","value":"` + firmA + `"}]}`,
			},
			webtest.Scenario{Name: "a contact's number", As: "none", Opts: reveal, Method: "POST", URL: "/api/v1/contacts/" + c + "/reveal", Body: `{"reason":"回拨"}`, Status: 200, JSON: `{"number":"13900000137"}`},
			webtest.Scenario{Name: "not of another city's", As: "none", Opts: []webtest.Option{webtest.With(Reveal), webtest.At("sz")}, Method: "POST", URL: "/api/v1/contacts/" + c + "/reveal", Body: `{"reason":"回拨"}`, Status: 403},
			webtest.Scenario{Name: "no such contact", As: "none", Opts: reveal, Method: "POST", URL: "/api/v1/contacts/" + id.New(noon) + "/reveal", Body: `{"reason":"回拨"}`, Status: 404, Code: "customer.contact.missing"},
		)
		found := false
		for _, e := range b.Audit() {
			found = found || e.Action == "POST /api/v1/people/{id}/reveal" && e.Outcome == "ok" && e.Detail["reason"] == "回访核对" && e.Subject["id"] == who
			if strings.Contains(asJSON(e), firmA) || strings.Contains(asJSON(e), "13900000137") {
				t.Errorf("the audit holds what was revealed: %s", asJSON(e))
			}
		}
		if !found {
			t.Errorf("the look was not audited with its reason: %s", asJSON(b.Audit()))
		}
		b.CheckRoutes(h.Rights()...)
	})
}

func TestMigrations(t *testing.T) {
	storetest.Migrations(t, "customer", New(Deps{}).Migrations())
}
