package voice

import (
	"context"
	"strings"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/audio"
)

// wanting is a text somebody wrote to be spoken: of a prompt, or of a node that has no prompts.
type wanting struct {
	Prompt   id.Prompt
	Flow     id.Flow
	Node     string
	Language string
	Text     string
}

// plan finds out which texts are to be ready and has those made that are not. It is asked with each configuration.
func (w *maker) plan(s *snapshot) {
	k := w.m.mouth.Load()
	var all []wanting
	if k.speaks() {
		all = w.wantings(s, k)
	}
	w.mu.Lock()
	old := w.by
	if k != w.last { // another engine, or another key for it: what failed may work now, and nobody waits for the old one
		old, w.last = nil, k
		w.stop()
	}
	w.wanted, w.by = nil, map[wordKey]*wanted{}
	bound := map[string]wordKey{}
	for _, x := range all {
		key := k.keyOf(x.Language, x.Text)
		if x.Prompt != "" {
			bound[x.Language+"/"+string(x.Prompt)] = key
		}
		one := &wanted{wanting: x, key: key}
		if was := old[key]; was != nil {
			one.why, one.failed, one.next = was.why, was.failed, was.next
		}
		if w.by[key] == nil {
			w.by[key] = one
		}
		w.wanted = append(w.wanted, one)
	}
	for key := range w.clips {
		if w.by[key] == nil {
			delete(w.clips, key) // the file stays: a text that comes back is there at once
		}
	}
	clear(w.passing)
	w.mu.Unlock()
	w.m.sounds.bind(bound, w.ready)
	w.poke()
}

// ready gives the sound of a key; nil: not yet.
func (w *maker) ready(k wordKey) *audio.Clip {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.clips[k]
}

func (w *maker) poke() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// wantings lists the texts of prompts that have no sound of their own (or whose words are not those of the shipped
// sound), and of nodes of phone flows that have no prompts; in the languages that have a voice.
func (w *maker) wantings(s *snapshot, k *mouth) (out []wanting) {
	for _, code := range sortedKeys(s.prompts) {
		for _, v := range k.Voices {
			text := s.prompts[code].Text[v.Language]
			if text != "" && w.m.sounds.wants(code, v.Language, text, k.Anew) {
				out = append(out, wanting{Prompt: code, Language: v.Language, Text: text})
			}
		}
	}
	for _, code := range sortedKeys(s.flows) {
		g := s.flows[code].flow.Graph()
		if g.Medium != "" && g.Medium != contact.Phone {
			continue
		}
		for _, n := range g.Nodes {
			if len(n.Prompts) > 0 || n.Text == "" {
				continue
			}
			for _, v := range k.Voices {
				text := n.Text
				if v.Language == "en" {
					text = n.TextEn
				}
				if text != "" && !strings.Contains(text, "{") { // what is filled in is spoken when it is known
					out = append(out, wanting{Flow: code, Node: n.ID, Language: v.Language, Text: text})
				}
			}
		}
	}
	return out[:min(len(out), mostWords)]
}

// run makes what is wanted, one at a time, until ctx ends.
func (w *maker) run(ctx context.Context) {
	timer := w.m.deps.Clock.NewTimer(againLast)
	defer timer.Stop()
	for {
		wait := w.round(ctx)
		timer.Reset(wait)
		select {
		case <-w.wake:
		case <-timer.C():
		case <-ctx.Done():
			return
		}
	}
}

// round tries each text that is due, and says when the next one is.
func (w *maker) round(ctx context.Context) time.Duration {
	for {
		one, wait := w.due(w.m.now())
		if one == nil || ctx.Err() != nil {
			return wait
		}
		bound, stop := context.WithTimeout(ctx, makeBound)
		w.mu.Lock()
		w.stop = stop
		w.mu.Unlock()
		_, err := w.speak(bound, one.Language, one.Text)
		stop()
		w.note(one, err)
	}
}

// due gives a text that is to be made now.
func (w *maker) due(now time.Time) (*wanted, time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	wait := againLast
	for _, one := range w.wanted {
		switch {
		case w.clips[one.key] != nil || one.why != nil && forever(one.why):
		case now.Before(one.next):
			wait = min(wait, one.next.Sub(now))
		default:
			return one, 0
		}
	}
	return nil, max(wait, time.Second)
}

func (w *maker) note(one *wanted, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if one.why = err; err == nil {
		one.failed = 0
		return
	}
	one.failed++
	one.next = w.m.now().Add(min(againFirst<<min(one.failed-1, 8), againLast))
	w.m.deps.Log.Warn("words could not be spoken", "prompt", one.Prompt, "flow", one.Flow, "node", one.Node, "language", one.Language, "err", err)
}

// again forgets failures and tries at once.
func (w *maker) again() {
	w.mu.Lock()
	for _, one := range w.wanted {
		one.why, one.failed, one.next = nil, 0, time.Time{}
	}
	w.mu.Unlock()
	w.poke()
}

// states gives how each text is: ready, waiting or failed.
func (w *maker) states() []wantedState {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := make([]wantedState, 0, len(w.wanted))
	for _, one := range w.wanted {
		s := wantedState{wanting: one.wanting, state: "waiting"}
		switch {
		case w.clips[one.key] != nil:
			s.state = "ready"
		case one.why != nil:
			s.state, s.why = "failed", one.why
		}
		out = append(out, s)
	}
	return out
}

type wantedState struct {
	wanting
	state string
	why   error
}
