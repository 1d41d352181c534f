package sip

import (
	"context"
	"errors"
	"net/url"
	"strconv"
	"strings"

	"github.com/kapok-hotline/kapok/platform/sip/wire"
)

// Refer is a request of the peer to call somebody else (RFC 3515): a blind transfer, or with Replaces an attended
// one.
type Refer struct {
	To       Address
	By       string // Referred-By as written
	Replaces *Replaces

	d       *Dialog
	seq     uint32
	notify  bool          // the peer wants to hear
	decided chan struct{} // closed when the REFER has been answered
}

// Decided is closed when the REFER has been answered, and its first NOTIFY sent: what is done before that would
// overtake the answer.
func (r *Refer) Decided() <-chan struct{} { return r.decided }

// gotRefer answers when the handler has decided.
func (d *Dialog) gotRefer(t *serverTx) {
	m := t.req
	r, err := readRefer(m)
	if err != nil {
		t.respond(wire.Reply{Code: 400, Reason: strings.TrimPrefix(err.Error(), "sip: ")})
		return
	}
	r.d = d
	fn := d.events.Load().Refer
	if fn == nil {
		t.respond(wire.Reply{Code: 603})
		return
	}
	d.up.post(func() {
		code := fn(d, r)
		if code < 200 || code > 699 {
			code = 603
		}
		d.l.post(func() {
			h := []Header{{Name: "Contact", Value: d.contact(m.flow)}}
			if code/100 == 2 && !r.notify {
				h = append(h, Header{Name: "Refer-Sub", Value: "false"})
			}
			t.respond(wire.Reply{Code: code, Headers: h})
			if code/100 == 2 && r.notify {
				r.send(100, wire.ReasonOf(100))
			}
			close(r.decided)
		})
	})
}

func readRefer(m *message) (*Refer, error) {
	to := m.List("refer-to")
	if len(to) != 1 {
		return nil, errors.New("sip: REFER needs one Refer-To")
	}
	raw, headers := cutHeaders(to[0])
	a, err := ParseAddress(raw)
	if err != nil {
		return nil, err
	}
	r := &Refer{To: a, By: m.Get("referred-by"), seq: m.Seq, notify: true, decided: make(chan struct{})}
	if strings.EqualFold(m.Get("refer-sub"), "false") {
		r.notify = false
	}
	for headers != "" {
		var one string
		one, headers, _ = strings.Cut(headers, "&")
		k, v, _ := strings.Cut(one, "=")
		if !strings.EqualFold(k, "replaces") {
			continue
		}
		v, err := url.PathUnescape(v)
		if err != nil {
			return nil, errors.New("sip: Replaces in Refer-To is not well formed")
		}
		rep, err := ParseReplaces(v)
		if err != nil {
			return nil, err
		}
		r.Replaces = &rep
	}
	return r, nil
}

// cutHeaders takes the ?headers part off the URI within the brackets.
func cutHeaders(v string) (address, headers string) {
	i := strings.IndexByte(v, '?')
	if i < 0 {
		return v, ""
	}
	j := strings.IndexByte(v[i:], '>')
	if j < 0 {
		return v[:i], v[i+1:]
	}
	return v[:i] + v[i+j:], v[i+1 : i+j]
}

// Notify reports how the referred call goes (RFC 3515 §2.4.5): a final code ends the subscription.
func (r *Refer) Notify(code int, reason string) {
	if !r.notify {
		return
	}
	if reason == "" {
		reason = wire.ReasonOf(code)
	}
	r.d.l.post(func() { r.send(code, reason) })
}

func (r *Refer) send(code int, reason string) {
	d := r.d
	if d.over || d.early {
		return
	}
	state := "active;expires=120"
	if code >= 200 {
		state = "terminated;reason=noresource"
	}
	f := d.nextFlow()
	q := d.newRequest("NOTIFY", []Header{
		{Name: "Event", Value: "refer;id=" + strconv.Itoa(int(r.seq))}, {Name: "Subscription-State", Value: state},
	}, "message/sipfrag;version=2.0", []byte("SIP/2.0 "+strconv.Itoa(code)+" "+wire.Clean(reason)+"\r\n"))
	q.Contact = d.contact(f)
	d.ask(f, q, d.lost)
}

// Refer asks the peer to call somebody else. nil means accepted; the progress comes to Events.Notify.
func (d *Dialog) Refer(ctx context.Context, to URI, replaces *Replaces) error {
	v := "<" + to.String()
	if replaces != nil {
		v += "?Replaces=" + url.QueryEscape(replaces.CallID+";to-tag="+replaces.ToTag+";from-tag="+replaces.FromTag)
	}
	return d.simple(ctx, "REFER", []Header{{Name: "Refer-To", Value: v + ">"}}, "", nil)
}

// Info sends an INFO with a body.
func (d *Dialog) Info(ctx context.Context, contentType string, body []byte) error {
	return d.simple(ctx, "INFO", nil, contentType, body)
}

// simple sends a request whose 2xx says all; refusals are a *StatusError.
func (d *Dialog) simple(ctx context.Context, method string, headers []Header, ctype string, body []byte) error {
	_, err := wait(ctx, d.l, func(done func(struct{}, error)) {
		if d.over {
			done(struct{}{}, ErrEnded)
			return
		}
		f := d.nextFlow()
		r := d.newRequest(method, headers, ctype, body)
		r.Contact = d.contact(f)
		d.ask(f, r, func(m *message, err error) {
			d.lost(m, err)
			if err == nil && m.Code >= 300 {
				err = &StatusError{m.Code, m.Reason}
			}
			done(struct{}{}, err)
		})
	})
	return err
}

func (d *Dialog) gotNotify(t *serverTx) {
	m := t.req
	event := m.Get("event")
	if name, _, _ := strings.Cut(event, ";"); !strings.EqualFold(strings.TrimSpace(name), "refer") {
		t.respond(wire.Reply{Code: 489, Headers: []Header{{Name: "Allow-Events", Value: "refer"}}})
		return
	}
	t.respond(wire.Reply{Code: 200})
	d.up.post(func() {
		if fn := d.events.Load().Notify; fn != nil {
			fn(d, event, m.Body)
		}
	})
}
