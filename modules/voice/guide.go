package voice

import (
	"strings"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/engine/flow"
	"github.com/kapok-hotline/kapok/platform/audio"
)

// playSlack is how long beyond its length a prompt may take before the call goes on without its end.
const playSlack = 3 * time.Second

// gathering is a question being asked: prompts first, then keys.
type gathering struct {
	ask     *flow.Gather
	keys    string
	playing bool
	hear    *hearing // the answer may be spoken; nil: keys alone
}

// guide starts a flow for the call.
func (c *call) guide(code id.Flow, again bool) {
	if c.seeking() { // a rule of the queue: there is nobody to be guided
		c.end(contact.BySystem, "rule "+string(code))
		return
	}
	s := c.m.snap.Load()
	f, ok := s.flows[code]
	if !ok {
		c.log.Error("a flow is missing", "flow", code)
		c.outcome = contact.Failed
		c.end(contact.BySystem, "no flow "+string(code))
		return
	}
	c.phase, c.flow = guided, f.flow
	c.fact("", event.ContactGuided{Flow: code, Version: f.version, NoMenu: s.settings.NoMenu})
	entry := s.entry(c.m.now(), f.version, c.number)
	entry.Steps, entry.Again = c.cursor.Steps, again
	entry.Vars = c.vars()
	c.greetCrowd(&entry)
	cursor, action := f.flow.Start(entry)
	cursor.Asked, cursor.Turned = cursor.Asked || c.cursor.Asked, cursor.Turned || c.cursor.Turned
	c.cursor = cursor
	c.act(action)
}

// vars are what a flow may ask about the call.
func (c *call) vars() map[string]string {
	v := map[string]string{"caller": c.from, "number": string(c.number), "lang": c.m.snap.Load().settings.Language}
	if lang := c.cursor.Vars["lang"]; lang != "" {
		v["lang"] = lang
	}
	c.cityVars(v)
	return v
}

// next takes the outcome of the last action to the flow.
func (c *call) next(in flow.Input) {
	if c.phase != guided && c.phase != queued {
		return
	}
	if c.seeking() {
		c.end(contact.BySystem, "queue "+in.Why)
		return
	}
	if c.flow == nil { // a call out has none: who was given away to nobody cannot be left without a word
		c.end(contact.BySystem, "transfer "+in.Why)
		return
	}
	c.phase = guided
	c.noDeadline()
	c.gather.shut(c)
	c.gather = nil
	cursor, action := c.flow.Next(c.cursor, in)
	c.cursor = cursor
	c.act(action)
}

// act does what the flow says.
func (c *call) act(a flow.Action) {
	if c.trial != nil && c.trial.takes(c, a) {
		return
	}
	c.steps(a.Steps)
	switch {
	case a.Play != nil:
		c.gather = nil
		if a.Play.Interruptible {
			c.gather = &gathering{ask: nil, playing: true}
		}
		c.sayWords(a.Lang, a.Play.Prompts, a.Play.Text, nil, func() { c.next(flow.Input{Kind: flow.Done}) })
	case a.Gather != nil:
		c.ask4keys(a.Lang, a.Gather)
	case a.Say != nil:
		c.sayClips(c.m.sounds.spoken(a.Lang, *a.Say), func() { c.next(flow.Input{Kind: flow.Done}) })
	case a.Voicemail != nil:
		c.takeMessage(a.Lang, a.Voicemail)
	case a.Hours != nil:
		c.next(c.hours(a.Hours))
	case a.City != nil:
		c.locate(a.City, a.Lang)
	case a.Queue != nil:
		c.enter(a.Queue, a.Lang)
	case a.Transfer != nil:
		c.give(a.Transfer.To)
	case a.Hangup != nil:
		if c.outcome == "" {
			c.outcome = a.Hangup.Outcome
		}
		c.end(contact.BySystem, a.Hangup.Cause)
	}
}

// steps writes where the flow has been.
func (c *call) steps(steps []flow.Step) {
	for _, s := range steps {
		c.fact("", event.ContactStepped{Flow: c.cursor.Flow, Node: s.Node, Step: string(s.Kind), Key: s.Key, Said: s.Said, Why: s.Why, Via: s.Via})
		if s.Served {
			c.fact("", event.ContactServed{Flow: c.cursor.Flow, Node: s.Node})
		}
	}
}

func (c *call) hours(q *flow.AskHours) flow.Input {
	calendar := q.Calendar
	if calendar == "" {
		calendar = c.calendar()
	}
	state, name, next, err := c.m.deps.Hours.State(calendar, c.m.now())
	if err != nil {
		c.log.Error("a calendar could not be asked; the call goes the open way", "calendar", calendar, "err", err)
		return flow.Input{Kind: flow.Failed}
	}
	in := flow.Input{Kind: flow.Hours, State: state, Name: name}
	if !next.IsZero() {
		in.Next = next.UnixMilli()
	}
	return in
}

func (c *call) sayClips(clips []*audio.Clip, then func()) {
	c.play++
	n, length := c.play, time.Duration(0)
	for _, clip := range clips {
		length += clip.Duration()
	}
	ended := func() {
		if c.play == n {
			c.play++
			then()
		}
	}
	c.after(length+playSlack, ended)
	c.player.Play(func() { c.post(ended) }, clips...)
}

// ask4keys plays a question and takes keys, and what is said where the question allows it.
func (c *call) ask4keys(lang string, q *flow.Gather) {
	if q.Speech != nil && !c.canHear() {
		c.next(flow.Input{Kind: flow.Failed, Why: flow.Off})
		return
	}
	c.gather = &gathering{ask: q, keys: q.Ahead, playing: true}
	if c.enough() {
		return
	}
	c.sayWords(lang, q.Prompts, q.Text, q, func() {
		if c.gather != nil {
			c.gather.playing = false
			c.waitKey(q.First.D())
			if q.Speech != nil {
				c.openEar(lang, q)
			}
		}
	})
}

func (c *call) waitKey(d time.Duration) {
	c.after(d, func() {
		g := c.gather
		if g == nil || g.ask == nil {
			return
		}
		if g.keys != "" {
			c.next(flow.Input{Kind: flow.Pressed, Digits: g.keys})
			return
		}
		c.next(flow.Input{Kind: flow.Timeout})
	})
}

// digit takes a key the caller pressed. Keys that nobody asked for are dropped.
func (c *call) digit(key byte) {
	if c.phase == queued {
		c.tendKey(key)
		return
	}
	if c.message != nil {
		c.messageKey(key)
		return
	}
	g := c.gather
	if c.phase == surveying {
		c.grade(key)
		return
	}
	if c.phase != guided || g == nil {
		return
	}
	if g.playing {
		g.playing = false
		c.play++
		c.player.Hush()
	}
	if g.ask == nil { // within a prompt that may be interrupted: the key is the answer to what comes
		c.next(flow.Input{Kind: flow.Pressed, Digits: string(key)})
		return
	}
	g.shut(c)
	g.keys += string(key)
	if !c.enough() {
		c.waitKey(g.ask.Inter.D())
	}
}

// enough ends the gathering when the keys are complete, and says so.
func (c *call) enough() bool {
	g := c.gather
	if g.keys == "" {
		return false
	}
	last := g.keys[len(g.keys)-1:]
	switch {
	case g.ask.Keys != "": // a menu: one key, right or wrong
	case g.ask.Stop != "" && last == g.ask.Stop:
		g.keys = strings.TrimSuffix(g.keys, last)
	case len(g.keys) < g.ask.Max:
		return false
	}
	c.next(flow.Input{Kind: flow.Pressed, Digits: g.keys})
	return true
}
