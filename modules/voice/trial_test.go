package voice

import (
	"fmt"
	"testing"

	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/platform/sip/siptest"
	"github.com/kapok-hotline/kapok/platform/web/webtest"
)

// trialGraph asks for a key, looks at the clock, and asks for an agent.
const trialGraph = `{"code":"t","name":"T","start":"m","nodes":[
	{"id":"m","kind":"menu","prompts":["beep"],"keys":[{"key":"1","to":"h"}],"timeout":"e","invalid":"e"},
	{"id":"h","kind":"hours","open":"e","closed":"q","lunch":"e","holiday":"e"},
	{"id":"q","kind":"queue","queue":"vat","failed":"e"},{"id":"e","kind":"hangup"}]}`

const trialsURL = "/api/v1/voice/flow-calls"

// place makes a test call ready and dials it as a telephone; it is answered.
func (h *house) place(who *webtest.Client, more string) (TrialTicket, *line, *siptest.Call) {
	h.t.Helper()
	var ticket TrialTicket
	who.Post(trialsURL, `{"graph":`+trialGraph+`,"base":3`+more+`}`).OK().Into(&ticket)
	l := h.line()
	c := h.dialAs(l, ticket.User, ticket.Secret, ticket.Target)
	c.Answered(l.Expect("SIP/2.0 200"))
	c.Ack("")
	l.connect(c.Answer_.Body)
	return ticket, l, c
}

// looks waits until a test call is at a node doing something.
func (h *house) looks(who *webtest.Client, key, node, doing string) (v TrialView) {
	h.t.Helper()
	h.until("the test call "+doing+"s at "+node, func() bool {
		v = TrialView{}
		who.Get(trialsURL + "/" + key).OK().Into(&v)
		return v.Node == node && v.Doing == doing
	})
	return v
}

// Whoever draws a flow calls it over a real line: the prompts are heard, keys are taken, the page knows where the call
// is, the clock may be set; nobody is rung, no queue is entered, and no fact speaks of a contact.
func TestRowC1TestCall(t *testing.T) {
	h, b := designer(t)
	manager := b.As("manager")
	ticket, l, _ := h.place(manager, `,"state":"closed","caller":"13900000001"`)
	h.until("the prompt is heard", func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		return l.level > 0.05
	})
	if v := h.looks(manager, ticket.ID, "m", "gather"); v.State != "standing" || v.Keys != "1" {
		t.Errorf("at the menu: %+v", v)
	}
	l.press('1')
	v := h.looks(manager, ticket.ID, "q", "queue")
	if len(v.Steps) != 4 || v.Steps[1].Key != "1" || v.To != "vat" {
		t.Errorf("at the queue: %+v", v)
	}
	b.As("agent").Get(trialsURL+"/"+ticket.ID).Fails(403, "web.right.missing")
	manager.Post(trialsURL+"/"+ticket.ID+"/came", `{"what":"full"}`).OK()
	l.Expect("BYE")
	h.until("it has ended", func() bool {
		manager.Get(trialsURL + "/" + ticket.ID).OK().Into(&v)
		return v.State == "ended"
	})
	manager.Post(trialsURL+"/"+ticket.ID+"/came", `{"what":"full"}`).Fails(409, "voice.trial.waits_not")
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.facts) != 1 || len(h.entered) != 0 || len(h.told) != 0 {
		t.Fatalf("it left %v, queues %v, and told the brain %v", h.facts, h.entered, h.told)
	}
	f, ok := h.facts[0].body.(event.FlowTried)
	if !ok || f.Flow != "t" || f.Version != 3 || f.Steps != 4 || f.At != "e" || h.facts[0].contact != ticket.ID {
		t.Errorf("the mark it left: %+v of %s", h.facts[0].body, h.facts[0].contact)
	}
}

// What a test call is placed with opens once, and nothing else.
func TestTestCallIsOneCall(t *testing.T) {
	h, b := designer(t)
	manager := b.As("manager")
	ticket, _, c := h.place(manager, "")
	again := h.line()
	h.dialAs(again, ticket.User, ticket.Secret, ticket.Target)
	again.Expect("SIP/2.0 486")
	wrong := h.line()
	h.dialAs(wrong, ticket.User, "guessed", ticket.Target)
	wrong.Expect("SIP/2.0 40")
	elsewhere := h.lineAt([]byte{127, 0, 0, 2}) // not a trunk's address
	h.dialAs(elsewhere, ticket.User, ticket.Secret, "12366")
	elsewhere.Expect("SIP/2.0 403")
	c.Request("BYE", "")
	var v TrialView
	h.until("it has ended", func() bool {
		manager.Get(trialsURL + "/" + ticket.ID).OK().Into(&v)
		return v.State == "ended"
	})
	late := h.line()
	h.dialAs(late, ticket.User, ticket.Secret, ticket.Target)
	late.Expect("SIP/2.0 486")
	b.Run(
		webtest.Scenario{Name: "an agent places none", As: "agent", Method: "POST", URL: trialsURL, Status: 403, Body: `{"graph":` + trialGraph + `}`},
		webtest.Scenario{
			Name: "a graph that cannot run", As: "manager", Method: "POST", URL: trialsURL, Status: 200,
			Body: `{"graph":{"code":"t","name":"T","start":"x","nodes":[]}}`, Want: []string{`"problems":[{`}, Not: []string{`"secret"`},
		},
		webtest.Scenario{
			Name: "a flow of texts", As: "manager", Method: "POST", URL: trialsURL, Code: "voice.trial.medium",
			Body: `{"graph":{"code":"t","name":"T","medium":"web","start":"e","nodes":[{"id":"e","kind":"hangup"}]}}`,
		},
		webtest.Scenario{Name: "none", As: "manager", Method: "GET", URL: trialsURL + "/nobody", Status: 404, Code: "voice.trial.gone"},
	)
	for range maxTrials - 1 {
		manager.Post(trialsURL, fmt.Sprintf(`{"graph":%s}`, trialGraph)).OK()
	}
	manager.Post(trialsURL, fmt.Sprintf(`{"graph":%s}`, trialGraph)).Fails(503, "voice.trial.full")
}
