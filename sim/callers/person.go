package callers

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"sync"
	"time"
)

// How people behave: patience 120 s in the mean, three of four who give up call again, three fifths of these after
// two minutes in the mean; 176 s of talk with a coefficient of variation of 1.1.
const (
	meanPatience  = 120 * time.Second
	leastPatience = 6 * time.Second // nobody hangs up at the first note of the music
	meanTalk      = 176 * time.Second
	talkCV        = 1.1
	shortestTalk  = 8 * time.Second
	longestTalk   = 30 * time.Minute
	redialChance  = .75
	soonChance    = .6
	soonRedial    = 2 * time.Minute
	lateRedial    = 45 * time.Minute
	maxRedials    = 4
	machineBound  = 90 * time.Second // the machine's answer is heard to its end
)

// wish is what somebody wants, and the keys that lead there.
type wish struct {
	keys  string
	share float64
	serve bool // by the machine
}

// wishes are the ways through the menu. Never written to.
var wishes = []wish{
	{"0", .18, false},
	{"12", .20, false},
	{"11", .12, false},
	{"13", .07, false},
	{"14", .06, false},
	{"21", .14, false},
	{"22", .04, false},
	{"4", .012, false},
	{"5", .006, false},
	{"8", .008, false},
	{"31", .04, true},
	{"32", .03, true},
	{"33", .02, true},
	{"34", .02, true},
	{"", .05, false},
}

func draw(r *rand.Rand) wish {
	x := r.Float64()
	for _, w := range wishes {
		if x -= w.share; x < 0 {
			return w
		}
	}
	return wishes[0]
}

// outcome is how an attempt ended.
type outcome uint8

const (
	talked outcome = iota
	served
	gaveUp
	turned // the hotline hung up before anybody talked
	failed
	stopped
)

// person calls, and calls again after giving up.
func (t *Town) person(ctx context.Context, who Person) {
	r := t.chance()
	number, w := t.cfg.Number, draw(r)
	if l := t.cfg.Line; l.Number != "" && r.Float64() < l.Share {
		number, w = l.Number, wish{keys: strings.TrimSpace(l.Keys[r.IntN(len(l.Keys)):][:1])}
	}
	for try := range maxRedials + 1 {
		out := t.call(ctx, r, who, number, w)
		if out != gaveUp && out != turned && out != failed || r.Float64() >= redialChance {
			return
		}
		pause := exponential(r, lateRedial)
		if r.Float64() < soonChance {
			pause = exponential(r, soonRedial)
		}
		if !sleep(ctx, t.shorter(pause+5*time.Second), nil) {
			return
		}
		if try < maxRedials {
			t.redialled.Add(1)
		}
	}
}

// call is one attempt.
func (t *Town) call(ctx context.Context, r *rand.Rand, who Person, number string, w wish) outcome {
	t.calling.Add(1)
	defer t.calling.Add(-1)
	t.dialled.Add(1)
	c, err := t.lines[0].dial(ctx, who.Number, number)
	if err != nil {
		if ctx.Err() != nil {
			return stopped
		}
		t.failed.Add(1)
		t.log.Debug("a call failed", "err", err)
		return failed
	}
	defer c.hangUp(ctx)
	if !t.keys(ctx, r, c, w) {
		return ended(ctx, turned)
	}
	if w.serve {
		sleep(ctx, machineBound, c.done)
		return ended(ctx, served)
	}
	return t.wait(ctx, r, c, who, number != t.cfg.Number)
}

func ended(ctx context.Context, o outcome) outcome {
	if ctx.Err() != nil {
		return stopped
	}
	return o
}

// keys listens a while before each key. False when the line went dead.
func (t *Town) keys(ctx context.Context, r *rand.Rand, c *talk, w wish) bool {
	pause := 3*time.Second + time.Duration(r.Float64()*float64(5*time.Second))
	for _, k := range w.keys {
		if !sleep(ctx, t.shorter(pause), c.done) {
			return false
		}
		c.sound.press(string(k))
		pause = 2*time.Second + time.Duration(r.Float64()*float64(3*time.Second)) + keyTime
	}
	return true
}

// keyTime is how long a key takes to be sent; the next one waits for it at any speed.
const keyTime = (keyTicks + keyPause + 3) * tick

// wait waits for an agent as long as patience lasts, and talks.
func (t *Town) wait(ctx context.Context, r *rand.Rand, c *talk, who Person, line bool) outcome {
	m := t.names.come(strings.TrimPrefix(who.Number, "0"), line)
	defer t.names.leave(strings.TrimPrefix(who.Number, "0"), m)
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	patience := time.NewTimer(max(t.shorter(leastPatience+exponential(r, meanPatience)), leastPatience/2))
	defer patience.Stop()
	long := min(max(lognormal(r, meanTalk, talkCV), shortestTalk), longestTalk)
	spoke, counted := false, int64(0)
	defer func() { t.talking.Add(-counted) }()
	for {
		select {
		case news := <-m.news:
			c.sound.talking(news == met)
			if news != met { // given on: patience begins anew
				t.talking.Add(-counted)
				counted = 0
				patience.Reset(max(t.shorter(leastPatience+exponential(r, meanPatience)), leastPatience/2))
				long /= 2
				continue
			}
			if !spoke {
				t.answered.Add(1)
			}
			t.talking.Add(1 - counted)
			spoke, counted = true, 1
			patience.Reset(t.shorter(long))
		case <-patience.C:
			if m.talking() {
				return ended(ctx, talked)
			}
			t.gaveUp.Add(1)
			return ended(ctx, gaveUp)
		case <-look.C:
			if !m.talking() && t.names.watch(ctx, who.Number) {
				m.tell(met)
				long = max(long, meanTalk/2) // somebody tries the demo: do not hang up on them
			}
		case <-c.done:
			if spoke {
				return ended(ctx, talked)
			}
			return ended(ctx, turned)
		case <-ctx.Done():
			return stopped
		}
	}
}

// lookEvery is how often a waiting caller asks whether a person answered: those at a browser cannot tell us.
const lookEvery = 3 * time.Second

type news uint8

const (
	met   news = iota // somebody answered
	given             // they gave the call on
)

// registry is how callers and simulated agents of one town learn of each other: what real ones hear.
type registry struct {
	mu      sync.Mutex
	waiting map[string]*meeting
	watcher func(ctx context.Context, number string) bool
}

// meeting is a caller who waits or talks.
type meeting struct {
	news chan news
	line bool // dialled the line's own number
	mu   sync.Mutex
	on   bool
}

func newRegistry() *registry { return &registry{waiting: map[string]*meeting{}} }

func (g *registry) come(number string, line bool) *meeting {
	g.mu.Lock()
	defer g.mu.Unlock()
	m := &meeting{news: make(chan news, 4), line: line}
	g.waiting[number] = m
	return m
}

func (g *registry) leave(number string, m *meeting) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.waiting[number] == m {
		delete(g.waiting, number)
	}
}

// meet tells a caller that an agent answered, or gave the call on.
func (g *registry) meet(number string, n news) {
	g.mu.Lock()
	m := g.waiting[number]
	g.mu.Unlock()
	if m != nil {
		m.tell(n)
	}
}

// onLine tells whether a caller who waits or talks dialled the line's own number.
func (g *registry) onLine(number string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	m := g.waiting[number]
	return m != nil && m.line
}

func (g *registry) watch(ctx context.Context, number string) bool {
	g.mu.Lock()
	w := g.watcher
	g.mu.Unlock()
	return w != nil && w(ctx, number)
}

func (m *meeting) tell(n news) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.on == (n == met) {
		return
	}
	m.on = n == met
	select {
	case m.news <- n:
	default: // it is over already
	}
}

func (m *meeting) talking() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.on
}

var errNotSeated = errors.New("callers: the agent is not signed in")
