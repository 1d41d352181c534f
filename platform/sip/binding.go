package sip

import (
	"context"
	"time"
)

// RegistrarConfig says who may register and for how long.
type RegistrarConfig struct {
	// Realm of the digest. Default "kapok". Stored HA1 values depend on it.
	Realm string
	// Credentials gives HA1 (see HA1) by algorithm for a user; false for an unknown one. It may block until ctx ends.
	Credentials func(ctx context.Context, user, realm string) (ha1 map[Algorithm]string, ok bool)
	// Algorithms offered to phones, preferred first. Default SHA-256, MD5 (RFC 8760). Browsers get MD5 first, because
	// JsSIP reads the first challenge only and knows nothing else; their connection is encrypted.
	Algorithms []Algorithm
	// AlgorithmsFor gives those to offer to one user, in place of Algorithms; nil, or nothing for the user: Algorithms.
	// Phones on old stacks give up at the first challenge they do not know instead of reading on to the next (libre
	// before 2.10: baresip 1.0 answers nothing at all when SHA-256 is among them), so what a phone can is known per phone.
	AlgorithmsFor func(user string) []Algorithm
	// Min, Default and Max of the lifetime of a binding. Default 30 s, 5 min, 1 h.
	MinExpires, DefaultExpires, MaxExpires time.Duration
	// MaxBindings of one user; the oldest gives way. Default 8.
	MaxBindings int
	// NonceLife is how long a nonce is good. Default 5 min.
	NonceLife time.Duration
	Guess     GuessConfig
	// Registered is told of each new binding and each that moved to another flow (not of refreshes),
	// Unregistered of each that is gone. They run one after the other and must not block long.
	Registered   func(Binding)
	Unregistered func(Binding, Gone)
}

// Gone says why a binding is gone.
type Gone string

// The ways a binding goes.
const (
	GoneLeft    Gone = "left"    // the phone unregistered
	GoneExpired Gone = "expired" // it was not renewed
	GoneClosed  Gone = "closed"  // its connection closed
	GoneMoved   Gone = "moved"   // the same device registered on another flow
	GonePushed  Gone = "pushed"  // too many bindings of the user
)

func (c *RegistrarConfig) withDefaults() {
	if c.Realm == "" {
		c.Realm = "kapok"
	}
	if len(c.Algorithms) == 0 {
		c.Algorithms = []Algorithm{SHA256, MD5}
	}
	set := func(d *time.Duration, v time.Duration) {
		if *d <= 0 {
			*d = v
		}
	}
	set(&c.MinExpires, 30*time.Second)
	set(&c.DefaultExpires, 5*time.Minute)
	set(&c.MaxExpires, time.Hour)
	set(&c.NonceLife, 5*time.Minute)
	if c.MaxBindings <= 0 {
		c.MaxBindings = 8
	}
	c.Guess.withDefaults()
}

// Binding is one device of a user: where it is reached. Calls go to Flow with Contact as Request-URI, so a browser's
// random .invalid Contact and a phone behind NAT are reached alike.
type Binding struct {
	User     string
	Contact  URI
	Instance string // +sip.instance (RFC 5626), "" when the device gives none
	Flow     *Flow
	Agent    string // User-Agent
	Since    time.Time
	Expires  time.Time

	callID string
	seq    uint32
}
