package voice

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/engine/flow"
	"github.com/kapok-hotline/kapok/platform/section"
	"github.com/kapok-hotline/kapok/platform/store"
	"github.com/kapok-hotline/kapok/platform/web"
)

// Publisher changes the configuration, as its own pages do: with every check, in the audit, told to all nodes.
type Publisher interface {
	Put(ctx context.Context, section, code string, body json.RawMessage, o section.Options) (section.Result, error)
}

// FlowView is a flow as the list of flows shows it.
type FlowView struct {
	Code    string     `json:"code"`
	Name    string     `json:"name"`
	NameEn  string     `json:"name_en,omitempty"`
	Medium  string     `json:"medium" enum:"phone,wechat,chat,weibo,sms"`
	Version int        `json:"version" doc:"0: not published yet"`
	At      int64      `json:"at"`
	Nodes   int        `json:"nodes"`
	Draft   *DraftView `json:"draft,omitempty"`
}

// DraftView says who is changing a flow.
type DraftView struct {
	At    int64  `json:"at"`
	Actor string `json:"actor"`
	Base  int    `json:"base" doc:"the version it was made of; 0: none"`
}

// FlowVersion is a published version. Who and why are empty for those that came with a file.
type FlowVersion struct {
	Version int    `json:"version"`
	At      int64  `json:"at"`
	Actor   string `json:"actor"`
	Why     string `json:"why"`
	Nodes   int    `json:"nodes"`
}

// FlowDesign is all the designer needs of one flow: what is published, what is being changed, where things stand.
type FlowDesign struct {
	Version int                   `json:"version" doc:"the newest; 0: none"`
	Graph   json.RawMessage       `json:"graph,omitempty" doc:"of the version"`
	Draft   *DraftView            `json:"draft,omitempty"`
	Changed json.RawMessage       `json:"changed,omitempty" doc:"the draft's graph"`
	Layout  map[string][2]float64 `json:"layout" doc:"where nodes stand, by id; those not in it are laid out"`
	Kinds   []flow.KindForm       `json:"kinds"`
}

const (
	maxFlowBody  = 512 << 10
	noSuchFlow   = "voice.flow.none"
	maxFlowList  = 500
	maxPositions = 2 * flow.MaxNodes
)

// flowHead is what a list needs of a graph, be it whole or not.
type flowHead struct {
	Name   string            `json:"name"`
	NameEn string            `json:"name_en"`
	Medium string            `json:"medium"`
	Nodes  []json.RawMessage `json:"nodes"`
}

func headOf(body string) (h flowHead) {
	if json.Unmarshal([]byte(body), &h) != nil || h.Medium == "" {
		h.Medium = "phone"
	}
	return h
}

type flowsOut struct{ Body []FlowView }

func (m *Module) flowList(ctx context.Context, _ *none) (*flowsOut, error) {
	drafts, err := m.drafts(ctx)
	if err != nil {
		return nil, err
	}
	list, err := store.All(ctx, m.deps.DB, `SELECT f.code, f.version, f.at, f.body FROM voice_flow f
		WHERE f.version = (SELECT MAX(g.version) FROM voice_flow g WHERE g.code = f.code) ORDER BY f.code LIMIT ?`,
		func(r store.Scanner) (v FlowView, err error) {
			var body string
			err = r.Scan(&v.Code, &v.Version, &v.At, &body)
			v.head(headOf(body))
			return v, err
		}, maxFlowList)
	out := &flowsOut{Body: list}
	for i := range out.Body {
		if d, ok := drafts[out.Body[i].Code]; ok {
			out.Body[i].Draft = &d.DraftView
			delete(drafts, out.Body[i].Code)
		}
	}
	for _, code := range sortedKeys(drafts) {
		d := drafts[code]
		v := FlowView{Code: code, At: d.At, Draft: &d.DraftView}
		v.head(headOf(d.body))
		out.Body = append(out.Body, v)
	}
	return out, err
}

func (v *FlowView) head(h flowHead) {
	v.Name, v.NameEn, v.Medium, v.Nodes = h.Name, h.NameEn, h.Medium, len(h.Nodes)
}

type draftRow struct {
	code string
	DraftView
	body string
}

func (m *Module) drafts(ctx context.Context) (map[string]draftRow, error) {
	out := map[string]draftRow{}
	return out, store.Each(ctx, m.deps.DB, `SELECT code, at, actor, base, body FROM voice_flow_draft ORDER BY code LIMIT ?`, scanDraft, func(d draftRow) error {
		out[d.code] = d
		return nil
	}, maxFlowList)
}

func scanDraft(r store.Scanner) (d draftRow, err error) {
	return d, r.Scan(&d.code, &d.At, &d.Actor, &d.Base, &d.body)
}

// OnFlow names a flow in a path; it is exported because huma fills embedded structs only then.
type OnFlow struct {
	Code string `path:"code" maxLength:"64"`
}

type designOut struct{ Body FlowDesign }

func (m *Module) flowDesign(ctx context.Context, in *OnFlow) (*designOut, error) {
	out := &designOut{Body: FlowDesign{Layout: map[string][2]float64{}, Kinds: flow.Kinds()}}
	newest, err := m.flowVersion(ctx, in.Code, 0)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	if err == nil {
		out.Body.Version, out.Body.Graph = newest.version, json.RawMessage(newest.body)
	}
	d, err := store.One(ctx, m.deps.DB, `SELECT code, at, actor, base, body FROM voice_flow_draft WHERE code = ?`, scanDraft, in.Code)
	switch {
	case err == nil:
		out.Body.Draft, out.Body.Changed = &d.DraftView, json.RawMessage(d.body)
	case !errors.Is(err, store.ErrNotFound):
		return nil, err
	case out.Body.Version == 0:
		return nil, fault.New(fault.NotFound, noSuchFlow, "flow", in.Code)
	}
	layout, err := store.One(ctx, m.deps.DB, `SELECT body FROM voice_flow_layout WHERE code = ?`, store.Col[string], in.Code)
	if err == nil {
		err = json.Unmarshal([]byte(layout), &out.Body.Layout)
	}
	if errors.Is(err, store.ErrNotFound) {
		err = nil
	}
	return out, err
}

type versionRow struct {
	version int
	body    string
}

// flowVersion gives a version of a flow; 0: the newest.
func (m *Module) flowVersion(ctx context.Context, code string, version int) (versionRow, error) {
	return store.One(ctx, m.deps.DB, `SELECT version, body FROM voice_flow WHERE code = ? AND (version = ? OR ? = 0) ORDER BY version DESC LIMIT 1`,
		func(r store.Scanner) (v versionRow, err error) { return v, r.Scan(&v.version, &v.body) }, code, version, version)
}

type versionsOut struct{ Body []FlowVersion }

func (m *Module) flowVersions(ctx context.Context, in *OnFlow) (*versionsOut, error) {
	list, err := store.All(ctx, m.deps.DB, `SELECT f.version, f.at, f.body, COALESCE(n.actor, ''), COALESCE(n.why, '')
		FROM voice_flow f LEFT JOIN voice_flow_note n ON n.code = f.code AND n.version = f.version
		WHERE f.code = ? ORDER BY f.version DESC LIMIT ?`, func(r store.Scanner) (v FlowVersion, err error) {
		var body string
		err = r.Scan(&v.Version, &v.At, &body, &v.Actor, &v.Why)
		v.Nodes = len(headOf(body).Nodes)
		return v, err
	}, in.Code, maxFlowList)
	return &versionsOut{Body: list}, err
}

type onFlowVersion struct {
	OnFlow
	Version int `path:"version" minimum:"1"`
}

type graphOut struct {
	Body struct {
		Version int             `json:"version"`
		Graph   json.RawMessage `json:"graph"`
	}
}

func (m *Module) flowAt(ctx context.Context, in *onFlowVersion) (*graphOut, error) {
	v, err := m.flowVersion(ctx, in.Code, in.Version)
	if errors.Is(err, store.ErrNotFound) {
		return nil, fault.New(fault.NotFound, "voice.flow.version", "flow", in.Code, "version", in.Version)
	}
	out := &graphOut{}
	out.Body.Version, out.Body.Graph = v.version, json.RawMessage(v.body)
	return out, err
}

type compareOut struct{ Body []flow.Change }

// flowCompare lists the differences of two graphs, be they versions or drafts.
func (m *Module) flowCompare(_ context.Context, in *compareIn) (*compareOut, error) {
	var before, after flow.Graph
	if err := errors.Join(readGraph(in.Body.Before, &before), readGraph(in.Body.After, &after)); err != nil {
		return nil, err
	}
	return &compareOut{Body: flow.Diff(&before, &after)}, nil
}

func readGraph(body json.RawMessage, g *flow.Graph) error {
	if err := json.Unmarshal(body, g); err != nil {
		return unreadable(err)
	}
	return nil
}

func unreadable(err error) error {
	return fault.New(fault.Invalid, "voice.flow.unreadable", "reason", err.Error()).Because(err)
}

type compareIn struct {
	Body struct {
		Before json.RawMessage `json:"before"`
		After  json.RawMessage `json:"after"`
	}
}

// whoAsks gives the user of a request.
func whoAsks(ctx context.Context) string { return string(web.Principal(ctx).User) }
