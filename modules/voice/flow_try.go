package voice

import (
	"context"
	"encoding/json"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/engine/flow"
	"github.com/kapok-hotline/kapok/platform/web"
)

func (m *Module) flowRoutes(api *web.API) {
	const flows = "/api/v1/voice/flows"
	web.Get(api, flows, ManageFlows, "Flows and who is changing them", m.flowList)
	web.Get(api, flows+"/{code}", ManageFlows, "A flow for the designer: newest version, draft, layout", m.flowDesign)
	web.Get(api, flows+"/{code}/versions", ManageFlows, "The published versions of a flow, newest first", m.flowVersions)
	web.Get(api, flows+"/{code}/versions/{version}", ManageFlows, "A published version of a flow", m.flowAt)
	web.Post(api, flows+"/{code}/check", ManageFlows, "What publishing would say", m.checkDraft, web.Quiet(), web.MaxBody(maxFlowBody))
	web.Post(api, flows+"/{code}/publish", ManageFlows, "Make a graph the newest version", m.publishFlow, web.MaxBody(maxFlowBody))
	web.Put(api, flows+"/{code}/draft", ManageFlows, "Keep a graph that is being changed", m.keepDraft, web.MaxBody(maxFlowBody))
	web.Delete(api, flows+"/{code}/draft", ManageFlows, "Give a change up", m.dropDraft)
	web.Post(api, "/api/v1/voice/flow-diff", ManageFlows, "What makes one graph out of another", m.flowCompare, web.Quiet(), web.MaxBody(2*maxFlowBody))
	web.Post(api, "/api/v1/voice/flow-try", ManageFlows, "One step of a trial of a graph, in the browser", m.tryFlow, web.Quiet(), web.MaxBody(maxFlowBody))
	m.trialRoutes(api)
}

type tryIn struct {
	Body struct {
		Graph  json.RawMessage   `json:"graph"`
		Cursor json.RawMessage   `json:"cursor,omitempty" doc:"of the step before; none: begin"`
		Input  *flow.Input       `json:"input,omitempty" doc:"what came of the step before"`
		Vars   map[string]string `json:"vars,omitempty" doc:"at the beginning: caller, lang …"`
		NoMenu bool              `json:"no_menu,omitempty"`
	}
}

// TryStep is what a trial does next. It is no call: no contact, no fact, nobody is rung, nothing is counted.
type TryStep struct {
	Problems []FlowProblem `json:"problems" doc:"why the graph cannot run; then there is nothing else"`
	Cursor   *flow.Cursor  `json:"cursor,omitempty"`
	Action   *flow.Action  `json:"action,omitempty"`
	Outcome  string        `json:"outcome,omitempty" doc:"how it would count if it ended now"`
}

type tryOut struct{ Body TryStep }

// tryFlow runs the interpreter of calls over any graph, one step a request; the page plays the prompts and takes the
// keys. Whoever tries it holds the cursor: the house remembers nothing.
func (m *Module) tryFlow(ctx context.Context, in *tryIn) (*tryOut, error) {
	var g flow.Graph
	if err := readGraph(in.Body.Graph, &g); err != nil {
		return nil, err
	}
	f, problems := flow.Compile(g, flow.Env{})
	if len(problems) > 0 {
		return &tryOut{Body: TryStep{Problems: m.problemsOf(ctx, problems)}}, nil
	}
	var cursor flow.Cursor
	var action flow.Action
	if len(in.Body.Cursor) == 0 || in.Body.Input == nil {
		cursor, action = f.Start(m.tryEntry(g.Medium, in.Body.Vars, in.Body.NoMenu))
	} else {
		if err := json.Unmarshal(in.Body.Cursor, &cursor); err != nil {
			return nil, unreadable(err)
		}
		cursor, action = f.Next(cursor, *in.Body.Input)
	}
	return &tryOut{Body: TryStep{Problems: []FlowProblem{}, Cursor: &cursor, Action: &action, Outcome: string(cursor.Outcome())}}, nil
}

// problemsOf says why a graph cannot run, in the reader's language.
func (m *Module) problemsOf(ctx context.Context, problems []flow.Problem) []FlowProblem {
	out := []FlowProblem{}
	for _, p := range problems {
		out = append(out, FlowProblem{
			Node: p.Node, Field: p.Field, Code: p.Code, Text: m.api.Texts().Say(web.Locale(ctx), "fault."+p.Code, m.named(ctx, p.Params)),
		})
	}
	return out
}

// tryEntry is what a call would bring with it now, the switches of the moment but for the menus' left out: who tries a
// flow wants to hear it.
func (m *Module) tryEntry(medium contact.Medium, vars map[string]string, noMenu bool) flow.Entry {
	e := flow.Entry{At: m.now().UnixMilli(), BypassMenu: noMenu, Vars: map[string]string{"lang": m.snap.Load().settings.Language}}
	if medium == "" || medium == contact.Phone {
		e.Vars["number"], e.Vars["caller"] = "12366", "013900000000"
	}
	for k, v := range vars {
		e.Vars[k] = v
	}
	return e
}
