// Package callers stands in for the people around a hotline: callers who dial in over SIP with speech and key
// presses, give up and redial, and agents who sit at desk phones and work through the hotline's API. It shares no
// code with the hotline and knows of it only what any phone and any browser may know.
package callers

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Config says who calls whom.
type Config struct {
	SIP    netip.AddrPort // the hotline, UDP on loopback
	HTTP   string         // its API: http://127.0.0.1:8080
	Number string         // what people dial
	People []Person
	Agents []Agent
	Notes  []Note
	Line   Line

	PerHour float64       // calls in the hour from 10:00, before Speed and redials
	Speed   float64       // so many times the calls, each so much shorter; 0: 1
	Begin   time.Duration // time of day the day's curve begins at; from there it follows real time
	Crowds  bool          // now and then far more call at once: see crowd
	Seed    uint64
	Watcher string // a user who may look contacts up, so that callers notice people who answer; "": leader1
	Log     *slog.Logger
}

// Line is another number, for callers with one kind of question: a share of all dials it and presses one of the keys, or
// none. Agents move MovedShare of those they talk to elsewhere in the line, for they were sorted wrongly.
type Line struct {
	Number     string // "": there is none
	Share      float64
	Keys       string   // each as likely; a space: no key
	Queues     []string // of the line, where wrongly sorted ones are moved to
	MovedShare float64
}

// Person is a caller.
type Person struct{ Number, TaxID, Name, District string }

// Agent is a simulated agent: the login, the desk phone and its password, the seat.
type Agent struct{ User, Phone, Password, Seat string }

// Note is what an agent may write about a contact of a queue.
type Note struct{ Queue, Topic, Tax, Question, Answer string }

// Stats are figures since the start.
type Stats struct {
	Dialled, Answered, GaveUp, Redialled, Failed int64
	Calling, Talking                             int64 // at this moment
	Seated                                       int64 // agents signed in
}

// Town is the callers and agents of one hotline.
type Town struct {
	cfg   Config
	log   *slog.Logger
	names *registry
	index func() map[string]Person // by number, without a leading 0
	lines [2]*line                 // callers', phones'

	dialled, answered, gaveUp, redialled, failed, calling, talking, seated atomic.Int64

	mu   sync.Mutex
	rand *rand.Rand
}

const maxCalling = 200 // calls under way; more are not made

// New checks the configuration.
func New(c Config) (*Town, error) {
	switch {
	case !c.SIP.IsValid() || !c.SIP.Addr().IsLoopback():
		return nil, fmt.Errorf("callers: %v is no loopback address", c.SIP)
	case len(c.People) == 0:
		return nil, errors.New("callers: nobody to call")
	case c.PerHour < 0 || c.Speed < 0 || c.Speed > 100:
		return nil, errors.New("callers: the rate of calls is out of bounds")
	}
	if c.Speed == 0 {
		c.Speed = 1
	}
	if c.Watcher == "" {
		c.Watcher = "leader1"
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	t := &Town{cfg: c, log: c.Log.With("part", "callers"), names: newRegistry(), rand: rand.New(rand.NewPCG(c.Seed, 1))}
	t.index = sync.OnceValue(func() map[string]Person {
		out := make(map[string]Person, len(c.People))
		for _, p := range c.People {
			out[strings.TrimPrefix(p.Number, "0")] = p
		}
		return out
	})
	return t, nil
}

// Stats gives the figures so far.
func (t *Town) Stats() Stats {
	return Stats{
		Dialled: t.dialled.Load(), Answered: t.answered.Load(), GaveUp: t.gaveUp.Load(), Redialled: t.redialled.Load(), Failed: t.failed.Load(),
		Calling: t.calling.Load(), Talking: t.talking.Load(), Seated: t.seated.Load(),
	}
}

// Run lets everybody come, and go when ctx ends.
func (t *Town) Run(ctx context.Context) error {
	t.log.Info("simulated callers and agents begin", "seed", t.cfg.Seed, "agents", len(t.cfg.Agents), "per_hour", t.cfg.PerHour, "speed", t.cfg.Speed)
	media := [2]*media{}
	for i := range media {
		var err error
		if media[i], err = openMedia(); err == nil {
			t.lines[i], err = openLine(t.cfg.SIP, media[i], t.log)
		}
		if err != nil {
			for k := range media {
				if media[k] != nil {
					_ = media[k].conn.Close()
				}
				if t.lines[k] != nil {
					t.lines[k].close()
				}
			}
			return err
		}
	}
	sound, silence := context.WithCancel(context.WithoutCancel(ctx)) // farewells are said with open sockets
	var sounds, all sync.WaitGroup
	for _, m := range media {
		sounds.Go(func() { m.run(sound) })
	}
	t.seat(ctx, &all)
	all.Go(func() { t.arrivals(ctx, &all) })
	all.Wait()
	silence()
	sounds.Wait()
	for _, l := range t.lines {
		l.close()
	}
	return nil
}

// chance gives a source of chance of its own to each caller and agent.
func (t *Town) chance() *rand.Rand {
	t.mu.Lock()
	defer t.mu.Unlock()
	return rand.New(rand.NewPCG(t.rand.Uint64(), t.rand.Uint64()))
}

// shorter scales a time of talk or wrap-up by the speed.
func (t *Town) shorter(d time.Duration) time.Duration { return time.Duration(float64(d) / t.cfg.Speed) }

// sleep waits; false when ctx or the talk ended first.
func sleep(ctx context.Context, d time.Duration, done <-chan struct{}) bool {
	w := time.NewTimer(d)
	defer w.Stop()
	select {
	case <-w.C:
		return true
	case <-done:
		return false
	case <-ctx.Done():
		return false
	}
}
