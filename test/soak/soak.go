package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/kapok-hotline/kapok/test/house"
)

// plan is one run.
type plan struct {
	calls, rate, agents int
	kill                bool
	keep                string
	say                 func(format string, a ...any)

	h      *house.House
	leader *house.Client
}

const (
	report   = 5 * time.Second
	settling = 90 * time.Second // the last callers' patience, the last message to its end
)

// run plays the plan; an error when it could not be played, or an invariant is broken.
func (p *plan) run(ctx context.Context) (err error) {
	dir, err := os.MkdirTemp("", "kapok-soak-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a temporary folder
	if err := p.open(ctx, dir); err != nil {
		return err
	}
	defer func() {
		if stop := p.h.Stop(); err == nil {
			err = stop
		}
		if err != nil {
			err = fmt.Errorf("%w\nthe house said last:\n%s", err, last(p.h.Log(), 4000))
		}
	}()
	robots, err := hire(ctx, p)
	if err != nil {
		return err
	}
	defer robots.dismiss()
	began := time.Now()
	length := time.Duration(p.calls) * time.Second / time.Duration(p.rate)
	street, err := p.callers(ctx, dir)
	if err != nil {
		return err
	}
	defer street.end()
	if err := p.watch(ctx, street, robots, began, length); err != nil {
		return err
	}
	street.end()
	return p.verdict(ctx, street, robots, began)
}

// open starts a house whose rings and wrap-ups are short, so that many calls find an agent.
func (p *plan) open(ctx context.Context, dir string) error {
	program, err := house.Build(ctx, dir)
	if err != nil {
		return err
	}
	data := filepath.Join(dir, "data")
	if p.keep != "" {
		data = p.keep
	}
	if p.h, err = house.New(program, data); err != nil {
		return err
	}
	if err := p.h.Start(ctx); err != nil {
		return err
	}
	bureau, err := house.Bureau(p.agents, "ring_s: 15", "ring_s: 5", "wrapup_s: 30", "wrapup_s: 1", "wrapup_s: 60", "wrapup_s: 1")
	if err != nil {
		return err
	}
	if err := p.h.Apply(ctx, bureau); err != nil {
		return err
	}
	p.leader, err = p.h.Login(ctx, "leader1")
	return err
}

// watch says every few seconds how it goes, kills the house in the middle and starts it again.
func (p *plan) watch(ctx context.Context, s *street, r *robots, began time.Time, length time.Duration) error {
	tick := time.NewTicker(report)
	defer tick.Stop()
	half := time.NewTimer(length / 2)
	defer half.Stop()
	if !p.kill {
		half.Stop()
	}
	for {
		select {
		case <-s.done:
			return s.err
		case <-half.C:
			if err := p.powerCut(ctx, r); err != nil {
				return err
			}
		case <-tick.C:
			p.say("%4.0f s  %s", time.Since(began).Seconds(), p.picture(ctx, r))
		case <-time.After(length + settling):
			return errors.New("the callers do not come to an end")
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (p *plan) powerCut(ctx context.Context, r *robots) error {
	p.say("kill -9")
	p.h.Kill()
	down := time.Now()
	if err := p.h.Start(ctx); err != nil {
		return err
	}
	p.say("up again after %d ms; the phones register and the agents sign in", time.Since(down).Milliseconds())
	r.back(ctx)
	return nil
}

// picture is the wallboard in a line.
func (p *plan) picture(ctx context.Context, r *robots) string {
	var w struct {
		Waiting int `json:"waiting"`
		Queues  []struct {
			Entered   int `json:"entered"`
			Answered  int `json:"answered"`
			Abandoned int `json:"abandoned"`
		} `json:"queues"`
		Agents []struct {
			State string `json:"state"`
		} `json:"agents"`
	}
	if err := p.leader.Get(ctx, "/wallboard?site=gz", &w); err != nil {
		return err.Error()
	}
	entered, answered, abandoned := 0, 0, 0
	for _, q := range w.Queues {
		entered, answered, abandoned = entered+q.Entered, answered+q.Answered, abandoned+q.Abandoned
	}
	states := map[string]int{}
	for _, a := range w.Agents {
		states[a.State]++
	}
	return fmt.Sprintf("entered %d, answered %d, abandoned %d, waiting %d, agents %v, robots: %s", entered, answered, abandoned, w.Waiting, states, r)
}

// verdict waits for the last call to end and asks the doctor.
func (p *plan) verdict(ctx context.Context, s *street, r *robots, began time.Time) error {
	settled := time.Now().Add(settling)
	for {
		n, err := p.stillOpen(ctx)
		if err != nil {
			return err
		}
		if n == 0 {
			break
		}
		if time.Now().After(settled) {
			return fmt.Errorf("%d contacts are still open %v after the last caller", n, settling)
		}
		time.Sleep(500 * time.Millisecond)
	}
	time.Sleep(1500 * time.Millisecond) // the last wrap-ups
	p.say("%s", p.picture(ctx, r))
	p.say("sipp: %s", s)
	out, err := p.h.Run(ctx, nil, "doctor")
	if err != nil {
		return err
	}
	p.say("%d calls at %d/s in %.0f s; doctor: %s", p.calls, p.rate, time.Since(began).Seconds(), out)
	if r.answered.Load() == 0 {
		return errors.New("no call reached an agent: this was no test")
	}
	return nil
}

// stillOpen counts the contacts that have not ended.
func (p *plan) stillOpen(ctx context.Context) (int, error) {
	var list struct {
		Items []struct{ ID string } `json:"items"`
	}
	err := p.leader.Get(ctx, "/contacts?outcome=open&limit=500", &list)
	return len(list.Items), err
}

func last(text string, n int) string { return text[max(0, len(text)-n):] }

// all runs f for every robot at once and gives the first error.
func all[T any](xs []T, f func(T) error) error {
	var done sync.WaitGroup
	errs := make(chan error, len(xs))
	for _, x := range xs {
		done.Go(func() { errs <- f(x) })
	}
	done.Wait()
	close(errs)
	for err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
