package sip

import (
	"strings"

	"github.com/kapok-hotline/kapok/platform/sip/wire"
)

// request takes a request of the peer within the dialog (RFC 3261 §12.2.2).
func (d *Dialog) request(t *serverTx) {
	m := t.req
	if d.remoteSeen && m.Seq <= d.remoteSeq {
		t.respond(wire.Reply{Code: 500, Reason: "CSeq out of order"})
		return
	}
	d.remoteSeq, d.remoteSeen = m.Seq, true
	d.follow(m)
	switch m.Method {
	case "BYE":
		d.gotBye(t)
	case "INVITE":
		d.gotInvite(t)
	case "UPDATE":
		d.gotUpdate(t)
	case "PRACK":
		d.gotPrack(t)
	case "INFO":
		d.gotInfo(t)
	case "OPTIONS":
		t.respond(wire.Reply{Code: 200, Headers: capabilities()})
	case "REFER":
		d.gotRefer(t)
	case "NOTIFY":
		d.gotNotify(t)
	default:
		t.respond(wire.Reply{Code: 501, Headers: []Header{{Name: "Allow", Value: allow}}})
	}
}

// follow keeps up with a peer whose address changed (NAT rebinding, a new connection).
func (d *Dialog) follow(m *message) {
	if m.flow.Key() == d.flow.Key() {
		return
	}
	if d.pinned || !d.flow.Alive() || m.flow.udp == nil {
		d.flow = m.flow
	}
}

// refreshTarget takes the Contact of a target refresh (RFC 3261 §12.2).
func (d *Dialog) refreshTarget(m *message) {
	c := m.List("contact")
	if len(c) != 1 {
		return
	}
	if a, err := ParseAddress(c[0]); err == nil {
		d.target = a.URI.String()
	}
	if v := m.List("allow"); len(v) > 0 {
		d.peerAllow = strings.Join(v, ",")
	}
}

func (d *Dialog) gotBye(t *serverTx) {
	t.respond(wire.Reply{Code: 200})
	e := End{Cause: CauseRemote, Code: reasonCode(t.req), Reason: reasonText(t.req)}
	if d.early && d.incoming != nil {
		e.Cause = CauseCanceled
		d.incoming.cancel(e)
		return
	}
	d.finish(e)
}

// gotInvite is a re-INVITE (RFC 3261 §14.2).
func (d *Dialog) gotInvite(t *serverTx) {
	m := t.req
	switch {
	case d.early, d.inviteIn != nil, d.offerIn:
		t.respond(wire.Reply{Code: 500, Reason: "Another offer is open", Headers: []Header{{Name: "Retry-After", Value: "2"}}})
		return
	case d.invite != nil, d.sent != nil, d.offerOut:
		t.respond(wire.Reply{Code: 491})
		return
	}
	if !d.sessionOK(t) {
		return
	}
	d.inviteIn = t
	t.canceled = func() {
		if d.inviteIn == t {
			d.inviteIn = nil
			t.respond(wire.Reply{Code: 487})
			d.next()
		}
	}
	d.offer(t, func(answer []byte, refuse int) {
		if d.inviteIn != t {
			return
		}
		d.inviteIn = nil
		if refuse != 0 {
			t.respond(wire.Reply{Code: refuse})
			d.next()
			return
		}
		d.refreshTarget(m)
		d.lastBody, d.lastCT = answer, ""
		h := append([]Header{{Name: "Contact", Value: d.contact(m.flow)}}, capabilities()...)
		h = append(h, d.session.answer(d, m)...)
		d.answer(t, wire.Reply{Code: 200, Headers: h, Body: answer}, false, len(m.Body) == 0)
		d.session.start(d)
	})
}

func (d *Dialog) sessionOK(t *serverTx) bool {
	if iv, _, ok := sessionExpires(t.req.Get("session-expires")); ok && t.req.Has("supported", "timer") && iv < d.srv.cfg.MinSE {
		t.respond(wire.Reply{Code: 422, Headers: []Header{{Name: "Min-SE", Value: seconds(d.srv.cfg.MinSE)}}})
		return false
	}
	return true
}

// offer asks the handler for the answer to the offer in t, within the deadline, and gives it back in the lane.
// refuse is the code to refuse with, or 0.
func (d *Dialog) offer(t *serverTx, settle func(answer []byte, refuse int)) {
	fn := d.events.Load().Offer
	if fn == nil {
		settle(nil, 488)
		return
	}
	open := true
	late := d.l.after(d.srv.cfg.OfferTimeout, func() {
		if open {
			open = false
			settle(nil, 500)
		}
	})
	body := t.req.Body
	d.up.post(func() {
		answer, err := fn(d, body)
		d.l.post(func() {
			if !open {
				return
			}
			open = false
			late.Stop()
			switch {
			case d.over:
				settle(nil, 487)
			case err != nil:
				d.srv.log.Info("sip: offer refused", "callid", d.callID, "err", err)
				settle(nil, 488)
			default:
				settle(answer, 0)
			}
		})
	})
}

// gotUpdate is RFC 3311: a new offer, or without a body a mere refresh.
func (d *Dialog) gotUpdate(t *serverTx) {
	m := t.req
	if !d.sessionOK(t) {
		return
	}
	ok := func(answer []byte) {
		d.refreshTarget(m)
		h := append([]Header{{Name: "Contact", Value: d.contact(m.flow)}}, d.session.answer(d, m)...)
		t.respond(wire.Reply{Code: 200, Headers: h, Body: answer})
		d.session.start(d)
	}
	switch {
	case len(m.Body) == 0:
		ok(nil)
		return
	case d.offerIn, d.inviteIn != nil:
		t.respond(wire.Reply{Code: 500, Reason: "Another offer is open", Headers: []Header{{Name: "Retry-After", Value: "2"}}})
		return
	case d.offerOut, d.invite != nil, d.sent != nil && d.sent.offer:
		t.respond(wire.Reply{Code: 491})
		return
	}
	d.offerIn = true
	d.offer(t, func(answer []byte, refuse int) {
		d.offerIn = false
		if refuse != 0 {
			t.respond(wire.Reply{Code: refuse})
		} else {
			d.lastBody, d.lastCT = answer, ""
			ok(answer)
		}
		d.next()
	})
}

// gotPrack is RFC 3262; it may carry an offer.
func (d *Dialog) gotPrack(t *serverTx) {
	if d.incoming == nil || !d.incoming.rel.acked(d.incoming, t.req.Get("rack")) {
		t.respond(wire.Reply{Code: 481})
		return
	}
	if len(t.req.Body) == 0 || len(d.incoming.Offer) == 0 {
		t.respond(wire.Reply{Code: 200})
		return
	}
	d.offer(t, func(answer []byte, refuse int) {
		if refuse != 0 {
			t.respond(wire.Reply{Code: refuse})
			return
		}
		t.respond(wire.Reply{Code: 200, Body: answer})
	})
}

func (d *Dialog) gotInfo(t *serverTx) {
	t.respond(wire.Reply{Code: 200})
	ct, body := t.req.Get("content-type"), t.req.Body
	d.up.post(func() {
		if fn := d.events.Load().Info; fn != nil {
			fn(d, ct, body)
		}
	})
}
