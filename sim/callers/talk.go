package callers

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// talk is one dialog with its media: a call of ours, or one to us.
type talk struct {
	line   *line
	id     string // Call-ID
	tag    string
	user   string   // the phone called
	in     *message // the INVITE to us
	sound  *stream
	done   chan struct{} // closed when it is over, whoever ended it
	acked  chan struct{}
	once   sync.Once
	ackOne sync.Once

	mu                    sync.Mutex
	local, remote, target string
	routes                []string
	seq                   int
	ack                   []byte
	replied               map[string][]byte // answers to requests within the dialog, for their repeats
	answered              bool
}

func newTalk(l *line, id string) *talk {
	return &talk{line: l, id: id, tag: token(), done: make(chan struct{}), acked: make(chan struct{}), replied: map[string][]byte{}}
}

// over ends the talk's bookkeeping, once.
func (t *talk) over() {
	t.once.Do(func() {
		close(t.done)
		if t.sound != nil {
			t.line.media.drop(t.sound)
		}
	})
}

// forget lets the dialog go a while after its end, so that repeats still find it.
func (t *talk) forget() {
	t.over()
	time.AfterFunc(4*time.Second, func() {
		t.line.mu.Lock()
		delete(t.line.talks, t.id)
		t.line.mu.Unlock()
	})
}

// dial calls a number from another. It returns when the call is answered.
func (l *line) dial(ctx context.Context, from, to string) (*talk, error) {
	t := newTalk(l, token()+"@callers")
	t.sound = l.media.open()
	t.local = fmt.Sprintf("<sip:%s@%s>;tag=%s", from, l.local(), t.tag)
	t.remote, t.target, t.seq = fmt.Sprintf("<sip:%s@%s>", to, l.peer), fmt.Sprintf("sip:%s@%s", to, l.peer), 1
	l.mu.Lock()
	l.talks[t.id] = t
	l.mu.Unlock()
	branch := newBranch()
	m := t.make("INVITE", branch)
	m.add("Contact", fmt.Sprintf("<sip:%s@%s>", from, l.local()))
	m.add("Content-Type", "application/sdp")
	m.body = t.sound.describe()
	r, err := l.transact(ctx, m, branch, nil)
	if err != nil {
		t.cancel(m, branch)
		t.forget()
		return nil, err
	}
	if r.code >= 300 {
		l.send(t.ackFor(m, branch, r).bytes())
		t.forget()
		return nil, &statusError{r.code, r.reason}
	}
	t.mu.Lock()
	t.remote, t.target, t.answered = r.get("To"), address(r.get("Contact")), true
	t.routes = r.all("Record-Route")
	slices.Reverse(t.routes)
	ack := t.make("ACK", newBranch())
	t.ack = ack.bytes()
	t.mu.Unlock()
	l.send(t.ack)
	if err := t.sound.connect(r.body); err != nil {
		t.hangUp(ctx)
		return nil, err
	}
	return t, nil
}

// make begins a request of the dialog.
func (t *talk) make(method, branch string) *message {
	m := &message{method: method, uri: t.target}
	m.add("Via", "SIP/2.0/UDP "+t.line.local()+";branch="+branch+";rport")
	m.add("Max-Forwards", "70")
	for _, r := range t.routes {
		m.add("Route", r)
	}
	m.add("From", t.local)
	m.add("To", t.remote)
	m.add("Call-ID", t.id)
	m.add("CSeq", fmt.Sprintf("%d %s", t.seq, method))
	m.add("User-Agent", agentName)
	return m
}

// ackFor acknowledges a refusal: within the transaction, so with its branch (RFC 3261 §17.1.1.3).
func (t *talk) ackFor(invite *message, branch string, r *message) *message {
	a := &message{method: "ACK", uri: invite.uri}
	a.add("Via", "SIP/2.0/UDP "+t.line.local()+";branch="+branch+";rport")
	a.add("Max-Forwards", "70")
	a.add("From", invite.get("From"))
	a.add("To", r.get("To"))
	a.add("Call-ID", t.id)
	a.add("CSeq", fmt.Sprintf("%d ACK", t.seq))
	return a
}

// cancel gives up a call that is not answered. Should it be answered all the same, the repeats of the 200 find no
// dialog acknowledged and the hotline ends it by itself.
func (t *talk) cancel(invite *message, branch string) {
	c := t.ackFor(invite, branch, &message{headers: []header{{"To", invite.get("To")}}})
	c.method = "CANCEL"
	for i := range c.headers {
		if c.headers[i].name == "CSeq" {
			c.headers[i].value = fmt.Sprintf("%d CANCEL", t.seq)
		}
	}
	t.line.send(c.bytes())
}

// ackAgain answers a repeated 200.
func (t *talk) ackAgain() {
	t.mu.Lock()
	ack := t.ack
	t.mu.Unlock()
	if ack != nil {
		t.line.send(ack)
	}
}

// request takes a request within the dialog. It runs on the reading goroutine.
func (t *talk) request(m *message) {
	key := m.get("CSeq")
	t.mu.Lock()
	again := t.replied[key]
	t.mu.Unlock()
	if again != nil {
		t.line.send(again)
		return
	}
	switch m.method {
	case "ACK":
		t.ackOne.Do(func() { close(t.acked) })
		return
	case "CANCEL":
		t.reply(key, m.reply(200, "OK", t.tag))
		if t.in != nil && !t.took() {
			t.line.send(t.in.reply(487, "Request Terminated", t.tag).bytes())
			t.forget()
		}
		return
	case "BYE":
		t.reply(key, m.reply(200, "OK", t.tag))
		t.forget()
		return
	case "INVITE":
		if t.in != nil && t.in.get("CSeq") == key {
			return // a repeat while it rings
		}
		r := m.reply(200, "OK", t.tag)
		if t.sound != nil {
			if len(m.body) > 0 {
				_ = t.sound.connect(m.body) // what does not fit leaves the media as it was
			}
			r.add("Contact", fmt.Sprintf("<sip:%s@%s>", t.user, t.line.local()))
			r.add("Content-Type", "application/sdp")
			r.body = t.sound.describe()
		}
		t.reply(key, r)
		return
	}
	t.reply(key, m.reply(200, "OK", t.tag))
}

func (t *talk) reply(key string, r *message) {
	raw := r.bytes()
	t.mu.Lock()
	if len(t.replied) < 64 {
		t.replied[key] = raw
	}
	t.mu.Unlock()
	t.line.send(raw)
}

func (t *talk) took() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.answered
}

// ring says that our phone rings.
func (t *talk) ring() { t.line.send(t.in.reply(180, "Ringing", t.tag).bytes()) }

// refuse declines a call to us.
func (t *talk) refuse(code int, reason string) {
	t.reply(t.in.get("CSeq"), t.in.reply(code, reason, t.tag))
	t.forget()
}

// answer accepts a call to us and returns when the other side has acknowledged that.
func (t *talk) answer(ctx context.Context) error {
	t.mu.Lock()
	select {
	case <-t.done:
		t.mu.Unlock()
		return errEnded
	default:
	}
	t.answered = true
	t.sound = t.line.media.open()
	t.mu.Unlock()
	if err := t.sound.connect(t.in.body); err != nil {
		t.line.media.drop(t.sound)
		t.refuse(488, "Not Acceptable Here")
		return err
	}
	r := t.in.reply(200, "OK", t.tag)
	r.add("Contact", fmt.Sprintf("<sip:%s@%s>", t.user, t.line.local()))
	r.add("Content-Type", "application/sdp")
	r.body = t.sound.describe()
	raw := r.bytes()
	t.mu.Lock()
	t.replied[t.in.get("CSeq")] = raw
	t.mu.Unlock()
	pause := t1
	for began := time.Now(); time.Since(began) < timerB; pause = min(2*pause, t2) {
		t.line.send(raw)
		select {
		case <-t.acked:
			return nil
		case <-t.done:
			return errEnded
		case <-time.After(pause):
		case <-ctx.Done():
			t.forget()
			return ctx.Err()
		}
	}
	t.forget()
	return errTimeout
}

// byeBound is how long the answer to our BYE is waited for.
const byeBound = 3 * time.Second

// hangUp ends the talk, also when ctx has ended.
func (t *talk) hangUp(ctx context.Context) {
	select {
	case <-t.done:
		return
	default:
	}
	t.over()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), byeBound)
	defer cancel()
	t.mu.Lock()
	t.seq++
	branch := newBranch()
	m := t.make("BYE", branch)
	t.mu.Unlock()
	if _, err := t.line.transact(ctx, m, branch, nil); err != nil {
		t.line.log.Debug("a BYE was not answered", "err", err)
	}
	t.forget()
}

// header gives a header of the INVITE to us.
func (t *talk) header(name string) string { return strings.TrimSpace(t.in.get(name)) }
