package voice

import (
	"sync"
	"time"

	"github.com/kapok-hotline/kapok/core/day"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/engine/flow"
)

// A trial is a test call: whoever draws a flow hears it over a real line, by SIP and RTP, before anybody else does. It
// runs on the actor of calls, so that it sounds as a call will; but it is no contact: nobody is rung, no queue is
// entered, none of a call's facts is written, and the other processes do not hear of it.
type trial struct {
	id      string
	by      id.User
	site    id.Site
	secret  string // what the page calls with; good for this one call
	graph   *flow.Flow
	code    id.Flow
	version int // published, that the graph was made from
	entry   flow.Entry
	state   day.State // what every calendar is to answer; "": as it is now
	until   time.Time // it must have been called by then, and may be looked at until then
	changed func(TrialView)

	mu    sync.Mutex
	call  *call
	began time.Time
	view  TrialView
}

// How long a test call may take: to be placed, to last, and to be looked at when it is over.
const (
	trialPlaced = time.Minute
	trialLength = 10 * time.Minute
	trialShown  = 2 * time.Minute
	maxTrials   = 30  // at once in a process
	maxSteps    = 200 // shown of one
)

// TrialStep is one thing that happened in a test call.
type TrialStep struct {
	At   int64  `json:"at" doc:"ms since the answer"`
	Node string `json:"node"`
	Key  string `json:"key,omitempty" doc:"pressed there"`
	Why  string `json:"why,omitempty" doc:"a try without a usable answer: timeout, invalid"`
}

// TrialView is where a test call stands.
type TrialView struct {
	ID      string      `json:"id"`
	State   string      `json:"state" enum:"placed,standing,ended"`
	Node    string      `json:"node,omitempty"`
	Doing   string      `json:"doing,omitempty" enum:"play,gather,say,hours,city,queue,transfer,hangup"`
	Keys    string      `json:"keys,omitempty" doc:"of a menu: those it takes"`
	To      string      `json:"to,omitempty" doc:"queue, or target of a transfer"`
	Steps   []TrialStep `json:"steps"`
	Outcome string      `json:"outcome,omitempty" doc:"how a call would count"`
	Since   int64       `json:"since,omitempty" doc:"unix ms of the answer"`
}

// look gives where it stands.
func (t *trial) look() TrialView {
	t.mu.Lock()
	defer t.mu.Unlock()
	v := t.view
	v.Steps = append([]TrialStep{}, v.Steps...)
	return v
}

// note changes what is shown and tells the page.
func (t *trial) note(f func(v *TrialView)) {
	t.mu.Lock()
	f(&t.view)
	t.mu.Unlock()
	if t.changed != nil {
		t.changed(t.look())
	}
}

// takes is told of every action of a test call's flow before it is done. True: the call does nothing of its own now.
// Where a caller would be rung for or put in a queue the caller hears the music, and the page says what comes of it.
func (t *trial) takes(c *call, a flow.Action) bool {
	now := c.m.now()
	t.note(func(v *TrialView) {
		for _, s := range a.Steps {
			if len(v.Steps) < maxSteps {
				v.Steps = append(v.Steps, TrialStep{At: now.Sub(t.began).Milliseconds(), Node: s.Node, Key: s.Key, Why: s.Why})
			}
		}
		v.Node, v.Doing, v.Keys, v.To = a.Node, doing(a), "", ""
		switch {
		case a.Gather != nil:
			v.Keys = a.Gather.Keys
		case a.Queue != nil:
			v.To = string(c.cityQueue(a.Queue))
		case a.Transfer != nil:
			v.To = a.Transfer.To.Code
		}
	})
	switch {
	case a.Hours != nil && t.state != "":
		c.next(flow.Input{Kind: flow.Hours, State: t.state})
	case a.Queue != nil, a.Transfer != nil:
		c.gather = nil
		c.noDeadline() // the whole has one
		if clips := c.m.sounds.clips(c.lang(), []string{string(promptMusic)}); len(clips) > 0 {
			c.player.Music(clips[0])
		}
	default:
		return false
	}
	return true
}

// doing is the word for an action.
func doing(a flow.Action) string {
	switch {
	case a.Play != nil:
		return "play"
	case a.Gather != nil:
		return "gather"
	case a.Say != nil:
		return "say"
	case a.Hours != nil:
		return "hours"
	case a.City != nil:
		return "city"
	case a.Queue != nil:
		return "queue"
	case a.Transfer != nil:
		return "transfer"
	}
	return "hangup"
}

// begin brings a test call into its flow, on the actor.
func (t *trial) begin(c *call) {
	t.note(func(v *TrialView) { v.State, v.Since = "standing", t.began.UnixMilli() })
	c.phase, c.flow = guided, t.graph
	cursor, action := t.graph.Start(t.entry)
	c.cursor = cursor
	c.act(action)
}

// ended writes down that it was; nothing else of a test call is in the ledger.
func (t *trial) ended(c *call) {
	now := c.m.now()
	t.free(now)
	t.note(func(v *TrialView) { v.State, v.Doing, v.Outcome = "ended", "", string(c.cursor.Outcome()) })
	v := t.look()
	fact := event.FlowTried{Flow: t.code, Version: t.version, Ms: now.Sub(t.began).Milliseconds(), At: v.Node, Outcome: v.Outcome}
	for _, s := range v.Steps {
		if s.Key == "" && s.Why == "" {
			fact.Steps++
		}
	}
	c.m.deps.Facts.Post(now, t.site, t.id, string(t.by), fact)
}

// free lets its call go; it may still be looked at.
func (t *trial) free(now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.call, t.until = nil, now.Add(trialShown)
}

// trials are the test calls of a process, by id.
type trials struct {
	mu sync.Mutex
	of map[string]*trial
}

// add keeps one more; false when there are too many. What has run out of time goes first.
func (s *trials) add(t *trial, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.of == nil {
		s.of = map[string]*trial{}
	}
	for key, old := range s.of {
		if old.over(now) {
			delete(s.of, key)
		}
	}
	if len(s.of) >= maxTrials {
		return false
	}
	s.of[t.id] = t
	return true
}

// get gives one; nil when it is none, or too late.
func (s *trials) get(key string, now time.Time) *trial {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t := s.of[key]; t != nil && !t.over(now) {
		return t
	}
	return nil
}

// over says whether it is not to be called or looked at any more.
func (t *trial) over(now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.call == nil && now.After(t.until)
}

// claim gives the trial its call, once.
func (t *trial) claim(c *call) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.view.State != "placed" || t.call != nil {
		return false
	}
	t.call, t.began = c, c.startedAt
	return true
}

// running gives its call while it stands.
func (t *trial) running() *call {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.call
}
