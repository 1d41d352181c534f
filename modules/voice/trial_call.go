package voice

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"strings"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/day"
	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/core/phone"
	"github.com/kapok-hotline/kapok/engine/flow"
	"github.com/kapok-hotline/kapok/platform/rtp"
	"github.com/kapok-hotline/kapok/platform/sip"
	"github.com/kapok-hotline/kapok/platform/web"
)

// trialPrefix begins the name a test call is placed with, and the number it calls: "test-<id>".
const trialPrefix = "test-"

// trialTopic is where pages hear of their test calls.
const trialTopic = "flowcall"

func (m *Module) trialRoutes(api *web.API) {
	const calls = "/api/v1/voice/flow-calls"
	web.Post(api, calls, ManageFlows, "Make ready for a test call of a graph", m.placeTrial, web.MaxBody(maxFlowBody))
	web.Get(api, calls+"/{id}", ManageFlows, "Where a test call of mine stands", m.trialState)
	web.Post(api, calls+"/{id}/came", ManageFlows, "What becomes of the caller at a queue or a transfer of a test call", m.trialCame, web.Quiet())
}

type placeTrialIn struct {
	Body struct {
		Graph  json.RawMessage `json:"graph"`
		Base   int             `json:"base,omitempty" doc:"the published version the graph was made from"`
		Lang   string          `json:"lang,omitempty" enum:"zh,yue,en"`
		NoMenu bool            `json:"no_menu,omitempty"`
		Caller string          `json:"caller,omitempty" maxLength:"24" doc:"the number it seems to come from"`
		Number id.Number       `json:"number,omitempty" maxLength:"24" doc:"the number it seems to call"`
		State  string          `json:"state,omitempty" enum:"open,closed,lunch,holiday" doc:"what calendars answer; none: what they say now"`
	}
}

// TrialTicket is what a page calls with: a WebSocket to ws_path, a user and a secret for digests, a target.
type TrialTicket struct {
	Problems []FlowProblem `json:"problems" doc:"why the graph cannot run; then there is nothing else"`
	ID       string        `json:"id,omitempty"`
	User     string        `json:"user,omitempty"`
	Secret   string        `json:"secret,omitempty"`
	Realm    string        `json:"realm,omitempty"`
	Path     string        `json:"ws_path,omitempty"`
	Target   string        `json:"target,omitempty"`
}

type placeTrialOut struct{ Body TrialTicket }

// placeTrial compiles a graph and waits a minute for the page's call.
func (m *Module) placeTrial(ctx context.Context, in *placeTrialIn) (*placeTrialOut, error) {
	var g flow.Graph
	if err := readGraph(in.Body.Graph, &g); err != nil {
		return nil, err
	}
	if g.Medium != "" && g.Medium != contact.Phone {
		return nil, fault.New(fault.Invalid, "voice.trial.medium")
	}
	f, problems := flow.Compile(g, flow.Env{})
	if len(problems) > 0 {
		return &placeTrialOut{Body: TrialTicket{Problems: m.problemsOf(ctx, problems)}}, nil
	}
	p, now := web.Principal(ctx), m.now()
	t := &trial{
		id: id.New(now), by: p.User, site: p.Site, secret: freshSecret(), graph: f, code: g.Code, version: in.Body.Base,
		state: day.State(in.Body.State), until: now.Add(trialPlaced), entry: m.tryEntry(g.Medium, trialVars(in), in.Body.NoMenu),
	}
	t.view = TrialView{ID: t.id, State: "placed", Steps: []TrialStep{}}
	if tell := m.deps.Tell; tell != nil {
		t.changed = func(v TrialView) { tell(trialTopic, t.by, v) }
	}
	if !m.trials.add(t, now) {
		return nil, fault.New(fault.Unavailable, "voice.trial.full")
	}
	name := trialPrefix + t.id
	return &placeTrialOut{Body: TrialTicket{
		Problems: []FlowProblem{}, ID: t.id, User: name, Secret: t.secret, Realm: m.deps.Realm, Path: "/sip", Target: name,
	}}, nil
}

// trialVars are what the page wants the flow to know.
func trialVars(in *placeTrialIn) map[string]string {
	v := map[string]string{}
	if in.Body.Lang != "" {
		v["lang"] = in.Body.Lang
	}
	if in.Body.Number != "" {
		v["number"] = string(in.Body.Number)
	}
	if n := phone.Parse(in.Body.Caller, homeArea); n.National != "" {
		v["caller"] = n.National
	}
	return v
}

func freshSecret() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails since Go 1.24
	return hex.EncodeToString(b[:])
}

// mine gives a test call of the asker.
func (m *Module) mine(ctx context.Context, key string) (*trial, error) {
	t := m.trials.get(key, m.now())
	if t == nil || t.by != web.Principal(ctx).User {
		return nil, fault.New(fault.NotFound, "voice.trial.gone")
	}
	return t, nil
}

type trialStateOut struct{ Body TrialView }

func (m *Module) trialState(ctx context.Context, in *onID) (*trialStateOut, error) {
	t, err := m.mine(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return &trialStateOut{Body: t.look()}, nil
}

type trialCameIn struct {
	ID   string `path:"id"`
	Body struct {
		What string `json:"what" enum:"answered,full,nobody" doc:"what becomes of the caller"`
	}
}

// trialCame says what becomes of somebody who waits in a queue or is given away: in a test nobody is rung.
func (m *Module) trialCame(ctx context.Context, in *trialCameIn) (*trialStateOut, error) {
	t, err := m.mine(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	c := t.running()
	waits := false
	if c != nil {
		c.ask(ctx, func() {
			if d := t.look().Doing; d != "queue" && d != "transfer" {
				return
			}
			waits = true
			c.player.Music(nil)
			result := flow.Input{Kind: flow.Done}
			if in.Body.What != "answered" {
				result = flow.Input{Kind: flow.Failed, Why: in.Body.What}
			}
			c.next(result)
		})
	}
	if !waits {
		return nil, fault.New(fault.Conflict, "voice.trial.waits_not")
	}
	return &trialStateOut{Body: t.look()}, nil
}

// trialSecret gives what a test call that may still be placed is placed with.
func (m *Module) trialSecret(name string) (string, bool) {
	t := m.trials.get(strings.TrimPrefix(name, trialPrefix), m.now())
	if t == nil {
		return "", false
	}
	return t.secret, true
}

// trialInvite takes a test call: from a browser by WebRTC, from a SIP telephone by plain RTP.
func (m *Module) trialInvite(ctx context.Context, in *sip.Incoming) {
	name, err := m.sip.Registrar().Authenticate(ctx, in)
	if err != nil {
		return // answered with a challenge or a refusal
	}
	t := m.trials.get(strings.TrimPrefix(name, trialPrefix), m.now())
	if t == nil || name != in.URI.User {
		m.reject(in, 404, "No such test")
		return
	}
	c := m.beginTrial(in, t)
	if !t.claim(c) {
		c.close()
		m.reject(in, 486, "The test call stands")
		return
	}
	if err := c.takeTrial(ctx, in); err != nil {
		c.log.Warn("a test call could not be answered", "err", err)
		t.free(m.now())
		c.close()
		return
	}
	limit := time.AfterFunc(trialLength, func() { c.post(func() { c.end(contact.BySystem, "test too long") }) })
	c.post(func() { t.begin(c) })
	m.crew.Do(func() {
		c.run()
		limit.Stop()
		t.ended(c)
	})
}

// beginTrial makes the actor of a test call. It is among the calls, so that it ends with the process; it has no contact.
func (m *Module) beginTrial(in *sip.Incoming, t *trial) *call {
	now := m.now()
	c := &call{
		m: m, trial: t, id: id.Contact(t.id), site: t.site, number: id.Number(t.entry.Vars["number"]), from: t.entry.Vars["caller"],
		callID: in.CallID, startedAt: now, inbox: make(chan func(), inboxLength), done: make(chan struct{}), timer: time.NewTimer(time.Hour), phase: guided,
		log: m.deps.Log.With("test_call", t.id),
	}
	c.ctx, c.stop = context.WithCancel(m.life)
	c.caller = &side{id: id.Leg(id.New(now)), role: "caller", startedAt: now}
	m.mu.Lock()
	m.calls[c.id] = c
	m.mu.Unlock()
	m.ladders.belongs(in.CallID, c.id)
	return c
}

// takeTrial opens the media and answers.
func (c *call) takeTrial(ctx context.Context, in *sip.Incoming) (err error) {
	events := rtp.Events{
		Digit:   func(d byte, _ time.Duration) { c.post(func() { c.digit(d) }) },
		Timeout: func() { c.post(func() { c.silent(c.caller) }) },
		Down:    func(error) { c.post(func() { c.silent(c.caller) }) },
	}
	if in.Transport == "ws" || in.Transport == "wss" {
		c.caller.leg, err = c.m.plane.NewWeb(rtp.WebConfig{Timeout: mediaTimeout, Events: events})
	} else {
		c.caller.leg, err = c.m.plane.NewPlain(rtp.PlainConfig{Timeout: mediaTimeout, Events: events})
	}
	if err != nil {
		c.m.reject(in, 503, "", sip.Header{Name: "Retry-After", Value: "10"})
		return err
	}
	c.player = c.m.tick.NewPlayer(c.caller.leg)
	if err = c.take(ctx, in, c.caller); err != nil {
		c.player.Stop()
		drop(c.caller)
		return err
	}
	c.caller.answeredAt = c.m.now()
	return nil
}
