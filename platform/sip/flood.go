package sip

import (
	"hash/maphash"
	"net/netip"
	"strings"
	"sync"
	"time"
)

// FloodConfig limits what sources may send that are neither a trunk nor registered.
type FloodConfig struct {
	// Rate is messages per second and source address, Burst what may come at once. Defaults 30 and 120.
	// A negative Rate switches the limit off.
	Rate, Burst float64
	// Scanners are words in User-Agent whose messages are dropped without an answer. nil: the known scanners.
	Scanners []string
}

func (c *FloodConfig) withDefaults() {
	if c.Rate == 0 {
		c.Rate = 30
	}
	if c.Burst <= 0 {
		c.Burst = 120
	}
	if c.Scanners == nil {
		c.Scanners = []string{
			"friendly-scanner", "friendly-request", "sipvicious", "sundayddr", "sip-scan", "sipsak", "sipcli",
			"vaxsipuseragent", "iwar", "smap", "siparmyknife", "pplsip", "eyebeam-scan", "sipptk",
		}
	}
}

// flood is a fixed table of token buckets, hashed by address: memory does not grow with the number of sources
// (20,000 spoofed ones share it), and an attacker cannot aim at a bucket because the seed is secret.
type flood struct {
	cfg     FloodConfig
	seed    maphash.Seed
	shards  [64]sync.Mutex
	buckets [1 << 16]bucket
}

type bucket struct {
	tokens float32
	at     int64 // unix ms of the last refill
}

func (f *flood) init(cfg *Config) {
	f.cfg = cfg.Flood
	f.seed = maphash.MakeSeed()
}

// allow takes a token of the source. An IPv6 source counts by its /64.
func (f *flood) allow(a netip.Addr, now time.Time) bool {
	if f.cfg.Rate < 0 {
		return true
	}
	if a.Is6() && !a.Is4In6() {
		if p, err := a.Prefix(64); err == nil {
			a = p.Addr()
		}
	}
	b16 := a.As16()
	i := maphash.Bytes(f.seed, b16[:]) & (1<<16 - 1)
	mu := &f.shards[i&63]
	mu.Lock()
	defer mu.Unlock()
	b := &f.buckets[i]
	ms := now.UnixMilli()
	if b.at == 0 {
		b.tokens = float32(f.cfg.Burst)
	} else if d := ms - b.at; d > 0 {
		b.tokens = min(float32(f.cfg.Burst), b.tokens+float32(d)*float32(f.cfg.Rate)/1000)
	}
	b.at = ms
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}

// scanner says whether the User-Agent is one of the known attack tools.
func (f *flood) scanner(agent string) bool {
	if agent == "" || len(f.cfg.Scanners) == 0 {
		return false
	}
	agent = strings.ToLower(agent)
	for _, w := range f.cfg.Scanners {
		if strings.Contains(agent, w) {
			return true
		}
	}
	return false
}

// knows says whether the flow belongs to somebody we know: a trunk, or a live registration.
func (s *Server) knows(f *Flow) bool {
	return f.pinned.Load() > 0 || s.trunks.knows(f.Remote.Addr()) || s.registrar.knows(f)
}
