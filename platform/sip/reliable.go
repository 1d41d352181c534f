package sip

import (
	"strconv"
	"strings"
	"time"

	"github.com/kapok-hotline/kapok/platform/sip/wire"
)

// reliable sends provisional responses reliably (RFC 3262 §3): one at a time, repeated until PRACK.
type reliable struct {
	seq     uint32
	pending *pendingRel
	queue   []wire.Reply
	clear   []func() // what waits for the PRACK of a response with a body
}

type pendingRel struct {
	seq   uint32
	body  bool
	raw   []byte
	wait  time.Duration
	spent time.Duration
	timer *time.Timer
}

func (r *reliable) send(in *Incoming, p wire.Reply) {
	if r.pending != nil {
		if len(r.queue) < 8 {
			r.queue = append(r.queue, p)
		}
		return
	}
	if r.seq == 0 {
		r.seq = uint32(between(1, 1<<20))
	}
	r.seq++
	p.Headers = append(append([]Header{}, p.Headers...), Header{Name: "Require", Value: "100rel"}, Header{Name: "RSeq", Value: strconv.Itoa(int(r.seq))})
	in.tx.respond(p)
	w := &pendingRel{seq: r.seq, body: len(p.Body) > 0, raw: in.tx.last, wait: in.srv.cfg.T1}
	r.pending = w
	w.timer = in.l.after(w.wait, func() { r.repeat(in, w) })
}

func (r *reliable) repeat(in *Incoming, w *pendingRel) {
	if r.pending != w || in.settled {
		return
	}
	w.spent += w.wait
	if w.spent >= 64*in.srv.cfg.T1 {
		in.reject(504, "no PRACK came", nil)
		return
	}
	_ = in.l.write(in.tx.flow, w.raw)
	w.wait = min(2*w.wait, 64*in.srv.cfg.T1-w.spent)
	w.timer = in.l.after(w.wait, func() { r.repeat(in, w) })
}

// acked takes a PRACK; false when it matches nothing.
func (r *reliable) acked(in *Incoming, rack string) bool {
	w := r.pending
	f := strings.Fields(rack)
	if w == nil || len(f) != 3 || f[2] != "INVITE" ||
		f[0] != strconv.Itoa(int(w.seq)) || f[1] != strconv.Itoa(int(in.m.Seq)) {
		return false
	}
	w.timer.Stop()
	r.pending = nil
	if len(r.queue) > 0 {
		next := r.queue[0]
		r.queue = r.queue[1:]
		r.send(in, next)
	}
	if r.pending == nil || !r.pending.body {
		fns := r.clear
		r.clear = nil
		for _, fn := range fns {
			fn()
		}
	}
	return true
}

// whenClear runs fn when no session description waits for its PRACK.
func (r *reliable) whenClear(fn func()) {
	if r.pending != nil && r.pending.body {
		r.clear = append(r.clear, fn)
		return
	}
	fn()
}

// stop ends the repeats; what waited is run and finds the call settled.
func (r *reliable) stop() {
	if r.pending != nil {
		r.pending.timer.Stop()
		r.pending = nil
	}
	r.queue = nil
	fns := r.clear
	r.clear = nil
	for _, fn := range fns {
		fn()
	}
}
