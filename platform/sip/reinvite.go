package sip

import (
	"context"
	"errors"
	"time"

	"github.com/kapok-hotline/kapok/platform/sip/wire"
)

// reinviteRing is how long a re-INVITE may stay without a final response once the peer has said 100 (a person may
// have to agree); RFC 3261 §14.1 leaves it open.
const reinviteRing = time.Minute

// Reinvite offers a new session description and gives the peer's answer. Glare (491) is retried after the back-off
// of RFC 3261 §14.1, challenges are answered; other refusals are a *StatusError and leave the session as it was.
func (d *Dialog) Reinvite(ctx context.Context, body []byte) ([]byte, error) {
	if len(body) == 0 {
		return nil, errors.New("sip: a re-INVITE needs an offer")
	}
	return wait(ctx, d.l, func(done func([]byte, error)) {
		d.whenFree(func() { d.reinvite(body, "", 0, done) })
	})
}

// whenFree runs fn when no other offer is under way, or at once when the dialog is over.
func (d *Dialog) whenFree(fn func()) {
	if !d.over && d.busy() {
		d.queue = append(d.queue, fn)
		return
	}
	fn()
}

func (d *Dialog) reinvite(body []byte, ctype string, tries int, done func([]byte, error)) {
	if d.over {
		done(nil, ErrEnded)
		return
	}
	if d.busy() {
		d.queue = append(d.queue, func() { d.reinvite(body, ctype, tries, done) })
		return
	}
	d.sendReinvite(body, ctype, tries, nil, 0, done)
}

// sendReinvite sends one INVITE; auth is the answer to a challenge, minSE what a 422 asked for.
func (d *Dialog) sendReinvite(body []byte, ctype string, tries int, auth []Header, minSE time.Duration, done func([]byte, error)) {
	f := d.nextFlow()
	if d.redial(f, func(*Flow) {
		d.offerOut = false
		d.sendReinvite(body, ctype, tries, auth, minSE, done)
	}) {
		d.offerOut = true // our turn until the connection stands
		return
	}
	h := append(append([]Header{{Name: "Allow", Value: allow}}, auth...), d.session.ask(d, minSE)...)
	r := d.newRequest("INVITE", h, ctype, body)
	r.Contact = d.contact(f)
	settled := false
	end := func(answer []byte, err error) {
		settled = true
		d.invite = nil
		done(answer, err)
		d.next()
	}
	var ring *time.Timer
	on := func(m *message, err error) {
		switch {
		case m != nil && m.Code < 200:
			if ring == nil {
				tx := d.invite
				ring = d.l.after(reinviteRing, func() {
					if !settled && tx != nil {
						tx.cancel(nil)
					}
				})
			}
			return
		case m != nil && m.Code < 300:
			d.ackInvite(f, m)
			if settled {
				return
			}
			stopTimer(ring)
			d.refreshTarget(m)
			d.lastBody, d.lastCT = body, ctype
			d.session.answered(m)
			d.session.start(d)
			end(m.Body, nil)
			return
		}
		stopTimer(ring)
		if settled {
			return
		}
		if d.over {
			end(nil, ErrEnded)
			return
		}
		if m == nil {
			d.invite = nil
			d.lost(nil, err)
			end(nil, err)
			return
		}
		d.reinviteRefused(m, r, body, ctype, tries, auth, minSE, done, end)
	}
	d.invite = d.l.send(f, r, 0, on)
}

// reinviteRefused retries what can be retried.
func (d *Dialog) reinviteRefused(m *message, r *wire.Request, body []byte, ctype string, tries int, auth []Header, minSE time.Duration, done, end func([]byte, error)) {
	if tries < 6 {
		switch {
		case wire.Challenged(m.Head) && d.auth != nil && tries < 2:
			if h, err := d.auth.AnswerChallenge(m.Head, "INVITE", r.URI); err == nil {
				d.sendReinvite(body, ctype, tries+1, []Header{h}, minSE, done)
				return
			}
		case m.Code == 422:
			if lo, _, ok := sessionExpires(m.Get("min-se")); ok && lo > minSE {
				d.sendReinvite(body, ctype, tries+1, auth, lo, done)
				return
			}
		case m.Code == 491:
			lo, hi := time.Duration(0), 4*d.srv.cfg.T1 // RFC 3261 §14.1: 0–2 s, the owner of the Call-ID 2.1–4 s
			if d.uac {
				lo, hi = 4*d.srv.cfg.T1+d.srv.cfg.T1/5, 8*d.srv.cfg.T1
			}
			d.invite = nil
			d.l.after(between(lo, hi), func() { d.reinvite(body, ctype, tries+1, done) })
			d.next()
			return
		}
	}
	d.invite = nil
	d.lost(m, nil)
	end(nil, &StatusError{m.Code, m.Reason})
}

func stopTimer(t *time.Timer) {
	if t != nil {
		t.Stop()
	}
}

// ackInvite acknowledges a 2xx to an INVITE of ours; the same ACK again for each repeat (RFC 3261 §13.2.2.4).
func (d *Dialog) ackInvite(f *Flow, m *message) {
	if raw := d.acks[m.Seq]; raw != nil {
		_ = d.l.write(d.ackFlow(f), raw)
		return
	}
	raw := d.makeAck(f, m.Seq, nil)
	_ = d.l.write(d.ackFlow(f), raw)
}

func (d *Dialog) makeAck(f *Flow, seq uint32, body []byte) []byte {
	r := &wire.Request{
		Method: "ACK", CallID: d.callID, Seq: seq, Body: body,
		From: d.local + ";tag=" + d.localTag, To: d.remote + ";tag=" + d.remoteTag,
	}
	d.route(r)
	raw := r.Text(d.srv.viaFor(d.ackFlow(f), wire.Magic+wire.Token(8)), "")
	for old := range d.acks { // only the newest matters, and the one before
		if old+8 < seq {
			delete(d.acks, old)
		}
	}
	d.acks[seq] = raw
	return raw
}

func (d *Dialog) ackFlow(f *Flow) *Flow {
	if d.pinned || f.udp == nil {
		return f
	}
	return d.nextFlow()
}
