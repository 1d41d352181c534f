package sip

import (
	"net/netip"
	"slices"
	"time"

	"github.com/kapok-hotline/kapok/platform/sip/wire"
)

// flowClosed removes what was registered on a connection that is gone.
func (r *Registrar) flowClosed(f *Flow) {
	if f.pinned.Load() == 0 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, list := range r.byUser {
		for _, b := range slices.Clone(list) {
			if b.Flow == f {
				r.removeLocked(b, GoneClosed)
			}
		}
	}
}

// sweep removes what has expired, once a second until the server closes.
func (r *Registrar) sweep() {
	t := time.NewTicker(time.Second)
	defer t.Stop()
	for n := 0; ; n++ {
		select {
		case <-r.srv.ctx.Done():
			return
		case <-t.C:
		}
		now := r.srv.cfg.Now()
		r.expire(now)
		if n%25 == 24 {
			r.keepOpen(now)
		}
		if n%60 == 0 {
			r.nonces.sweep(now)
			r.guesses.sweep(now)
		}
	}
}

// keepOpen sends OPTIONS to phones on UDP behind NAT, so that the hole towards them stays open (RFC 4787 asks for two
// minutes, many give 30 s). Nobody waits for the answer: going out, it has done its work.
func (r *Registrar) keepOpen(now time.Time) {
	r.mu.RLock()
	var nated []*Binding
	for _, list := range r.byUser {
		for _, b := range list {
			if a, err := netip.ParseAddr(b.Contact.Host); b.Flow.udp != nil && (err != nil || a.Unmap() != b.Flow.Remote.Addr()) && b.Expires.After(now) {
				nated = append(nated, b)
			}
		}
	}
	r.mu.RUnlock()
	for _, b := range nated {
		q := wire.Request{
			Method: "OPTIONS", URI: b.Contact.String(), From: "<sip:ping@" + r.cfg.Realm + ">;tag=" + wire.Token(4),
			To: "<" + b.Contact.String() + ">", CallID: wire.Token(8), Seq: 1,
		}
		_ = b.Flow.write(q.Text(r.srv.viaFor(b.Flow, wire.Magic+wire.Token(8)), r.srv.cfg.Name))
	}
}

func (r *Registrar) expire(now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, list := range r.byUser {
		for _, b := range slices.Clone(list) {
			if !b.Expires.After(now) {
				r.removeLocked(b, GoneExpired)
			}
		}
	}
}
