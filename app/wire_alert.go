package app

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/modules/alert"
	"github.com/kapok-hotline/kapok/modules/routing"
	"github.com/kapok-hotline/kapok/modules/voice"
)

func (h *House) newAlert() *alert.Module {
	d := alert.Deps{
		DB: h.db, Clock: h.clock, Facts: facts{h}, Figures: pulses{h}, Names: alertNames{h}, Within: h.identity.Within, Hub: h.web.Hub(), Changed: h.changed, Log: h.log,
		Steps: map[alert.Kind]alert.Step{alert.Recall: recall{h}, alert.Notice: &h.surge, alert.Callback: &h.surge},
	}
	if h.peers != nil {
		d.Lease = h.leaseOf("alerts") // the others learn what is in force by followSurge
	}
	return alert.New(d)
}

// pulses gives the alerts their figures: those of the wallboard.
type pulses struct{ h *House }

func (p pulses) Look(ctx context.Context, site id.Site) (alert.State, map[id.Queue]alert.State, error) {
	all, queues, err := p.h.report.Pulse(ctx, site)
	out := make(map[id.Queue]alert.State, len(queues))
	for q, s := range queues {
		out[q] = alert.State(s)
	}
	return alert.State(all), out, err
}

// alertNames says what the alerts' codes stand for.
type alertNames struct{ h *House }

func (n alertNames) Where(site id.Site, queue id.Queue) (zh, en string) {
	if queue != "" {
		return deskNames(n).Queue(queue)
	}
	s, _ := n.h.identity.Site(site)
	return s.Name, s.NameEN
}

func (n alertNames) Person(u id.User) string {
	p, _ := n.h.identity.Person(u)
	return p.Name
}

// recall asks who is away back to work.
type recall struct{ h *House }

func (r recall) Do(ctx context.Context, d alert.Doing, again bool) error {
	if !again { // said once
		r.h.desk.Recall(ctx, d.Key, d.Site, d.Step.Reasons, d.By, d.Why)
	}
	return nil
}

func (r recall) Undo(ctx context.Context, d alert.Doing) error {
	r.h.desk.EndRecall(ctx, d.Key, d.By)
	return nil
}

// surge is what lasts of the surge plans that run, in this process's memory: greetings, and callbacks offered.
type surge struct {
	mu sync.RWMutex
	on map[string]alert.Doing
}

// Do puts a step in force; done twice it is one.
func (s *surge) Do(_ context.Context, d alert.Doing, _ bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.on == nil {
		s.on = map[string]alert.Doing{}
	}
	s.on[d.Key] = d
	return nil
}

// Undo takes it out of force.
func (s *surge) Undo(_ context.Context, d alert.Doing) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.on, d.Key)
	return nil
}

// set puts exactly these steps in force.
func (s *surge) set(all []alert.Doing) {
	on := make(map[string]alert.Doing, len(all))
	for _, d := range all {
		on[d.Key] = d
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.on = on
}

// surgeEvery is how often a process of several asks which steps are in force: the database has them, and the process
// that takes a call is seldom the one that watches the alerts.
const surgeEvery = 2 * time.Second

// followSurge keeps what is in force as the database has it, until ctx ends.
func (h *House) followSurge(ctx context.Context) {
	timer := h.clock.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-timer.C():
			if all, err := h.alert.Standing(ctx); err == nil {
				h.surge.set(all)
			} else if ctx.Err() == nil {
				h.log.Warn("the surge plans in force could not be read; those known stay", "err", err)
			}
			timer.Reset(surgeEvery)
		case <-ctx.Done():
			return
		}
	}
}

// surgeNotices gives the prompts callers of a site are greeted with while a surge plan runs.
func (h *House) surgeNotices(site id.Site) []id.Prompt {
	h.surge.mu.RLock()
	defer h.surge.mu.RUnlock()
	var out []id.Prompt
	for _, d := range h.surge.on {
		if d.Step.Kind == alert.Notice && h.identity.Within(site, d.Site) {
			out = append(out, d.Step.Prompt)
		}
	}
	slices.Sort(out)
	return out
}

// surgeCallback is when callers of a queue are offered a call back because of a surge plan.
const surgeCallback = 60 * time.Second

// callbackNow is a queue's rule of calling back, with what a surge plan adds.
func (h *House) callbackNow(k routing.Queue) voice.Callback {
	rule := callbackOf(k)
	h.surge.mu.RLock()
	defer h.surge.mu.RUnlock()
	for _, d := range h.surge.on {
		if d.Step.Kind != alert.Callback || len(d.Step.Queues) > 0 && !slices.Contains(d.Step.Queues, k.Code) || !h.identity.Within(k.Site, d.Site) {
			continue
		}
		after := time.Duration(d.Step.AfterS) * time.Second
		if after == 0 {
			after = surgeCallback
		}
		if rule.After == 0 || after < rule.After {
			rule.After = after
		}
	}
	return rule
}
