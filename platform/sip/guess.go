package sip

import (
	"net/netip"
	"sync"
	"time"
)

// GuessConfig limits the guessing of passwords. Zero values take the defaults.
type GuessConfig struct {
	// Slow wrong answers from one address (or for one account) make further ones wait and get 403. Default 5 (10).
	Slow, SlowAccount int
	// Silent wrong answers from one address make it unheard until Forget has passed. Default 20.
	Silent int
	Forget time.Duration // default 10 min
	Delay  time.Duration // of a slowed answer, default 2 s
}

func (c *GuessConfig) withDefaults() {
	if c.Slow <= 0 {
		c.Slow = 5
	}
	if c.SlowAccount <= 0 {
		c.SlowAccount = 10
	}
	if c.Silent <= 0 {
		c.Silent = 20
	}
	if c.Forget <= 0 {
		c.Forget = 10 * time.Minute
	}
	if c.Delay <= 0 {
		c.Delay = 2 * time.Second
	}
}

// verdict says how to treat an attempt.
type verdict uint8

const (
	guessFree verdict = iota
	guessSlow
	guessSilent
)

// guesses counts wrong answers by address and by account, both bounded.
type guesses struct {
	cfg      GuessConfig
	mu       sync.Mutex
	sources  map[netip.Addr]*guessCount
	accounts map[string]*guessCount
}

type guessCount struct {
	n    int
	last time.Time
}

const maxGuessed = 20000 // addresses or accounts remembered

func (g *guesses) init(cfg GuessConfig) {
	g.cfg = cfg
	g.sources, g.accounts = map[netip.Addr]*guessCount{}, map[string]*guessCount{}
}

func (g *guesses) source(a netip.Addr, now time.Time) verdict {
	g.mu.Lock()
	defer g.mu.Unlock()
	c := g.sources[a]
	switch {
	case c == nil || now.Sub(c.last) > g.cfg.Forget:
		return guessFree
	case c.n >= g.cfg.Silent:
		return guessSilent
	case c.n >= g.cfg.Slow:
		return guessSlow
	}
	return guessFree
}

func (g *guesses) account(user string, now time.Time) verdict {
	g.mu.Lock()
	defer g.mu.Unlock()
	c := g.accounts[user]
	if c != nil && now.Sub(c.last) <= g.cfg.Forget && c.n >= g.cfg.SlowAccount {
		return guessSlow
	}
	return guessFree
}

func (g *guesses) failed(a netip.Addr, user string, now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	count(g.sources, a, now, g.cfg.Forget)
	if len(user) <= 128 {
		count(g.accounts, user, now, g.cfg.Forget)
	}
}

func count[K comparable](m map[K]*guessCount, k K, now time.Time, forget time.Duration) {
	c := m[k]
	if c == nil {
		if len(m) >= maxGuessed {
			dropOld(m, now, forget)
		}
		c = &guessCount{}
		m[k] = c
	}
	if now.Sub(c.last) > forget {
		c.n = 0
	}
	c.n++
	c.last = now
}

// dropOld makes room: what is forgotten goes first, then anything.
func dropOld[K comparable](m map[K]*guessCount, now time.Time, forget time.Duration) {
	for k, c := range m {
		if now.Sub(c.last) > forget {
			delete(m, k)
		}
	}
	for k := range m {
		if len(m) < maxGuessed*9/10 {
			return
		}
		delete(m, k)
	}
}

// passed forgives an address that has shown the right password.
func (g *guesses) passed(a netip.Addr, user string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.sources, a)
	delete(g.accounts, user)
}

func (g *guesses) sweep(now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for k, c := range g.sources {
		if now.Sub(c.last) > g.cfg.Forget {
			delete(g.sources, k)
		}
	}
	for k, c := range g.accounts {
		if now.Sub(c.last) > g.cfg.Forget {
			delete(g.accounts, k)
		}
	}
}
