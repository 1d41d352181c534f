package ua

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
)

// Call is one call of a Phone, in either direction.
type Call struct {
	ID     string
	Invite *Message // theirs, when it came in; ours has none
	Media  *Media

	p              *Phone
	local, remote  string // From and To of what we send, tags included
	localTag       string
	target         string // request URI of what we send
	seq            int
	lastAck        string
	ackSeen        chan struct{}
	ackBody        string
	ackOnce, ended sync.Once
	done           chan struct{}
	mu             sync.Mutex
	how            string
	direction      string
	cancelled      chan struct{}
	cancelOnce     sync.Once
}

// Dial says how a call is made.
type Dial struct {
	Number string
	From   string // the caller's number; default the phone's user
	Tone   float64
	Late   bool     // no offer in the INVITE: ours goes into the ACK
	Codecs []string // lines of the offer; default A-law, µ-law and telephone-event
}

// Dial calls a number and returns when it is answered: then the tone is sent and what comes is measured.
func (p *Phone) Dial(ctx context.Context, d Dial) (*Call, error) {
	media, err := newMedia(p.ip(), d.Tone)
	if err != nil {
		return nil, err
	}
	media.still = p.Still
	from := d.From
	if from == "" {
		from = p.User
	}
	c := p.newCall(token(), media)
	c.localTag = token()
	c.local = fmt.Sprintf("<sip:%s@%s>;tag=%s", from, p.Addr(), c.localTag)
	c.remote = fmt.Sprintf("<sip:%s@%s>", d.Number, p.server)
	c.target = fmt.Sprintf("sip:%s@%s", d.Number, p.server)
	p.keep(c)
	offer := media.describe("sendrecv", d.Codecs)
	body := offer
	if d.Late {
		body = ""
	}
	c.seq = 1
	branch := "z9hG4bK" + token()
	m, err := p.ask(ctx, branch, c.text("INVITE", branch, body))
	if err != nil {
		if ctx.Err() != nil {
			c.cancel(branch)
		}
		c.finish("not answered")
		return nil, err
	}
	if m.Code() == 401 && p.Password != "" {
		p.send(c.ackOf(m, branch))
		auth, err := p.authorize(m, "INVITE", c.target)
		if err != nil {
			return nil, err
		}
		c.seq++
		branch = "z9hG4bK" + token()
		if m, err = p.ask(ctx, branch, c.text("INVITE", branch, body, strings.TrimSuffix(auth, "\r\n"))); err != nil {
			c.finish("not answered")
			return nil, err
		}
	}
	if m.Code() >= 300 {
		p.send(c.ackOf(m, branch))
		c.finish(m.Start)
		return nil, &Refused{m.Code(), m.Start}
	}
	c.remote, c.target = m.Get("To"), m.contact()
	ack := ""
	if d.Late {
		ack = media.describe("sendrecv", d.Codecs)
	}
	c.lastAck = c.text("ACK", "z9hG4bK"+token(), ack)
	p.send(c.lastAck)
	if err := media.connect(m.Body); err != nil {
		c.Hangup(ctx)
		return nil, err
	}
	return c, nil
}

func (p *Phone) newCall(id string, m *Media) *Call {
	return &Call{
		ID: id, p: p, Media: m, done: make(chan struct{}), ackSeen: make(chan struct{}), cancelled: make(chan struct{}), direction: "sendrecv",
	}
}

func (p *Phone) keep(c *Call) {
	p.mu.Lock()
	p.calls[c.ID] = c
	p.mu.Unlock()
}

// text writes a request of the call with its present number.
func (c *Call) text(method, branch, body string, extra ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=%s;rport\r\nMax-Forwards: 70\r\n", method, c.target, c.p.Addr(), branch)
	fmt.Fprintf(&b, "From: %s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %d %s\r\n", c.local, c.remote, c.ID, c.seq, method)
	fmt.Fprintf(&b, "Contact: <sip:%s@%s>\r\nAllow: INVITE, ACK, BYE, CANCEL, OPTIONS, INFO, UPDATE\r\n", c.p.User, c.p.Addr())
	kind := "application/sdp"
	for _, x := range extra {
		if v, ok := strings.CutPrefix(x, "Content-Type: "); ok {
			kind = v
			continue
		}
		b.WriteString(x + "\r\n")
	}
	if body != "" {
		b.WriteString("Content-Type: " + kind + "\r\n")
	}
	fmt.Fprintf(&b, "Content-Length: %d\r\n\r\n%s", len(body), body)
	return b.String()
}

// ackOf acknowledges a refusal, in its transaction (RFC 3261 §17.1.1.3).
func (c *Call) ackOf(m *Message, branch string) string {
	was := c.remote
	c.remote = m.Get("To")
	s := c.text("ACK", branch, "")
	c.remote = was
	return s
}

func (c *Call) ack() {
	if c.lastAck != "" {
		c.p.send(c.lastAck)
	}
}

func (c *Call) cancel(branch string) {
	ctx, stop := context.WithTimeout(context.Background(), giveUp)
	defer stop()
	s := c.text("CANCEL", branch, "")
	c.p.send(s)
	// the INVITE's own final response still comes, 487 or a 200 that crossed
	if m, err := c.p.ask(ctx, branch, s); err == nil && m.Code() >= 300 {
		c.p.send(c.ackOf(m, branch))
	}
}

// incoming takes a call that comes in.
func (p *Phone) incoming(m *Message) {
	media, err := newMedia(p.ip(), 0)
	if err != nil {
		p.answer(m, 500, "No Media", token(), "")
		return
	}
	media.still = p.Still
	c := p.newCall(m.Get("Call-ID"), media)
	c.Invite, c.localTag = m, token()
	c.local, c.remote, c.target = m.Get("To")+";tag="+c.localTag, m.Get("From"), m.contact()
	p.keep(c)
	p.answer(m, 100, "Trying", "", "")
	go p.OnCall(c)
}

// Ring says the phone rings.
func (c *Call) Ring() { c.p.answer(c.Invite, 180, "Ringing", c.localTag, "", c.contactLine()) }

func (c *Call) contactLine() string { return fmt.Sprintf("Contact: <sip:%s@%s>", c.p.User, c.p.Addr()) }

// Refuse ends a call that rings: 486 busy, 603 declined.
func (c *Call) Refuse(code int) {
	c.p.answer(c.Invite, code, "Refused", c.localTag, "")
	c.finish(fmt.Sprintf("refused %d", code))
}

// Cancelled is closed when a ringing call is taken back.
func (c *Call) Cancelled() <-chan struct{} { return c.cancelled }

// ErrGone says that a call was taken back before it was answered.
var ErrGone = errors.New("the call was taken back")

// Answer lifts the handset: the tone (Hz; 0 silence) is sent from here on.
func (c *Call) Answer(ctx context.Context, tone float64) error {
	select {
	case <-c.cancelled:
		return ErrGone
	default:
	}
	c.Media.SetTone(tone)
	late := c.Invite.Body == ""
	if !late {
		if err := c.Media.connect(c.Invite.Body); err != nil {
			c.Refuse(488)
			return err
		}
	}
	body := c.Media.describe("sendrecv", nil)
	wait := t1
	for {
		c.p.answer(c.Invite, 200, "OK", c.localTag, body, c.contactLine())
		select {
		case <-c.ackSeen:
			if late {
				return c.Media.connect(c.ackBody)
			}
			return nil
		case <-time.After(wait):
			if wait *= 2; wait > giveUp {
				c.finish("no ACK")
				return ErrSilence
			}
		case <-c.done:
			return ErrGone
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (c *Call) acked(m *Message) {
	c.ackOnce.Do(func() {
		c.ackBody = m.Body
		close(c.ackSeen)
	})
}

// request takes what the far side asks within the call.
func (c *Call) request(m *Message) {
	switch m.Method() {
	case "BYE":
		c.p.answer(m, 200, "OK", "", "")
		c.finish("remote")
	case "CANCEL":
		c.p.answer(m, 200, "OK", c.localTag, "")
		select {
		case <-c.ackSeen:
		default:
			c.cancelOnce.Do(func() { close(c.cancelled) })
			c.p.answer(c.Invite, 487, "Request Terminated", c.localTag, "")
			c.finish("cancelled")
		}
	case "INVITE", "UPDATE":
		if m.Body != "" {
			if err := c.Media.connect(m.Body); err != nil {
				c.p.answer(m, 488, "Not Acceptable Here", "", "")
				return
			}
		}
		c.p.answer(m, 200, "OK", "", c.Media.describe(c.direction, nil), c.contactLine())
	default:
		c.p.answer(m, 200, "OK", "", "")
	}
}

// within sends a request of the dialog.
func (c *Call) within(ctx context.Context, method, body string, extra ...string) (*Message, error) {
	c.mu.Lock()
	c.seq++
	branch := "z9hG4bK" + token()
	text := c.text(method, branch, body, extra...)
	c.mu.Unlock()
	return c.p.ask(ctx, branch, text)
}

// Hangup ends the call.
func (c *Call) Hangup(ctx context.Context) {
	select {
	case <-c.done:
		return
	default:
	}
	_, _ = c.within(ctx, "BYE", "") // 481 and silence are the end too
	c.finish("local")
}

// Hold presses the phone's hold key, or takes the call back: a re-INVITE (RFC 3264 §8.4).
func (c *Call) Hold(ctx context.Context, hold bool) error {
	c.direction = "sendrecv"
	if hold {
		c.direction = "sendonly"
	}
	m, err := c.within(ctx, "INVITE", c.Media.describe(c.direction, nil))
	if err != nil {
		return err
	}
	if m.Code() >= 300 {
		return &Refused{m.Code(), m.Start}
	}
	c.mu.Lock()
	c.lastAck = c.text("ACK", "z9hG4bK"+token(), "")
	c.mu.Unlock()
	c.ack()
	return nil
}

// Info presses a key by INFO, as older phones do.
func (c *Call) Info(ctx context.Context, key byte) error {
	m, err := c.within(ctx, "INFO", fmt.Sprintf("Signal=%c\r\nDuration=160\r\n", key), "Content-Type: application/dtmf-relay")
	if err == nil && m.Code() != 200 {
		err = &Refused{m.Code(), m.Start}
	}
	return err
}

// Refer gives the call to a number by the phone's own key (RFC 3515); the far side hangs up when it has gone there.
func (c *Call) Refer(ctx context.Context, number string) error {
	m, err := c.within(ctx, "REFER", "", fmt.Sprintf("Refer-To: <sip:%s@%s>", number, c.p.server))
	if err == nil && m.Code() >= 300 {
		err = &Refused{m.Code(), m.Start}
	}
	return err
}

// Done is closed when the call has ended.
func (c *Call) Done() <-chan struct{} { return c.done }

// How says how the call ended: remote, local, cancelled, closed, refused …; "" while it lasts.
func (c *Call) How() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.how
}

func (c *Call) finish(how string) {
	c.ended.Do(func() {
		c.mu.Lock()
		c.how = how
		c.mu.Unlock()
		close(c.done)
		c.Media.close()
		time.AfterFunc(2*giveUp, func() { // repeats still find it
			c.p.mu.Lock()
			delete(c.p.calls, c.ID)
			c.p.mu.Unlock()
		})
	})
}
