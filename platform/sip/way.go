package sip

import (
	"context"
	"net/netip"
	"strconv"
	"strings"

	"github.com/kapok-hotline/kapok/platform/sip/wire"
)

// route fills Request-URI and Route from target and route set; a strict router gets the old form.
func (d *Dialog) route(r *wire.Request) {
	r.URI, r.Routes = d.target, d.routes
	if len(d.routes) == 0 {
		return
	}
	if a, err := ParseAddress(d.routes[0]); err == nil {
		if _, loose := a.URI.Param("lr"); !loose {
			r.URI = a.URI.String()
			r.Routes = append(append([]string(nil), d.routes[1:]...), "<"+d.target+">")
		}
	}
}

// contact is our Contact on the flow.
func (d *Dialog) contact(f *Flow) string { return d.srv.contactFor(d.contactUser, f) }

func (s *Server) contactFor(user string, f *Flow) string {
	a := s.addressFor(f)
	var b strings.Builder
	b.WriteString("<sip:")
	if user != "" {
		b.WriteString(wire.Clean(user))
		b.WriteByte('@')
	}
	b.WriteString(wire.HostText(a.Addr().String()))
	b.WriteByte(':')
	b.WriteString(strconv.Itoa(int(a.Port())))
	if f.Transport != "udp" {
		b.WriteString(";transport=")
		b.WriteString(strings.TrimSuffix(f.Transport, "s"))
		if f.Transport == "tls" {
			b.WriteByte('s')
		}
	}
	b.WriteByte('>')
	return b.String()
}

// nextFlow is where the next request goes: the flow for phones, browsers and connections, and for a peer that is
// behind NAT; else the address in the first Route or the target when it is an IP address (RFC 3261 §12.2.1.1).
// A name stays on the flow the peer uses.
func (d *Dialog) nextFlow() *Flow {
	f := d.flow
	if d.pinned || f.udp == nil {
		return f
	}
	hop := d.target
	if len(d.routes) > 0 {
		if a, err := ParseAddress(d.routes[0]); err == nil {
			hop = a.URI.String()
		}
	}
	u, err := ParseURI(hop)
	if err != nil {
		return f
	}
	if t, ok := u.Param("transport"); ok && !strings.EqualFold(t, "udp") {
		return f
	}
	ip, err := netip.ParseAddr(strings.Trim(u.Host, "[]"))
	if err != nil {
		return f
	}
	ip = ip.Unmap()
	port := u.Port
	if port == 0 {
		port = 5060
	}
	if ip != f.Remote.Addr() && (unreachable(ip) || ip.IsPrivate() && !f.Remote.Addr().IsPrivate() || ip.IsLoopback() != f.Remote.Addr().IsLoopback()) {
		return f // NAT: the address in the message means nothing here
	}
	return &Flow{Transport: "udp", Remote: netip.AddrPortFrom(ip, uint16(port)), local: f.local, udp: f.udp}
}

func unreachable(a netip.Addr) bool {
	return a.IsUnspecified() || a.IsMulticast() || a.IsLinkLocalUnicast()
}

// redial opens a new connection when the peer (a trunk, say) has closed the one of the call (RFC 3261 §18.4), and
// goes on with then; a browser or phone is not redialled, it comes back itself. false means that there is nothing
// to do.
func (d *Dialog) redial(f *Flow, then func(*Flow)) bool {
	if f.Alive() || d.pinned || f.Transport != "tcp" && f.Transport != "tls" {
		return false
	}
	hop := d.target
	if len(d.routes) > 0 {
		if a, err := ParseAddress(d.routes[0]); err == nil {
			hop = a.URI.String()
		}
	}
	u, err := ParseURI(hop)
	if err != nil {
		return false
	}
	if _, ok := u.Param("transport"); !ok {
		u.Params += ";transport=" + f.Transport
	}
	return d.srv.spawn(func() {
		ctx, cancel := context.WithTimeout(d.srv.ctx, 2*writeTimeout)
		defer cancel()
		fresh := f // closed: the request will fail with ErrFlowClosed
		if hops, err := d.srv.resolve(ctx, u); err == nil {
			if x, _, err := d.srv.firstFlow(ctx, hops); err == nil {
				fresh = x
			}
		}
		d.l.post(func() {
			if fresh == f {
				d.pinned = true // do not try for ever
			} else {
				d.flow = fresh
			}
			then(fresh)
		})
	})
}

// Move sends what follows to another flow: a browser that came back on a new connection.
func (d *Dialog) Move(f *Flow) {
	d.l.post(func() { d.flow, d.pinned = f, true })
}

// Flow gives the flow that requests of the dialog take now.
func (d *Dialog) Flow() *Flow {
	f, err := wait(context.Background(), d.l, func(done func(*Flow, error)) { done(d.flow, nil) })
	if err != nil {
		f = &Flow{} // the server is closed
		f.closed.Store(true)
	}
	return f
}
