package desk

import (
	"testing"

	"github.com/kapok-hotline/kapok/platform/store"
	"github.com/kapok-hotline/kapok/platform/store/storetest"
	"github.com/kapok-hotline/kapok/platform/web/webtest"
)

// TestNotices: a note for the next shift is anybody's to leave; what must be read keeps who has not from being ready, says
// its title, and its author sees who has read it.
func TestNotices(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		b := newBench(t, db)
		lead, me := b.As("leader", webtest.User("leader1")), b.As("agent", webtest.User("1001"))
		const all = "/api/v1/desk/notices"
		b.Run(
			webtest.Scenario{Name: "none", By: me, URL: all, Status: 200, Want: []string{`[]`}},
			webtest.Scenario{Name: "an agent posts no notice", By: me, Method: "POST", URL: all, Body: `{"kind":"notice","title":"通知","text":""}`, Status: 403},
			webtest.Scenario{Name: "nor what must be read", By: me, Method: "POST", URL: all, Body: `{"kind":"handover","title":"交接","text":"","must":true}`, Status: 403},
			webtest.Scenario{Name: "but a note for the next shift", By: me, Method: "POST", URL: all, Body: `{"kind":"handover","title":"夜班交接","text":"三号来电人明早回电"}`, Status: 200, Want: []string{`"kind":"handover"`, `"by":"1001"`}},
			webtest.Scenario{Name: "sign in", By: me, Method: "POST", URL: "/api/v1/desk/signin", Body: `{"endpoint":"8001"}`, Status: 200},
			webtest.Scenario{Name: "one's own note holds nobody up", By: me, Method: "POST", URL: "/api/v1/desk/state", Body: `{"state":"ready"}`, Status: 200},
			webtest.Scenario{Name: "away again", By: me, Method: "POST", URL: "/api/v1/desk/state", Body: `{"state":"away","reason":"REST"}`, Status: 200},
			webtest.Scenario{Name: "a leader's notice", By: lead, Method: "POST", URL: all, Body: `{"kind":"notice","title":"留抵退税口径更正","text":"按 2026 年第 3 号","must":true,"hours":8}`, Status: 200, Want: []string{`"must":true`}},
			webtest.Scenario{Name: "not ready before it is read", By: me, Method: "POST", URL: "/api/v1/desk/state", Body: `{"state":"ready"}`, Status: 409, Code: "desk.notice.unread"},
			webtest.Scenario{Name: "nothing to read by that name", By: me, Method: "POST", URL: all + "/none/read", Status: 404, Code: "desk.notice.gone"},
		)
		var list []NoticeItem
		me.Get(all).OK().Into(&list)
		if len(list) != 2 || !list[0].Must || list[0].Read != 0 {
			t.Fatalf("told: %+v", list)
		}
		must := list[0].ID
		b.Run(
			webtest.Scenario{Name: "who has not", By: lead, URL: all + "/" + must + "/readers", Status: 200, Want: []string{`"user":"1001"`, `"at":0`}},
			webtest.Scenario{Name: "not an agent's to see", By: me, URL: all + "/" + must + "/readers", Status: 403},
			webtest.Scenario{Name: "not an agent's to withdraw", By: me, Method: "POST", URL: all + "/" + must + "/withdraw", Status: 403},
			webtest.Scenario{Name: "read", By: me, Method: "POST", URL: all + "/" + must + "/read", Status: 200},
			webtest.Scenario{Name: "and again", By: me, Method: "POST", URL: all + "/" + must + "/read", Status: 200},
			webtest.Scenario{Name: "ready", By: me, Method: "POST", URL: "/api/v1/desk/state", Body: `{"state":"ready"}`, Status: 200, Want: []string{`"state":"ready"`}},
			webtest.Scenario{Name: "who has", By: lead, URL: all + "/" + must + "/readers", Status: 200, Want: []string{`"user":"1001"`}, Not: []string{`"at":0`}},
			webtest.Scenario{Name: "withdrawn", By: lead, Method: "POST", URL: all + "/" + must + "/withdraw", Status: 200, Not: []string{"留抵退税"}},
		)
	})
}
