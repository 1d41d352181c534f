package sip

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
)

// hop is one address a request can be sent to.
type hop struct {
	transport string
	addr      netip.AddrPort
	host      string // as written, for TLS and the Request-URI
	uriPort   int    // as written
	flow      *Flow  // fixed already
}

// hopsFor lists the ways for a call, best first.
func (s *Server) hopsFor(ctx context.Context, opt *CallOptions) ([]hop, error) {
	switch {
	case opt.Binding != nil:
		b := opt.Binding
		if opt.URI.Host == "" {
			opt.URI = b.Contact
		}
		if !b.Flow.Alive() {
			return nil, ErrFlowClosed
		}
		return []hop{{flow: b.Flow}}, nil
	case opt.Trunk != "":
		return s.trunks.hops(ctx, s, opt)
	case opt.URI.Host != "":
		return s.resolve(ctx, opt.URI)
	}
	return nil, errors.New("sip: a call needs a URI, a binding or a trunk")
}

// resolve finds the addresses of a URI: RFC 3263 without NAPTR. A port or an IP address rules out SRV.
func (s *Server) resolve(ctx context.Context, u URI) ([]hop, error) {
	transport := "udp"
	if t, ok := u.Param("transport"); ok {
		transport = strings.ToLower(t)
	}
	if u.Scheme == "sips" && transport != "ws" {
		transport = "tls"
	}
	if transport != "udp" && transport != "tcp" && transport != "tls" {
		return nil, fmt.Errorf("sip: transport %q of %s cannot be dialled", transport, u.Host)
	}
	port := u.Port
	if port == 0 {
		port = 5060
		if transport == "tls" {
			port = 5061
		}
	}
	host := strings.Trim(u.Host, "[]")
	if a, err := netip.ParseAddr(host); err == nil {
		return []hop{{transport: transport, addr: netip.AddrPortFrom(a.Unmap(), uint16(port)), host: u.Host, uriPort: u.Port}}, nil
	}
	if u.Port == 0 {
		if hops := s.resolveSRV(ctx, host, transport); len(hops) > 0 {
			return hops, nil
		}
	}
	addrs, err := s.cfg.Resolve.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil, fmt.Errorf("sip: %s cannot be resolved: %w", host, err)
	}
	return hopsOf(addrs, transport, port, u.Host, u.Port), nil
}

func hopsOf(addrs []netip.Addr, transport string, port int, host string, uriPort int) []hop {
	var v4, v6 []hop
	for _, a := range addrs {
		a = a.Unmap()
		h := hop{transport: transport, addr: netip.AddrPortFrom(a, uint16(port)), host: host, uriPort: uriPort}
		if a.Is4() {
			v4 = append(v4, h)
		} else {
			v6 = append(v6, h)
		}
	}
	return append(v4, v6...)
}

// resolveSRV lists all targets by priority and weight, as the resolver sorts them.
func (s *Server) resolveSRV(ctx context.Context, host, transport string) []hop {
	service, proto := "sip", transport
	if transport == "tls" {
		service, proto = "sips", "tcp"
	}
	_, recs, err := s.cfg.Resolve.LookupSRV(ctx, service, proto, host)
	if err != nil {
		return nil
	}
	var out []hop
	for _, r := range recs[:min(len(recs), 8)] {
		name := strings.TrimSuffix(r.Target, ".")
		addrs, err := s.cfg.Resolve.LookupNetIP(ctx, "ip", name)
		if err != nil {
			continue
		}
		out = append(out, hopsOf(addrs[:min(len(addrs), 4)], transport, int(r.Port), host, 0)...)
	}
	return out
}

// firstFlow connects to the first hop that can be reached and says which it was.
func (s *Server) firstFlow(ctx context.Context, hops []hop) (*Flow, int, error) {
	var errs error
	for i, h := range hops {
		f, err := s.connect(ctx, h)
		if err == nil {
			return f, i, nil
		}
		errs = errors.Join(errs, err)
	}
	if errs == nil {
		errs = errors.New("sip: there is no address to call")
	}
	return nil, 0, errs
}

// connect gives the flow to a hop: a socket for UDP, a live or new connection for TCP and TLS.
func (s *Server) connect(ctx context.Context, h hop) (*Flow, error) {
	if h.flow != nil {
		return h.flow, nil
	}
	if h.transport == "udp" {
		p := s.socketFor(h.addr.Addr())
		if p == nil {
			return nil, fmt.Errorf("sip: no UDP socket can reach %s: add a listen address of its family", h.addr)
		}
		return &Flow{Transport: "udp", Remote: h.addr, local: p.local, udp: p.conn}, nil
	}
	if f := s.flows.get(h.transport + "|" + h.addr.String()); f != nil && f.Alive() {
		return f, nil
	}
	return s.dial(ctx, h)
}

// socketFor picks the UDP socket by family and, when several fit, by our address towards the peer.
func (s *Server) socketFor(a netip.Addr) *packetPipe {
	var found *packetPipe
	for _, p := range s.packets {
		l := p.local.Addr()
		if l.Is4() != a.Is4() && !(l.IsUnspecified() && l.Is6()) {
			continue
		}
		if found == nil || !found.local.Addr().IsUnspecified() && l == s.outbound(a) {
			found = p
		}
	}
	return found
}

func (s *Server) dial(ctx context.Context, h hop) (*Flow, error) {
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	var (
		c   net.Conn
		err error
	)
	if h.transport == "tls" {
		conf := &tls.Config{MinVersion: tls.VersionTLS12}
		if s.cfg.TLS != nil {
			conf = s.cfg.TLS.Clone()
			conf.MinVersion = max(conf.MinVersion, tls.VersionTLS12)
		}
		if conf.ServerName == "" {
			conf.ServerName = strings.Trim(h.host, "[]")
		}
		c, err = (&tls.Dialer{Config: conf}).DialContext(ctx, "tcp", h.addr.String())
	} else {
		c, err = (&net.Dialer{}).DialContext(ctx, "tcp", h.addr.String())
	}
	if err != nil {
		return nil, fmt.Errorf("sip: cannot connect to %s over %s: %w", h.addr, h.transport, err)
	}
	f := s.newStreamFlow(c, h.transport)
	if f == nil {
		return nil, ErrClosed
	}
	s.spawn(func() { s.readStream(f, c) })
	return f, nil
}
