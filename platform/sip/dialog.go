package sip

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"

	"github.com/kapok-hotline/kapok/platform/sip/wire"
)

// Errors of dialogs and calls.
var (
	// ErrEnded says that the dialog is over.
	ErrEnded = errors.New("sip: the call has ended")
	// ErrCanceled says that the caller gave up before the answer.
	ErrCanceled = errors.New("sip: the caller has cancelled the call")
)

// StatusError is a final refusal of a request of ours.
type StatusError struct {
	Code   int
	Reason string
}

// Error gives code and phrase.
func (e *StatusError) Error() string {
	return fmt.Sprintf("sip: the peer refused: %d %s", e.Code, e.Reason)
}

// Cause says what ended a dialog.
type Cause string

// The causes.
const (
	CauseLocal    Cause = "local"    // we hung up
	CauseRemote   Cause = "remote"   // the peer hung up
	CauseCanceled Cause = "canceled" // the caller gave up before the answer
	CauseRefused  Cause = "refused"  // no dialog came about
	CauseNoAck    Cause = "no_ack"   // our 200 was never acknowledged
	CauseSession  Cause = "session"  // the session timer ran out (RFC 4028)
	CauseLost     Cause = "lost"     // the peer does not know the dialog any more, or no longer answers
	CauseClosed   Cause = "closed"   // the server was closed
)

// End is how a dialog ended. Code and Reason are of the peer's Reason header (RFC 3326) or of the refusal, if any.
type End struct {
	Cause  Cause
	Code   int
	Reason string
}

// Events are what a peer does within a dialog. The functions run one after the other on a goroutine of the dialog,
// so they may block; each is optional.
type Events struct {
	// Offer answers a re-INVITE, UPDATE or PRACK that carries an offer; offer nil asks for ours (late offer), the
	// answer then comes to Answered. An error refuses with 488 and leaves the session as it was.
	Offer func(d *Dialog, offer []byte) (answer []byte, err error)
	// Answered takes the answer to an offer we made in a 2xx (late offer).
	Answered func(d *Dialog, answer []byte)
	// Info takes an INFO, already answered (DTMF: see ParseDTMF).
	Info func(d *Dialog, contentType string, body []byte)
	// Refer decides on a REFER: a code, 202 to accept. Then Refer.Notify must report the outcome.
	Refer func(d *Dialog, r *Refer) (code int)
	// Notify takes a NOTIFY, already answered: the progress of a Refer of ours.
	Notify func(d *Dialog, event string, body []byte)
}

// Dialog is one established (or early) dialog: RFC 3261 §12. All its methods may be called from any goroutine.
type Dialog struct {
	srv    *Server
	l      *lane
	uac    bool
	callID string

	localTag, remoteTag string
	local, remote       string // From and To of our requests, without tags
	localSeq, remoteSeq uint32 // owned by the lane, as is all below
	remoteSeen          bool
	target              string
	routes              []string
	contactUser         string
	flow                *Flow
	pinned              bool // requests go to the flow whatever the Contact says
	auth                *Credentials
	trunk               string
	early               bool
	over                bool
	peerAllow           string
	peerTimer           bool // peer supports RFC 4028

	lastBody []byte // our newest session description
	lastCT   string
	sent     *sent2xx  // our 2xx that waits for its ACK
	invite   *clientTx // our re-INVITE under way
	inviteIn *serverTx // theirs
	offerIn  bool      // their UPDATE under way
	offerOut bool      // our UPDATE with an offer under way
	queue    []func()  // our re-INVITEs that wait their turn
	byeAfter func()    // hang-up that waits for the ACK
	acks     map[uint32][]byte
	session  session
	incoming *Incoming

	up     serial
	events atomic.Pointer[Events]
	acked1 chan struct{} // closed when the first 2xx of ours is acknowledged (at once for a UAC)
	ackSDP []byte
	done   chan struct{}
	end    End
}

func newDialog(l *lane, uac bool, f *Flow) *Dialog {
	d := &Dialog{
		srv: l.srv, l: l, uac: uac, callID: l.id, flow: f, early: true,
		acked1: make(chan struct{}), done: make(chan struct{}), acks: map[uint32][]byte{},
	}
	d.up.srv = l.srv
	d.events.Store(&Events{})
	return d
}

// CallID gives the Call-ID.
func (d *Dialog) CallID() string { return d.callID }

// Tags give our tag and the peer's.
func (d *Dialog) Tags() (local, remote string) { return d.localTag, d.remoteTag }

// NamedBy says whether r names d as the dialog that is to be replaced. Phones that mix up the two tags are understood.
func (d *Dialog) NamedBy(r *Replaces) bool {
	if d == nil || r == nil || d.callID != r.CallID {
		return false
	}
	return d.localTag == r.ToTag && d.remoteTag == r.FromTag || d.localTag == r.FromTag && d.remoteTag == r.ToTag
}

// Trunk gives the trunk the call came or went by, "" for a phone.
func (d *Dialog) Trunk() string { return d.trunk }

// Handle sets the event functions; they replace earlier ones.
func (d *Dialog) Handle(e Events) { d.events.Store(&e) }

// Done is closed when the dialog has ended; End then says how.
func (d *Dialog) Done() <-chan struct{} { return d.done }

// End gives how the dialog ended; before Done it is empty.
func (d *Dialog) End() End {
	select {
	case <-d.done:
		return d.end
	default:
		return End{}
	}
}

// finish ends the dialog once; a state never goes back.
func (d *Dialog) finish(e End) {
	if d.over {
		return
	}
	d.over, d.early = true, false
	d.end = e
	d.session.stop()
	if d.sent != nil {
		d.sent.stop()
		d.sent = nil
	}
	if t := d.inviteIn; t != nil {
		d.inviteIn = nil
		t.respond(wire.Reply{Code: 487})
	}
	for i, x := range d.l.dialogs {
		if x == d {
			d.l.dialogs = append(d.l.dialogs[:i:i], d.l.dialogs[i+1:]...)
			break
		}
	}
	close(d.done)
	waiting := d.queue
	d.queue = nil
	for _, fn := range waiting {
		fn() // each sees that the dialog is over
	}
	// Transactions wait 32 s for repeats and know the dialog: they must not keep a whole call with its media in memory.
	d.up.last(func() { d.events.Store(&Events{}) })
}

// Bye hangs up. A BYE that must wait for the ACK to our 200 (RFC 3261 §15) waits without holding up the caller
// of Bye longer than ctx; authentication is retried, and any final answer or none at all counts as hung up.
func (d *Dialog) Bye(ctx context.Context, headers ...Header) error {
	_, err := wait(ctx, d.l, func(done func(struct{}, error)) { d.hangUp(End{Cause: CauseLocal}, headers, done) })
	return err
}

// hangUp sends BYE and ends the dialog at once; done is called when the peer has answered.
func (d *Dialog) hangUp(e End, headers []Header, done func(struct{}, error)) {
	switch {
	case d.over:
		done(struct{}{}, nil)
		return
	case d.early && d.incoming != nil:
		d.incoming.reject(480, "", headers)
		done(struct{}{}, nil)
		return
	case d.sent != nil && d.sent.first && e.Cause != CauseNoAck:
		d.byeAfter = func() { d.hangUp(e, headers, done) }
		return
	}
	flow := d.nextFlow()
	r := d.newRequest("BYE", headers, "", nil)
	d.finish(e)
	d.ask(flow, r, func(*message, error) { done(struct{}{}, nil) })
}

// newRequest makes a request within the dialog with the next CSeq (RFC 3261 §12.2.1.1).
func (d *Dialog) newRequest(method string, headers []Header, ctype string, body []byte) *wire.Request {
	d.localSeq++
	r := &wire.Request{
		Method: method, CallID: d.callID, Seq: d.localSeq, Headers: headers, Type: ctype, Body: body,
		From: d.local + ";tag=" + d.localTag, To: d.remote,
	}
	if d.remoteTag != "" {
		r.To += ";tag=" + d.remoteTag
	}
	d.route(r)
	return r
}

// ask sends a request of the dialog, follows challenges (twice at most: a stale nonce may follow a wrong one) and
// gives the final response. Provisional responses are ignored.
func (d *Dialog) ask(f *Flow, r *wire.Request, on func(*message, error)) {
	if d.redial(f, func(again *Flow) { d.ask(again, r, on) }) {
		return
	}
	tries := 0
	var handle func(m *message, err error)
	handle = func(m *message, err error) {
		if m != nil && m.Code < 200 {
			return
		}
		if m != nil && wire.Challenged(m.Head) && d.auth != nil && tries < 2 {
			tries++
			h, aerr := d.auth.AnswerChallenge(m.Head, r.Method, r.URI)
			if aerr == nil {
				again := *r
				d.localSeq++
				again.Seq = d.localSeq
				again.Headers = withHeader(r.Headers, h)
				d.l.send(f, &again, 0, handle)
				return
			}
		}
		on(m, err)
	}
	d.l.send(f, r, 0, handle)
}

// withHeader gives headers with h in place of others of its name.
func withHeader(headers []Header, h Header) []Header {
	out := make([]Header, 0, len(headers)+1)
	for _, x := range headers {
		if !strings.EqualFold(x.Name, h.Name) {
			out = append(out, x)
		}
	}
	return append(out, h)
}

// lost ends the dialog when the answer says that the peer has forgotten it (RFC 3261 §12.2.1.2).
func (d *Dialog) lost(m *message, err error) {
	switch {
	case m != nil && m.Code == 481:
		d.finish(End{Cause: CauseLost, Code: 481, Reason: m.Reason})
	case errors.Is(err, ErrTimeout) || m != nil && m.Code == 408:
		d.hangUp(End{Cause: CauseLost, Code: 408, Reason: "no answer within the dialog"}, nil, func(struct{}, error) {})
	}
}

// Dialog finds a live dialog by Call-ID and tags as the peer of that dialog sees them reversed: local is our tag
// (for Replaces, RFC 3891: to-tag and from-tag).
func (s *Server) Dialog(callID, local, remote string) (*Dialog, bool) {
	ch := make(chan *Dialog, 1)
	if !s.deliver(callID, false, func(l *lane) { ch <- l.dialogFor(local, remote) }) {
		return nil, false
	}
	d := <-ch
	return d, d != nil
}

// wait runs start in the lane and waits for its result or for ctx.
func wait[T any](ctx context.Context, l *lane, start func(done func(T, error))) (T, error) {
	type result struct {
		v   T
		err error
	}
	ch := make(chan result, 1)
	l.post(func() {
		start(func(v T, err error) {
			select {
			case ch <- result{v, err}:
			default:
			}
		})
	})
	select {
	case r := <-ch:
		return r.v, r.err
	case <-ctx.Done():
		var zero T
		return zero, ctx.Err()
	case <-l.srv.ctx.Done():
		var zero T
		return zero, ErrClosed
	}
}

// next lets the next re-INVITE of ours begin when nothing is under way.
func (d *Dialog) next() {
	if len(d.queue) == 0 || d.busy() {
		return
	}
	fn := d.queue[0]
	d.queue = d.queue[1:]
	fn()
}

// busy says whether an INVITE or offer is under way either way.
func (d *Dialog) busy() bool {
	return d.invite != nil || d.inviteIn != nil || d.sent != nil || d.offerIn || d.offerOut || d.early
}
