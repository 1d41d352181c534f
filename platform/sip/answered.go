package sip

import (
	"context"
	"time"

	"github.com/kapok-hotline/kapok/platform/sip/wire"
)

// WaitACK waits until the peer has acknowledged our 200 and gives the body of the ACK: the answer to a late offer.
// For a call we made it returns at once.
func (d *Dialog) WaitACK(ctx context.Context) ([]byte, error) {
	select {
	case <-d.acked1:
		return d.ackSDP, nil
	case <-d.done:
		select {
		case <-d.acked1: // it came before the end
			return d.ackSDP, nil
		default:
			return nil, ErrEnded
		}
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// sent2xx is a 2xx of ours that is repeated until its ACK (RFC 3261 §13.3.1.4), on every transport.
type sent2xx struct {
	d     *Dialog
	tx    *serverTx
	raw   []byte
	seq   uint32
	first bool // of the call itself, not of a re-INVITE
	offer bool // it carried an offer, so the ACK must carry the answer
	wait  time.Duration
	spent time.Duration
	timer *time.Timer
}

// answer sends the 2xx of an INVITE and begins the repeats.
func (d *Dialog) answer(t *serverTx, r wire.Reply, first, offer bool) {
	t.respond(r)
	s := &sent2xx{d: d, tx: t, raw: t.last, seq: t.req.Seq, first: first, offer: offer, wait: d.srv.cfg.T1}
	d.sent = s
	s.timer = d.l.after(s.wait, s.repeat)
}

func (s *sent2xx) stop() { s.timer.Stop() }

func (s *sent2xx) repeat() {
	d := s.d
	if d.sent != s {
		return
	}
	s.spent += s.wait
	if s.spent >= 64*d.srv.cfg.T1 {
		d.sent = nil
		d.hangUp(End{Cause: CauseNoAck, Code: 408, Reason: "our 200 was not acknowledged"}, nil, func(struct{}, error) {})
		return
	}
	_ = d.l.write(s.tx.flow, s.raw)
	s.wait = min(2*s.wait, d.srv.cfg.T2, 64*d.srv.cfg.T1-s.spent)
	s.timer = d.l.after(s.wait, s.repeat)
}

// acked takes the ACK to a 2xx of ours. A late or strange one changes nothing.
func (d *Dialog) acked(m *message) {
	s := d.sent
	if s == nil || m.Seq != s.seq {
		return
	}
	s.stop()
	d.sent = nil
	if s.first {
		d.ackSDP = m.Body
		close(d.acked1)
	}
	if s.offer {
		body := m.Body
		d.up.post(func() {
			if fn := d.events.Load().Answered; fn != nil {
				fn(d, body)
			}
		})
	}
	if fn := d.byeAfter; fn != nil {
		d.byeAfter = nil
		fn()
		return
	}
	d.next()
}
