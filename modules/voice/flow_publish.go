package voice

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"regexp"
	"strings"

	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/core/right"
	"github.com/kapok-hotline/kapok/engine/flow"
	"github.com/kapok-hotline/kapok/platform/section"
	"github.com/kapok-hotline/kapok/platform/store"
	"github.com/kapok-hotline/kapok/platform/web"
)

// FlowProblem is one reason why a graph cannot be published, as a sentence at its node.
type FlowProblem struct {
	Node  string `json:"node" doc:"empty: the flow as a whole"`
	Field string `json:"field" doc:"of the node: timeout, keys[1]"`
	Code  string `json:"code"`
	Text  string `json:"text" doc:"in the reader's language"`
}

type checkIn struct {
	OnFlow
	Body struct {
		Graph json.RawMessage `json:"graph"`
	}
}

type checkOut struct {
	Body struct {
		Problems []FlowProblem `json:"problems"`
		Same     bool          `json:"same" doc:"just as it is published"`
	}
}

// checkDraft says what publishing would say, and publishes nothing.
func (m *Module) checkDraft(ctx context.Context, in *checkIn) (*checkOut, error) {
	res, err := m.deps.Publish.Put(ctx, "flows", in.Code, in.Body.Graph, m.publishing(ctx, true))
	if err != nil {
		return nil, err
	}
	out := &checkOut{}
	out.Body.Problems = m.problems(ctx, in.Code, res.Problems)
	out.Body.Same = len(res.Problems) == 0 && len(res.Changes) == 0
	return out, nil
}

func (m *Module) publishing(ctx context.Context, dry bool) section.Options {
	return section.Options{
		By: whoAsks(ctx), DryRun: dry,
		May: func(_ string, r right.Right, site id.Site) error { return web.May(ctx, r, site) },
	}
}

var inFlow = regexp.MustCompile(`^(?:nodes\[([^\]]+)\]\.?)?(.*)$`)

// problems makes sentences of the configuration's problems, those of the flow first: others' may follow from them.
func (m *Module) problems(ctx context.Context, code string, list []section.Problem) []FlowProblem {
	out := []FlowProblem{}
	var others []FlowProblem
	for _, p := range list {
		text := m.api.Texts().Say(web.Locale(ctx), "fault."+p.Code, m.named(ctx, p.Params))
		path, ours := strings.CutPrefix(p.Path, "flows["+code+"]")
		if !ours {
			others = append(others, FlowProblem{Field: p.Path, Code: p.Code, Text: text})
			continue
		}
		at := inFlow.FindStringSubmatch(strings.TrimPrefix(path, "."))
		out = append(out, FlowProblem{Node: at[1], Field: at[2], Code: p.Code, Text: text})
	}
	return append(out, others...)
}

// named gives the parameters of a problem with kinds and fields in the reader's words.
func (m *Module) named(ctx context.Context, params map[string]any) map[string]any {
	out := maps.Clone(params)
	for name, prefix := range map[string]string{"kind": "voice.node.", "field": "section.flows.nodes."} {
		code, _ := params[name].(string)
		if key := prefix + code; code != "" && m.api.Texts().Has(web.Locale(ctx), key) {
			out[name] = m.api.Texts().Say(web.Locale(ctx), key, nil)
		}
	}
	return out
}

type publishIn struct {
	OnFlow
	Body struct {
		Graph  json.RawMessage       `json:"graph"`
		Base   int                   `json:"base" doc:"the version it was made of: who comes second is told; 0: a new flow"`
		Why    string                `json:"why" minLength:"2" maxLength:"200"`
		Layout map[string][2]float64 `json:"layout,omitempty"`
	}
}

type publishOut struct {
	Body struct {
		Version  int           `json:"version" doc:"the new one; 0: refused"`
		Problems []FlowProblem `json:"problems"`
	}
}

// flowWhy is the key of why a flow is published, on its way through the configuration.
type flowWhy struct{}

// publishFlow makes a graph the newest version. Calls under way stay on theirs.
func (m *Module) publishFlow(ctx context.Context, in *publishIn) (*publishOut, error) {
	newest, err := m.flowVersion(ctx, in.Code, 0)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	if newest.version != in.Body.Base {
		return nil, fault.New(fault.Conflict, "voice.flow.newer", "version", newest.version, "base", in.Body.Base)
	}
	res, err := m.deps.Publish.Put(context.WithValue(ctx, flowWhy{}, in.Body.Why), "flows", in.Code, in.Body.Graph, m.publishing(ctx, false))
	if err != nil {
		return nil, err
	}
	out := &publishOut{}
	out.Body.Problems = m.problems(ctx, in.Code, res.Problems)
	if len(out.Body.Problems) > 0 {
		return out, nil
	}
	if !res.Applied || len(res.Changes) == 0 {
		return nil, fault.New(fault.Conflict, "voice.flow.same", "version", newest.version)
	}
	web.Note(ctx, "why", in.Body.Why)
	if newest, err = m.flowVersion(ctx, in.Code, 0); err != nil {
		return nil, err
	}
	out.Body.Version = newest.version
	return out, m.deps.DB.Tx(ctx, func(tx *store.Tx) error {
		if _, err := store.Exec(ctx, tx, `DELETE FROM voice_flow_draft WHERE code = ?`, in.Code); err != nil {
			return err
		}
		return keepLayout(ctx, tx, in.Code, in.Body.Layout)
	})
}

// noteVersion keeps who published the newest version of a flow, and why, beside it.
func noteVersion(ctx context.Context, tx *store.Tx, code id.Flow) error {
	why, _ := ctx.Value(flowWhy{}).(string)
	_, err := store.Exec(ctx, tx, `INSERT INTO voice_flow_note (code, version, actor, why)
		SELECT ?, MAX(version), ?, ? FROM voice_flow WHERE code = ?`, string(code), whoAsks(ctx), why, string(code))
	return err
}

// forgetFlow drops what belongs to a flow beside its versions.
func forgetFlow(ctx context.Context, tx *store.Tx, code string) error {
	for _, table := range []string{"voice_flow_note", "voice_flow_draft", "voice_flow_layout"} {
		if _, err := store.Exec(ctx, tx, `DELETE FROM `+table+` WHERE code = ?`, code); err != nil {
			return err
		}
	}
	return nil
}

type draftIn struct {
	OnFlow
	Body struct {
		Graph  json.RawMessage       `json:"graph"`
		Base   int                   `json:"base" minimum:"0"`
		Layout map[string][2]float64 `json:"layout,omitempty"`
	}
}

type draftOut struct{ Body DraftView }

// keepDraft keeps a graph that is being changed, be it whole or not.
func (m *Module) keepDraft(ctx context.Context, in *draftIn) (*draftOut, error) {
	var g flow.Graph
	if err := readGraph(in.Body.Graph, &g); err != nil {
		return nil, err
	}
	if string(g.Code) != in.Code || len(g.Nodes) > flow.MaxNodes {
		return nil, fault.New(fault.Invalid, "voice.flow.unreadable", "reason", "code, nodes").At("graph")
	}
	out := &draftOut{Body: DraftView{At: m.now().UnixMilli(), Actor: whoAsks(ctx), Base: in.Body.Base}}
	return out, m.deps.DB.Tx(ctx, func(tx *store.Tx) error {
		_, err := store.Exec(ctx, tx, `INSERT INTO voice_flow_draft (code, at, actor, base, body) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT (code) DO UPDATE SET at = excluded.at, actor = excluded.actor, base = excluded.base, body = excluded.body`,
			in.Code, out.Body.At, out.Body.Actor, out.Body.Base, string(in.Body.Graph))
		if err != nil {
			return err
		}
		return keepLayout(ctx, tx, in.Code, in.Body.Layout)
	})
}

func keepLayout(ctx context.Context, tx *store.Tx, code string, at map[string][2]float64) error {
	if len(at) == 0 {
		return nil
	}
	if len(at) > maxPositions {
		return fault.New(fault.Invalid, "voice.flow.unreadable", "reason", "layout").At("layout")
	}
	_, err := store.Exec(ctx, tx, `INSERT INTO voice_flow_layout (code, body) VALUES (?, ?)
		ON CONFLICT (code) DO UPDATE SET body = excluded.body`, code, store.JSON(&at))
	return err
}

// dropDraft gives a change up.
func (m *Module) dropDraft(ctx context.Context, in *OnFlow) (*struct{}, error) {
	_, err := store.Exec(ctx, m.deps.DB, `DELETE FROM voice_flow_draft WHERE code = ?`, in.Code)
	return nil, err
}
