package voice

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/engine/flow"
	"github.com/kapok-hotline/kapok/platform/section"
	"github.com/kapok-hotline/kapok/platform/web/webtest"
)

// designer is a house whose flows are published through the configuration, and its pages.
func designer(t *testing.T) (*house, *webtest.Bench) {
	t.Helper()
	h := newHouse(t)
	must(t, promptTable.Put(t.Context(), h.deps.DB, "beep", Prompt{Code: "beep", Name: "beep"}))
	book, err := section.New(t.Context(), section.Config{DB: h.deps.DB}, h.Sections()...)
	must(t, err)
	h.deps.Publish = book
	b := webtest.New(t, h.Module)
	must(t, b.Server.Texts().Add(section.Texts()))
	must(t, b.Server.Texts().Add(flow.Texts()))
	return h, b
}

const flowsURL = "/api/v1/voice/flows"

// tea leads to the queue vat, for some by a detour.
func tea(name, extra string) string {
	return fmt.Sprintf(`{"code":"tea","name":%q,"start":"which","nodes":[
		{"id":"which","kind":"branch","cases":[{"var":"lang","values":["en"],"to":"q"}],"else":"set"},
		{"id":"set","kind":"set","set":{"a":"b"},"next":"q"},
		{"id":"q","kind":"queue","queue":"vat"}%s]}`, name, extra)
}

// Versions with who and why, refusals with the node they concern, drafts that callers do not hear, roll-back.
func TestRowC1FlowDesigner(t *testing.T) {
	_, b := designer(t)
	publish := func(name string, base int, why, graph string, status int, want ...string) webtest.Scenario {
		return webtest.Scenario{
			Name: name, As: "manager", Method: "POST", URL: flowsURL + "/tea/publish", Status: status, Want: want,
			Body: fmt.Sprintf(`{"graph":%s,"base":%d,"why":%q}`, graph, base, why),
		}
	}
	check := func(name, graph string, want ...string) webtest.Scenario {
		return webtest.Scenario{
			Name: name, As: "manager", Method: "POST", URL: flowsURL + "/tea/check", Status: 200, Want: want, Body: `{"graph":` + graph + `}`,
		}
	}
	get := func(name, url string, want ...string) webtest.Scenario {
		return webtest.Scenario{Name: name, As: "manager", Method: "GET", URL: flowsURL + url, Status: 200, Want: want}
	}
	b.Run(
		webtest.Scenario{Name: "an agent draws no flows", As: "agent", Method: "GET", URL: flowsURL, Status: 403},
		publish("the first version", 0, "tea time", tea("Tea", ""), 200, `"version":1`, `"problems":[]`),
		check("an unreachable node", tea("Tea", `,{"id":"lost","kind":"hangup"}`), `"node":"lost"`, `flow.node.unreachable`, `没有任何路径`),
		check("a missing prompt", tea("Tea", `,{"id":"p","kind":"play","next":"q"}`), `"node":"p"`, `"field":"prompts"`),
		check("a prompt nobody recorded", tea("Tea", `,{"id":"p","kind":"play","prompts":["nobody"],"next":"q"}`), `"node":"p"`, `flow.prompt.unknown`),
		check("an endless loop", strings.Replace(tea("Tea", ""), `"next":"q"`, `"next":"which"`, 1), `flow.loop.endless`, `"node":"set"`),
		check("nothing new", tea("Tea", ""), `"same":true`),
		publish("refused with every reason", 1, "worse", tea("Tea", `,{"id":"lost","kind":"hangup"}`), 200, `"version":0`, `flow.node.unreachable`),
		publish("no reason given", 1, "", tea("Green tea", ""), 422),
		publish("the second version", 1, "greener", tea("Green tea", ""), 200, `"version":2`),
		publish("who comes second is told", 1, "black", tea("Black tea", ""), 409, `"code":"voice.flow.newer"`),
		publish("nothing changed", 2, "again", tea("Green tea", ""), 409, `"code":"voice.flow.same"`),
		get("the list", "/tea/versions", `"version":2`, `"why":"greener"`, `"actor":"manager-1"`, `"why":"tea time"`),
		get("an old one", "/tea/versions/1", `"name":"Tea"`),
		webtest.Scenario{Name: "one that never was", As: "manager", Method: "GET", URL: flowsURL + "/tea/versions/9", Status: 404, Code: "voice.flow.version"},
		publish("roll-back is the old one as a new one", 2, "back to 1", tea("Tea", ""), 200, `"version":3`),
		webtest.Scenario{
			Name: "a draft need not be whole", As: "manager", Method: "PUT", URL: flowsURL + "/tea/draft", Status: 200, Want: []string{`"base":3`},
			Body: `{"base":3,"layout":{"q":[10,20]},"graph":{"code":"tea","name":"Half","start":"","nodes":[{"id":"q","kind":"play"}]}}`,
		},
		get("the draft and where it stands", "/tea", `"version":3`, `"name":"Half"`, `"q":[10,20]`, `"kind":"menu"`, `"ports":["keys","timeout","invalid","bypass"]`),
		get("all flows and who changes them", "", `"code":"tea"`, `"draft":{`, `"code":"straight"`),
		publish("publishing ends the draft", 3, "final", tea("Final", ""), 200, `"version":4`),
		webtest.Scenario{
			Name: "a draft of a flow there is not", As: "manager", Method: "PUT", URL: flowsURL + "/new/draft", Status: 200,
			Body: `{"base":0,"graph":{"code":"new","name":"New","start":"","nodes":[]}}`,
		},
		get("it is in the list", "", `"code":"new"`, `"version":0`),
		webtest.Scenario{Name: "given up", As: "manager", Method: "DELETE", URL: flowsURL + "/new/draft", Status: 204},
		webtest.Scenario{Name: "and gone", As: "manager", Method: "GET", URL: flowsURL + "/new", Status: 404, Code: "voice.flow.none"},
		webtest.Scenario{
			Name: "what makes one of another", As: "manager", Method: "POST", URL: "/api/v1/voice/flow-diff", Status: 200,
			Body: `{"before":` + tea("Tea", "") + `,"after":` + tea("Tee", `,{"id":"x","kind":"hangup"}`) + `}`,
			Want: []string{`"field":"name"`, `"before":"Tea"`, `"node":"x"`, `"what":"added"`},
		},
	)
}

// A call keeps the version it came in under, whatever is published meanwhile.
func TestRowC1CallsKeepTheirVersion(t *testing.T) {
	h, b := designer(t)
	c := h.call("12366")
	h.has("contact.stepped menu", 1)
	b.Run(webtest.Scenario{
		Name: "published meanwhile", As: "manager", Method: "POST", URL: flowsURL + "/menu/publish", Status: 200, Want: []string{`"version":2`},
		Body: `{"base":1,"why":"all hang up","graph":{"code":"menu","name":"m","start":"end","nodes":[{"id":"end","kind":"hangup"}]}}`,
	})
	must(t, h.reload(t.Context()))
	c.press('1')
	h.waits(1) // by the menu that is no more
	late := h.call("12366")
	late.Expect("BYE") // by the new version
	h.mu.Lock()
	defer h.mu.Unlock()
	var versions []int
	for _, f := range h.facts {
		if g, ok := f.body.(event.ContactGuided); ok {
			versions = append(versions, g.Version)
		}
	}
	if !slices.Equal(versions, []int{1, 2}) {
		t.Errorf("guided by versions %v", versions)
	}
}

// A trial runs the interpreter of calls over a graph nobody has published, and leaves no fact.
func TestRowC1TrialInTheBrowser(t *testing.T) {
	h, b := designer(t)
	graph := `{"code":"t","start":"m","nodes":[
		{"id":"m","kind":"menu","prompts":["beep"],"keys":[{"key":"1","to":"q"}],"timeout":"e","invalid":"e"},
		{"id":"q","kind":"queue","queue":"vat"},{"id":"e","kind":"hangup"}]}`
	const url = "/api/v1/voice/flow-try"
	b.Run(
		webtest.Scenario{
			Name: "it begins", As: "manager", Method: "POST", URL: url, Status: 200, Body: `{"graph":` + graph + `}`,
			Want: []string{`"prompts":["beep"]`, `"keys":"1"`, `"node":"m"`},
		},
		webtest.Scenario{
			Name: "a key", As: "manager", Method: "POST", URL: url, Status: 200,
			Body: `{"graph":` + graph + `,"cursor":{"flow":"t","version":0,"node":"m","steps":1},"input":{"kind":"digits","digits":"1"}}`,
			Want: []string{`"queue":"vat"`, `"key":"1"`},
		},
		webtest.Scenario{
			Name: "silence asks again", As: "manager", Method: "POST", URL: url, Status: 200,
			Body: `{"graph":` + graph + `,"cursor":{"flow":"t","version":0,"node":"m","steps":1},"input":{"kind":"timeout"}}`,
			Want: []string{`"why":"timeout"`, `"try":1`},
		},
		webtest.Scenario{
			Name: "a graph that cannot run says why", As: "manager", Method: "POST", URL: url, Status: 200,
			Body: `{"graph":{"code":"t","start":"x","nodes":[{"id":"e","kind":"hangup"}]}}`, Want: []string{`flow.target.missing`},
		},
	)
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.facts) > 0 || len(h.entered) > 0 {
		t.Errorf("a trial was counted: %v", h.facts)
	}
}
