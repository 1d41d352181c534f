package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kapok-hotline/kapok/test/house"
)

// plan is one run.
type plan struct {
	calls, rate int
	kill        bool
	keep        string
	say         func(format string, a ...any)

	h      *house.House
	leader *house.Client
	db     *sql.DB
	tally  *tally
	cut    atomic.Int64 // unix ms of the kill -9
	base   float64      // goroutines with everybody signed in, before the first call
}

const report = 10 * time.Second

// settling is the last callers' patience, the last call back, the last message to its end.
const settling = 5 * time.Minute

// run plays the plan; an error when it could not be played, or the end is not clean.
func (p *plan) run(ctx context.Context) (err error) {
	dir, err := os.MkdirTemp("", "kapok-soak-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a temporary folder
	p.enter()
	walkers, err := invite(ctx, p)
	if err != nil {
		return err
	}
	defer walkers.carrier.Close()
	if err := p.open(ctx, dir, walkers.carrier.Addr()); err != nil {
		return err
	}
	defer func() {
		if stop := p.h.Stop(); err == nil {
			err = stop
		}
		if p.keep != "" {
			err = errors.Join(err, os.WriteFile(filepath.Join(p.keep, "house.log"), []byte(p.h.Log()), 0o600))
		}
		if err != nil {
			err = fmt.Errorf("%w\nthe house said last:\n%s", err, last(p.h.Log(), 4000))
		}
	}()
	robots, err := hire(ctx, p)
	if err != nil {
		return err
	}
	if err := robots.lead(ctx); err != nil {
		return err
	}
	if p.base, err = p.h.Meter("kapok_goroutines"); err != nil {
		return err
	}
	began := time.Now()
	street, err := p.callers(ctx, dir)
	if err != nil {
		return err
	}
	defer street.end()
	strolled := make(chan struct{})
	go func() {
		walkers.stroll(p.calls, p.rate)
		close(strolled)
	}()
	err = p.watch(ctx, street.done, strolled, robots, began)
	street.end()
	if err == nil {
		err = street.err
	}
	if err == nil {
		err = p.settle(ctx)
	}
	robots.dismiss()
	if err != nil {
		return err
	}
	return p.verdict(ctx, street, walkers, robots, began)
}

// enter names the verbs of the mix, in the order of the table.
func (p *plan) enter() {
	p.tally = newTally()
	for _, s := range stories {
		p.tally.name(s.what, fmt.Sprintf("%d %% of calls", s.share))
	}
	p.tally.name("offer", "")
	p.tally.name("offer answered", fmt.Sprintf("%d %% of offers", 100-declining-missing))
	p.tally.name("offer declined", fmt.Sprintf("%d %% of offers", declining))
	p.tally.name("offer not answered", fmt.Sprintf("%d %% of offers", missing))
	for _, t := range talks {
		p.tally.name(t.what, fmt.Sprintf("%d %% of talks", t.weight))
	}
	for _, t := range []string{"browser hangs up", "browser closed in talk", "browser back: the call too"} {
		p.tally.name(t, "two at browsers")
	}
	for _, m := range mishaps {
		p.tally.name(m.what, fmt.Sprintf("%d %% each 2 s", m.weight))
	}
	for _, l := range leading {
		p.tally.name(l.what, fmt.Sprintf("%d %%, 3 leaders", l.weight))
	}
}

// open starts the house.
func (p *plan) open(ctx context.Context, dir, carrier string) error {
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
	text, err := bureau(carrier)
	if err != nil {
		return err
	}
	if err := p.h.Apply(ctx, text); err != nil {
		return err
	}
	if p.db, err = read(data); err != nil {
		return err
	}
	p.leader, err = p.h.Login(ctx, "leader1")
	return err
}

// watch says every few seconds how it goes, kills the house in the middle and starts it again.
func (p *plan) watch(ctx context.Context, street, strolled <-chan struct{}, r *robots, began time.Time) error {
	length := time.Duration(p.calls) * time.Second / time.Duration(p.rate)
	tick := time.NewTicker(report)
	defer tick.Stop()
	half := time.NewTimer(length / 2)
	defer half.Stop()
	if !p.kill {
		half.Stop()
	}
	late := time.After(length + length/5 + 2*settling)
	for street != nil || strolled != nil {
		select {
		case <-street:
			street = nil
		case <-strolled:
			strolled = nil
		case <-half.C:
			if err := p.powerCut(ctx, r); err != nil {
				return err
			}
		case <-tick.C:
			p.say("%4.0f s  %s", time.Since(began).Seconds(), p.picture(ctx))
		case <-late:
			return errors.New("the callers do not come to an end")
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

func (p *plan) powerCut(ctx context.Context, r *robots) error {
	p.say("kill -9")
	p.cut.Store(time.Now().UnixMilli())
	p.h.Kill()
	down := time.Now()
	if err := p.h.Start(ctx); err != nil {
		return err
	}
	p.say("up again after %d ms; the phones register and the agents sign in", time.Since(down).Milliseconds())
	r.back(ctx)
	return nil
}

// picture is the wallboard in a line, with what the process holds.
func (p *plan) picture(ctx context.Context) string {
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
	now := func(name string) int { v, _ := p.h.Meter(name); return int(v) } // 0 while the house is down
	return fmt.Sprintf("entered %d, answered %d, abandoned %d, waiting %d, agents %v; calls %d, media %d, promises %d, goroutines %d, %d MB",
		entered, answered, abandoned, w.Waiting, states, now("kapok_calls"), now("kapok_media_legs"), now("kapok_callbacks_open"), now("kapok_goroutines"), p.h.Memory())
}

func last(text string, n int) string { return text[max(0, len(text)-n):] }

// all runs f for each at once and gives the first error.
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
