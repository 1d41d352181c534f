package sip

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/kapok-hotline/kapok/platform/sip/wire"
)

// watch checks the targets of a trunk by OPTIONS until ctx ends. A target is down after two failures in a row and
// up after one answer; any answer counts but 408 and 503 (RFC 3261 §11 says the peer is there).
func (t *trunk) watch(ctx context.Context) {
	for i := range t.uris {
		_, _ = t.resolved(ctx, i) // so that its calls are known at once
	}
	if t.cfg.Options < 0 {
		return
	}
	for {
		var asked sync.WaitGroup
		for i := range t.uris { // at once: of several that are gone none waits for another
			asked.Go(func() {
				if err := t.ping(ctx, i); ctx.Err() == nil {
					t.judge(i, err)
				}
			})
		}
		asked.Wait()
		if !sleep(ctx, between(t.cfg.Options*9/10, t.cfg.Options)) {
			return
		}
	}
}

func sleep(ctx context.Context, d time.Duration) bool {
	tm := time.NewTimer(d)
	defer tm.Stop()
	select {
	case <-tm.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// pingTimeout is how long a target may take to answer OPTIONS where nothing else is said.
const pingTimeout = 4 * time.Second

// ping asks one target.
func (t *trunk) ping(ctx context.Context, i int) error {
	hops, err := t.resolved(ctx, i)
	if err != nil {
		return err
	}
	f, at, err := t.srv.firstFlow(ctx, hops)
	if err != nil {
		return err
	}
	u := t.uris[i]
	u.Params = ""
	m, err := t.srv.askOnce(ctx, f, &wire.Request{
		Method: "OPTIONS", URI: u.String(), From: "<sip:ping@" + t.srv.addressFor(f).Addr().String() + ">", To: "<" + u.String() + ">",
		Headers: []Header{{Name: "Accept", Value: "application/sdp"}},
	}, nil, t.cfg.Within)
	switch {
	case err != nil:
		return fmt.Errorf("%s: %w", hops[at].addr, err)
	case m.Code == 408 || m.Code == 503:
		return fmt.Errorf("%s answers %d %s", hops[at].addr, m.Code, m.Reason)
	}
	return nil
}

func (t *trunk) judge(i int, err error) {
	t.mu.Lock()
	st := &t.targets[i]
	was, known := st.up, st.known
	if err == nil {
		st.up, st.fails, st.known, st.why = true, 0, true, ""
	} else {
		st.fails++
		st.why = err.Error()
		if st.fails >= 2 {
			st.up, st.known = false, true
		}
	}
	changed := st.known && (!known || was != st.up)
	h := TrunkHealth{Trunk: t.cfg.ID, Target: t.cfg.Targets[i], Up: st.up, Detail: st.why, At: t.srv.cfg.Now()}
	t.mu.Unlock()
	if changed {
		t.report(h)
	}
}

func (t *trunk) report(h TrunkHealth) {
	t.srv.log.Info("sip: trunk", "trunk", h.Trunk, "target", h.Target, "up", h.Up, "detail", h.Detail)
	if fn := t.srv.cfg.TrunkHealth; fn != nil {
		fn(h)
	}
}

// register keeps us registered until ctx ends, and says good-bye then.
func (t *trunk) register(ctx context.Context) {
	callID, seq := wire.Token(12), uint32(0)
	fails := 0
	for {
		life, f, err := t.registerOnce(ctx, callID, &seq, t.registerLife())
		t.setRegistered(err)
		wait := life * 85 / 100
		if err != nil {
			fails++
			wait = min(time.Duration(1<<min(fails, 6))*time.Second, time.Minute)
		} else {
			fails = 0
		}
		lost := make(chan struct{})
		stop := func() {}
		if f != nil {
			stop = f.watch(func() { close(lost) })
		}
		tm := time.NewTimer(wait)
		select {
		case <-tm.C:
		case <-lost: // the connection our calls come back on
			_ = sleep(ctx, between(100*time.Millisecond, time.Second))
		case <-ctx.Done():
		}
		tm.Stop()
		stop()
		if ctx.Err() != nil {
			if err == nil && t.srv.ctx.Err() == nil {
				bye, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
				_, _, _ = t.registerOnce(bye, callID, &seq, 0)
				cancel()
			}
			return
		}
	}
}

func (t *trunk) registerLife() time.Duration {
	if e := t.cfg.Register.Expires; e > 0 {
		return e
	}
	return 10 * time.Minute
}

func (t *trunk) setRegistered(err error) {
	t.mu.Lock()
	was, first := t.regUp, t.regWhy == "" && !t.regUp
	t.regUp, t.regWhy = err == nil, "registered"
	if err != nil {
		t.regWhy = err.Error()
	}
	h := TrunkHealth{Trunk: t.cfg.ID, Target: "register", Up: t.regUp, Detail: t.regWhy, At: t.srv.cfg.Now()}
	t.mu.Unlock()
	if (first || was != h.Up) && !errors.Is(err, context.Canceled) {
		t.report(h)
	}
}

// registerOnce sends one REGISTER (with one retry for a challenge and for 423) and gives the life granted.
func (t *trunk) registerOnce(ctx context.Context, callID string, seq *uint32, life time.Duration) (time.Duration, *Flow, error) {
	s, r := t.srv, t.cfg.Register
	hops, err := s.resolve(ctx, t.reg)
	if err != nil {
		return 0, nil, err
	}
	t.mu.Lock()
	t.regHops = hops
	t.mu.Unlock()
	s.trunks.mu.Lock()
	s.trunks.indexLocked() // its calls are known by the address we register at
	s.trunks.mu.Unlock()
	f, _, err := s.firstFlow(ctx, hops)
	if err != nil {
		return 0, nil, err
	}
	for try := 0; ; try++ {
		*seq++
		domain := URI{Host: r.AOR.Host, Port: r.AOR.Port}
		expires := "0"
		if life > 0 {
			expires = seconds(life)
		}
		q := &wire.Request{
			Method: "REGISTER", URI: domain.String(), CallID: callID, Seq: *seq,
			From: "<" + r.AOR.String() + ">", To: "<" + r.AOR.String() + ">", Contact: s.contactFor(r.AOR.User, f),
			Headers: []Header{{Name: "Expires", Value: expires}},
		}
		m, err := s.askOnce(ctx, f, q, t.cfg.Auth, 0)
		if err == nil {
			*seq = q.Seq // a challenge took one more
		}
		switch {
		case err != nil:
			return 0, nil, fmt.Errorf("sip: REGISTER to %s: %w", f.Remote, err)
		case m.Code == 423 && try == 0:
			if n, e := strconv.Atoi(m.Get("min-expires")); e == nil && n > 0 && n < 1<<20 {
				life = time.Duration(n) * time.Second
				continue
			}
			return 0, nil, &StatusError{m.Code, m.Reason}
		case m.Code >= 300:
			return 0, nil, &StatusError{m.Code, m.Reason}
		}
		return granted(m, r.AOR.User, life), f, nil
	}
}

// granted reads the life of our binding from the 200, at least 20 s so that a strange peer is not hammered.
func granted(m *message, user string, asked time.Duration) time.Duration {
	life := asked
	if n, err := strconv.Atoi(m.Get("expires")); err == nil && n > 0 {
		life = time.Duration(n) * time.Second
	}
	for _, c := range m.List("contact") {
		a, err := ParseAddress(c)
		if err != nil || a.URI.User != user {
			continue
		}
		if v, ok := wire.Param(a.Params, "expires"); ok {
			if n, err := strconv.Atoi(v); err == nil && n > 0 {
				life = time.Duration(n) * time.Second
			}
		}
	}
	return max(life, 20*time.Second)
}

// askOnce sends a request outside any dialog, follows one challenge and gives the final response.
func (s *Server) askOnce(ctx context.Context, f *Flow, r *wire.Request, auth *Credentials, timeout time.Duration) (*message, error) {
	if r.CallID == "" {
		r.CallID = wire.Token(12)
	}
	if r.Seq == 0 {
		r.Seq = 1
	}
	tag := wire.Token(6)
	r.From += ";tag=" + tag
	type result struct {
		m   *message
		err error
	}
	ch := make(chan result, 1)
	tries := 0
	s.deliver(r.CallID, true, func(l *lane) {
		var on func(m *message, err error)
		on = func(m *message, err error) {
			if m != nil && m.Code < 200 {
				return
			}
			if m != nil && wire.Challenged(m.Head) && auth != nil && tries < 2 {
				if h, aerr := auth.AnswerChallenge(m.Head, r.Method, r.URI); aerr == nil {
					tries++
					r.Seq++
					r.Headers = withHeader(r.Headers, h)
					again := *r
					l.send(f, &again, timeout, on)
					return
				}
			}
			ch <- result{m, err}
		}
		first := *r
		l.send(f, &first, timeout, on)
	})
	select {
	case x := <-ch:
		return x.m, x.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Step is one line of a trunk test.
type Step struct {
	Name   string // resolve, connect, options, register
	Target string
	OK     bool
	Detail string // what was found, or what to do
	Took   time.Duration
}

// TestTrunk tries a trunk step by step and says what worked: names, connections, OPTIONS, registration.
func (s *Server) TestTrunk(ctx context.Context, id string) ([]Step, error) {
	t := s.trunks.get(id)
	if t == nil {
		return nil, fmt.Errorf("%w: %q", ErrNoTrunk, id)
	}
	var out []Step
	step := func(name, target string, fn func() (string, error)) bool {
		from := s.cfg.Now()
		detail, err := fn()
		if err != nil {
			detail = err.Error()
		}
		out = append(out, Step{name, target, err == nil, detail, s.cfg.Now().Sub(from)})
		return err == nil
	}
	for i, u := range t.uris {
		target := t.cfg.Targets[i]
		var hops []hop
		if !step("resolve", target, func() (string, error) {
			var err error
			hops, err = s.resolve(ctx, u)
			return hopList(hops), err
		}) {
			continue
		}
		if !step("connect", target, func() (string, error) {
			f, _, err := s.firstFlow(ctx, hops)
			if err != nil {
				return "", err
			}
			return f.Transport + " " + f.Remote.String() + " from " + s.addressFor(f).String(), nil
		}) {
			continue
		}
		step("options", target, func() (string, error) { return "the peer answers", t.ping(ctx, i) })
	}
	if t.cfg.Register != nil {
		step("register", t.reg.String(), func() (string, error) {
			seq := uint32(0)
			life, _, err := t.registerOnce(ctx, wire.Token(12), &seq, t.registerLife())
			var refused *StatusError
			if errors.As(err, &refused) && (refused.Code == 401 || refused.Code == 403 || refused.Code == 407) {
				return "", fmt.Errorf("%w: check user and password of the account", err)
			}
			return "registered for " + life.String(), err
		})
	}
	return out, nil
}

func hopList(hops []hop) string {
	s := ""
	for i, h := range hops {
		if i > 0 {
			s += ", "
		}
		s += h.transport + " " + h.addr.String()
	}
	return s
}

// TrunkStates gives the last known health of all targets and registrations.
func (s *Server) TrunkStates() []TrunkHealth {
	s.trunks.mu.RLock()
	defer s.trunks.mu.RUnlock()
	now := s.cfg.Now()
	var out []TrunkHealth
	for id, t := range s.trunks.byID {
		t.mu.Lock()
		for i, st := range t.targets {
			out = append(out, TrunkHealth{id, t.cfg.Targets[i], st.up, st.why, now})
		}
		if t.cfg.Register != nil {
			out = append(out, TrunkHealth{id, "register", t.regUp, t.regWhy, now})
		}
		t.mu.Unlock()
	}
	return out
}
