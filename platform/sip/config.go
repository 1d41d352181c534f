package sip

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net/netip"
	"time"

	"github.com/kapok-hotline/kapok/platform/sip/wire"
)

// Config is what a Server needs to know. Now is mandatory; everything else has a default.
type Config struct {
	// Listen names the addresses (host:port, port 0 = any) served on UDP and TCP at once, normally ":5060".
	Listen []string
	// ListenTLS names the TLS addresses, normally ":5061"; TLS must then hold a certificate. TLS 1.2 is the floor.
	ListenTLS []string
	TLS       *tls.Config
	// Advertise is the address peers outside Local must use to reach us (1:1 NAT); zero: our own address.
	Advertise netip.Addr
	// Local are the networks where our own address is right although Advertise is set.
	Local []netip.Prefix
	// Name stands in User-Agent and Server. Default "Kapok".
	Name string
	// Now is the wall clock.
	Now func() time.Time
	Log *slog.Logger

	// Invite takes each new incoming call, on a goroutine of its own. Without it calls get 480.
	Invite func(*Incoming)
	// Traced takes the messages of a Call-ID when its call has ended (see Entry). It must not block.
	Traced func(callID string, messages []Entry)

	// Registrar settings; a zero value refuses every REGISTER with 403.
	Registrar RegistrarConfig
	// Trunk health changes; may be nil.
	TrunkHealth func(TrunkHealth)

	// T1, T2, T4: RFC 3261 §17 (500 ms, 4 s, 5 s). Tests shorten them.
	T1, T2, T4 time.Duration
	// Unanswered is how long an incoming INVITE may stay without a final response (480 then). Default 10 min.
	Unanswered time.Duration
	// SessionExpires is the session interval we ask for (RFC 4028). Default 30 min; MinSE 90 s. The floor of
	// MinSE is for tests alone.
	SessionExpires, MinSE time.Duration
	// OfferTimeout bounds the handler of an in-dialog offer. Default 8 s.
	OfferTimeout time.Duration

	// Overload holds the shedding of new calls, Flood the limits per unknown source.
	Overload OverloadConfig
	Flood    FloodConfig
	// Origins are patterns of browser origins allowed on the WebSocket besides the page's own host.
	Origins []string
	// Ping is the interval of WebSocket pings. Default 20 s.
	Ping time.Duration
	// IdleTCP closes TCP and TLS connections without a byte for so long, unless a registration lives on them.
	// Default 15 min.
	IdleTCP time.Duration
	// Resolve looks names up; default the system's resolver.
	Resolve Resolver
}

// Resolver is what of *net.Resolver is used for RFC 3263.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
	LookupSRV(ctx context.Context, service, proto, name string) (cname string, addrs []*SRV, err error)
}

func (c *Config) withDefaults() error {
	if c.Now == nil {
		return errors.New("sip: Config.Now is missing: hand in the clock")
	}
	if len(c.ListenTLS) > 0 && c.TLS == nil {
		return errors.New("sip: ListenTLS is set but TLS is not: give a certificate or drop the TLS address")
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Name == "" {
		c.Name = "Kapok"
	}
	c.Name = wire.Clean(c.Name)
	set := func(d *time.Duration, v time.Duration) {
		if *d <= 0 {
			*d = v
		}
	}
	set(&c.T1, 500*time.Millisecond)
	set(&c.T2, 8*c.T1)
	set(&c.T4, 10*c.T1)
	set(&c.Unanswered, 10*time.Minute)
	set(&c.SessionExpires, 30*time.Minute)
	set(&c.MinSE, 90*time.Second)
	set(&c.OfferTimeout, 8*time.Second)
	set(&c.Ping, 20*time.Second)
	set(&c.IdleTCP, 15*time.Minute)
	if c.SessionExpires < c.MinSE {
		c.SessionExpires = c.MinSE
	}
	if c.Resolve == nil {
		c.Resolve = systemResolver{}
	}
	c.Overload.withDefaults()
	c.Flood.withDefaults()
	c.Registrar.withDefaults()
	return nil
}
