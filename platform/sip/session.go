package sip

import (
	"strconv"
	"strings"
	"time"

	"github.com/kapok-hotline/kapok/platform/sip/wire"
)

// session is the session timer of a dialog (RFC 4028): one side refreshes at half the interval, the other hangs up
// when no refresh comes.
type session struct {
	interval time.Duration // 0: no timer
	ours     bool          // we refresh
	timer    *time.Timer
}

func (s *session) stop() {
	if s.timer != nil {
		s.timer.Stop()
	}
}

// seconds reads "1800;refresher=uac".
func sessionExpires(v string) (d time.Duration, refresher string, ok bool) {
	n, params, _ := strings.Cut(v, ";")
	sec, err := strconv.ParseUint(strings.TrimSpace(n), 10, 31)
	if err != nil || sec == 0 {
		return 0, "", false
	}
	r, _ := wire.Param(params, "refresher")
	return time.Duration(sec) * time.Second, strings.ToLower(r), true
}

// seconds writes a duration in whole seconds, at least 1.
func seconds(d time.Duration) string { return strconv.Itoa(max(1, int((d+time.Second-1)/time.Second))) }

// readSession refuses an interval that is too small (RFC 4028 §6); false when it did.
func (in *Incoming) readSession() bool {
	d, _, ok := sessionExpires(in.m.Get("session-expires"))
	if ok && in.d.peerTimer && d < in.srv.cfg.MinSE {
		in.reacted = nil
		in.limit = time.NewTimer(time.Hour)
		in.reject(422, "", []Header{{Name: "Min-SE", Value: seconds(in.srv.cfg.MinSE)}})
		return false
	}
	return true
}

// answer decides on the timer as the answering side and gives the headers of the 2xx (RFC 4028 §9). Only a peer
// that knows the extension gets one.
func (s *session) answer(d *Dialog, m *message) []Header {
	s.interval = 0
	if !m.Has("supported", "timer") {
		return nil
	}
	want, refresher, ok := sessionExpires(m.Get("session-expires"))
	if !ok {
		want = d.srv.cfg.SessionExpires
	}
	if lo, _, ok := sessionExpires(m.Get("min-se")); ok {
		want = max(want, lo)
	}
	if refresher != "uas" {
		refresher = "uac" // the peer asked and can: let it
	}
	s.interval, s.ours = want, refresher == "uas"
	h := []Header{{Name: "Session-Expires", Value: seconds(want) + ";refresher=" + refresher}}
	if refresher == "uac" {
		h = append(h, Header{Name: "Require", Value: "timer"})
	}
	return h
}

// ask gives the headers of our INVITE or UPDATE (RFC 4028 §7.1, §7.4).
func (s *session) ask(d *Dialog, minSE time.Duration) []Header {
	want := max(d.srv.cfg.SessionExpires, minSE)
	v := seconds(want)
	if s.interval > 0 {
		v = seconds(max(s.interval, minSE))
		if s.ours {
			v += ";refresher=uac"
		} else {
			v += ";refresher=uas"
		}
	}
	h := []Header{{Name: "Supported", Value: "timer, 100rel, replaces"}, {Name: "Session-Expires", Value: v}}
	if minSE > 0 {
		h = append(h, Header{Name: "Min-SE", Value: seconds(minSE)})
	}
	return h
}

// answered reads the timer from a 2xx to a request of ours (RFC 4028 §7.2).
func (s *session) answered(m *message) {
	d, refresher, ok := sessionExpires(m.Get("session-expires"))
	if !ok {
		s.interval = 0
		return
	}
	s.interval, s.ours = d, refresher != "uas"
}

// start sets the clock anew: after the call is set up, and after every refresh.
func (s *session) start(d *Dialog) {
	s.stop()
	if s.interval <= 0 || d.over {
		return
	}
	if s.ours {
		s.timer = d.l.after(s.interval/2, d.refresh)
		return
	}
	// RFC 4028 §10: hang up a little before the end
	s.timer = d.l.after(s.interval-min(32*time.Second, s.interval/3), func() {
		d.hangUp(End{Cause: CauseSession, Reason: "the session was not refreshed"}, nil, func(struct{}, error) {})
	})
}

// refresh renews the session: by UPDATE without a body if the peer takes it, else by a re-INVITE with the same
// description.
func (d *Dialog) refresh() {
	if d.over {
		return
	}
	failed := func(m *message, err error) {
		d.lost(m, err)
		if !d.over { // a refusal leaves the session; the interval decides (RFC 4028 §10)
			d.session.timer = d.l.after(d.session.interval/4, func() {
				d.hangUp(End{Cause: CauseSession, Reason: "the session could not be refreshed"}, nil, func(struct{}, error) {})
			})
		}
	}
	if !wire.ContainsToken(d.peerAllow, "UPDATE") {
		d.whenFree(func() {
			d.reinvite(d.lastBody, d.lastCT, 0, func(_ []byte, err error) {
				if err != nil && !d.over {
					failed(nil, nil)
				}
			})
		})
		return
	}
	f := d.nextFlow()
	h := append(d.session.ask(d, 0), Header{Name: "Contact", Value: d.contact(f)})
	d.ask(f, d.newRequest("UPDATE", h, "", nil), func(m *message, err error) {
		if d.over {
			return
		}
		if err == nil && m.Code/100 == 2 {
			d.session.answered(m)
			d.session.start(d)
			return
		}
		failed(m, err)
	})
}
