package sip

import (
	"time"

	"github.com/kapok-hotline/kapok/platform/sip/wire"
)

// txState is the state of a transaction (RFC 3261 §17, RFC 6026).
type txState uint8

const (
	txTrying     txState = iota // nothing seen yet
	txProceeding                // a provisional response went by
	txAccepted                  // INVITE answered 2xx; repeats are absorbed
	txCompleted                 // a final response went by
	txConfirmed                 // INVITE refused and ACKed
	txOver
)

// serverTx is a request from outside until repeats of it can no longer come.
type serverTx struct {
	l     *lane
	key   string
	req   *message
	flow  *Flow
	tag   string // our To tag, one for all responses
	state txState
	last  []byte // response to repeat
	wait  time.Duration
	timer *time.Timer // the one that matters in this state

	canceled func() // INVITE: the peer sent CANCEL before a final response
}

// newServerTx begins the transaction of m.
func (l *lane) newServerTx(m *message) *serverTx {
	t := &serverTx{l: l, key: m.ServerKey(m.Method), req: m, flow: m.replyFlow(), tag: wire.Token(6)}
	l.server[t.key] = t
	if m.Method == "INVITE" {
		t.timer = l.after(2*l.srv.cfg.T1/5, func() { // 200 ms, RFC 3261 §17.2.1
			if t.state == txTrying {
				t.respond(wire.Reply{Code: 100})
			}
		})
	} else {
		t.timer = l.after(64*l.srv.cfg.T1, t.end) // a handler that never answers must not leave it for ever
	}
	return t
}

// respond sends a response; after a final one only repeats of a 2xx to INVITE pass.
func (t *serverTx) respond(r wire.Reply) {
	if t.state >= txCompleted || (t.state == txAccepted && r.Code/100 != 2) {
		return
	}
	if r.Tag == "" {
		r.Tag = t.tag
	}
	if r.Code > 100 {
		r.Headers = append(r.Headers, Header{Name: "Server", Value: t.l.srv.cfg.Name})
	}
	t.last = t.req.response(r)
	_ = t.l.write(t.flow, t.last)
	if r.Code < 200 {
		if t.state == txTrying {
			t.state = txProceeding
			if t.req.Method == "INVITE" {
				t.timer.Stop()
			}
		}
		return
	}
	t.timer.Stop()
	cfg := &t.l.srv.cfg
	switch {
	case t.req.Method == "INVITE" && r.Code < 300:
		t.state = txAccepted
		t.timer = t.l.after(64*cfg.T1, t.end) // timer L
	case t.req.Method == "INVITE":
		t.state = txCompleted
		t.wait = cfg.T1
		t.repeatUntilAck(64 * cfg.T1)
	case t.flow.Reliable():
		t.end()
	default:
		t.state = txCompleted
		t.timer = t.l.after(64*cfg.T1, t.end) // timer J
	}
}

// repeatUntilAck is timers G and H: repeat a refusal until ACK comes or time is up.
func (t *serverTx) repeatUntilAck(left time.Duration) {
	if left <= 0 {
		t.end()
		return
	}
	d := min(t.wait, left)
	if t.flow.Reliable() {
		d = left
	}
	t.timer = t.l.after(d, func() {
		if t.state != txCompleted {
			return
		}
		if left > d {
			_ = t.l.write(t.flow, t.last)
		}
		t.wait = min(2*t.wait, t.l.srv.cfg.T2)
		t.repeatUntilAck(left - d)
	})
}

// repeated answers a repeat of the request.
func (t *serverTx) repeated() {
	if t.last != nil && t.state != txAccepted && t.state != txConfirmed && t.state != txOver {
		_ = t.l.write(t.flow, t.last)
	}
}

// acked is the ACK to a refusal.
func (t *serverTx) acked() {
	if t.state != txCompleted {
		return
	}
	t.state = txConfirmed
	t.timer.Stop()
	if t.flow.Reliable() {
		t.end()
		return
	}
	t.timer = t.l.after(t.l.srv.cfg.T4, t.end) // timer I
}

func (t *serverTx) end() {
	t.state = txOver
	t.timer.Stop()
	delete(t.l.server, t.key)
}
