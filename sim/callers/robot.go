package callers

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"
)

// How simulated agents behave.
const (
	shortRing, longRing   = 2 * time.Second, 6 * time.Second
	slowChance            = .01 // does not lift the handset at all
	holdChance            = .08
	transferChance        = .025
	hangUpChance          = .15
	breakChance           = .04 // after a contact
	meanBreak             = 4 * time.Minute
	meanWrapup            = 22 * time.Second
	longestWrapup         = 27 * time.Second // the hotline ends wrap-up after 30 s
	phoneExpires          = 10 * time.Minute
	lookAfter             = time.Minute // how often an agent looks whether the desk still says what they think
	seatPause             = 60 * time.Millisecond
	goodbyeBound          = 5 * time.Second
	retryLeast, retryMost = time.Second, 30 * time.Second
)

// robot is a simulated agent at a desk phone.
type robot struct {
	Agent
	town  *Town
	api   *client
	rand  *rand.Rand
	calls chan *talk
	away  bool // on a break of their own will
}

// seat brings the agents to their places, one after another.
func (t *Town) seat(ctx context.Context, all *sync.WaitGroup) {
	transport := &http.Transport{MaxIdleConns: 64, MaxIdleConnsPerHost: 64, IdleConnTimeout: 2 * time.Minute}
	if watch, err := newClient(t.cfg.HTTP, t.cfg.Watcher, transport); err == nil {
		t.names.mu.Lock()
		t.names.watcher = watch.watcher
		t.names.mu.Unlock()
	}
	phones := map[string]*robot{}
	for _, a := range t.cfg.Agents {
		api, err := newClient(t.cfg.HTTP, a.User, transport)
		if err != nil {
			t.log.Error("an agent cannot come", "user", a.User, "err", err)
			continue
		}
		phones[a.Phone] = &robot{Agent: a, town: t, api: api, rand: t.chance(), calls: make(chan *talk, 1)}
	}
	t.lines[1].mu.Lock()
	t.lines[1].invite = func(c *talk) {
		b := phones[c.user]
		if b == nil {
			c.refuse(404, "Not Found")
			return
		}
		select {
		case b.calls <- c:
		default:
			c.refuse(486, "Busy Here")
		}
	}
	t.lines[1].mu.Unlock()
	n := 0
	for _, a := range t.cfg.Agents {
		b := phones[a.Phone]
		if b == nil {
			continue
		}
		late := time.Duration(n) * seatPause
		n++
		all.Go(func() {
			if sleep(ctx, late, nil) {
				b.run(ctx)
			}
		})
	}
	all.Go(func() {
		<-ctx.Done()
		transport.CloseIdleConnections()
	})
}

// run is an agent's working time.
func (b *robot) run(ctx context.Context) {
	var phone sync.WaitGroup
	registered := make(chan struct{})
	phone.Go(func() { b.register(ctx, registered) })
	defer phone.Wait()
	select {
	case <-registered:
	case <-ctx.Done():
		return
	}
	if !b.keepTrying(ctx, b.signIn) {
		return
	}
	b.town.seated.Add(1)
	defer b.signOut(ctx)
	look := time.NewTimer(b.lookPause())
	defer look.Stop()
	for {
		select {
		case c := <-b.calls:
			b.serve(ctx, c)
		case <-look.C:
			b.look(ctx)
		case <-ctx.Done():
			return
		}
		look.Reset(b.lookPause())
	}
}

func (b *robot) lookPause() time.Duration {
	return lookAfter/2 + time.Duration(b.rand.Float64()*float64(lookAfter))
}

// register keeps the phone registered.
func (b *robot) register(ctx context.Context, done chan struct{}) {
	id := token() + "@" + b.Phone
	for seq := 1; ; seq += 4 {
		err := b.town.lines[1].register(ctx, b.Phone, b.Password, id, seq, phoneExpires)
		pause := phoneExpires / 2
		if err != nil {
			if ctx.Err() == nil {
				b.town.log.Warn("a simulated phone cannot register", "phone", b.Phone, "err", err)
			}
			pause = retryMost
		} else if done != nil {
			close(done)
			done = nil
		}
		if !sleep(ctx, pause, nil) {
			break
		}
	}
	bye, cancel := context.WithTimeout(context.WithoutCancel(ctx), goodbyeBound)
	defer cancel()
	_ = b.town.lines[1].register(bye, b.Phone, b.Password, token()+"@"+b.Phone, 1, 0) // it would expire by itself
}

// keepTrying does something until it succeeds, at longer and longer intervals; false when ctx ends.
func (b *robot) keepTrying(ctx context.Context, f func(context.Context) error) bool {
	for pause := retryLeast; ; pause = min(2*pause, retryMost) {
		err := f(ctx)
		if err == nil {
			return true
		}
		if ctx.Err() == nil {
			b.town.log.Warn("a simulated agent is held up", "user", b.User, "err", err)
		}
		if !sleep(ctx, pause, nil) {
			return false
		}
	}
}

func (b *robot) signIn(ctx context.Context) error {
	in := map[string]any{"endpoint": b.Phone, "seat": b.Seat, "takeover": true}
	if err := b.api.do(ctx, http.MethodPost, "/api/v1/desk/signin", in, nil); err != nil {
		return err
	}
	return b.state(ctx, "ready", "")
}

func (b *robot) state(ctx context.Context, state, reason string) error {
	b.away = state == "away"
	return b.api.do(ctx, http.MethodPost, "/api/v1/desk/state", map[string]string{"state": state, "reason": reason}, nil)
}

func (b *robot) signOut(ctx context.Context) {
	b.town.seated.Add(-1)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), goodbyeBound)
	defer cancel()
	if err := b.api.do(ctx, http.MethodPost, "/api/v1/desk/signout", nil, nil); err != nil {
		b.town.log.Debug("a simulated agent could not sign out", "user", b.User, "err", err)
	}
}

// look mends what is not as the agent thinks: signed out by a restart, away after missed offers.
func (b *robot) look(ctx context.Context) {
	var d struct {
		SignedIn bool `json:"signed_in"`
		State    struct {
			State string `json:"state"`
		} `json:"state"`
	}
	err := b.api.do(ctx, http.MethodGet, "/api/v1/desk", nil, &d)
	switch {
	case err != nil:
	case !d.SignedIn:
		err = errors.Join(errNotSeated, b.signIn(ctx))
	case d.State.State == "away" && !b.away:
		err = b.state(ctx, "ready", "")
	}
	if err != nil && ctx.Err() == nil {
		b.town.log.Debug("an agent looked at the desk", "user", b.User, "err", err)
	}
}

// serve takes one offer from the first ring to the end of wrap-up.
func (b *robot) serve(ctx context.Context, c *talk) {
	contact, caller := c.header("X-Kapok-Contact"), number(c.in)
	c.ring()
	if b.rand.Float64() < slowChance {
		sleep(ctx, time.Minute, c.done) // the hotline takes the offer back
		return
	}
	ring := shortRing + time.Duration(b.rand.Float64()*float64(longRing-shortRing))
	if !sleep(ctx, max(b.town.shorter(ring), 300*time.Millisecond), c.done) {
		if ctx.Err() != nil {
			c.refuse(480, "Temporarily Unavailable")
		}
		return
	}
	if err := c.answer(ctx); err != nil {
		return
	}
	c.sound.talking(true)
	b.town.names.meet(caller, met)
	b.talk(ctx, c, contact, caller)
	c.hangUp(ctx)
	if ctx.Err() == nil {
		b.wrapUp(ctx, contact, caller)
	}
}

// talk lasts until the caller hangs up; now and then the agent holds, gives the call on, or hangs up.
func (b *robot) talk(ctx context.Context, c *talk, contact, caller string) {
	if b.moves(ctx, c, contact, caller) {
		return
	}
	x := b.rand.Float64()
	pause := b.town.shorter(15*time.Second + exponential(b.rand, 40*time.Second))
	path := "/api/v1/desk/contacts/" + contact
	switch {
	case x < holdChance:
		if !sleep(ctx, pause, c.done) || b.api.do(ctx, http.MethodPost, path+"/hold", nil, nil) != nil {
			break
		}
		sleep(ctx, b.town.shorter(8*time.Second+exponential(b.rand, 12*time.Second)), c.done)
		if err := b.api.do(ctx, http.MethodPost, path+"/resume", nil, nil); err != nil {
			b.town.log.Debug("a held call was gone", "user", b.User, "err", err)
		}
	case x < holdChance+transferChance:
		if !sleep(ctx, pause, c.done) {
			return
		}
		to := []string{"general", "vat", "iit", "etax"}[b.rand.IntN(4)]
		b.town.names.meet(caller, given)
		if b.api.do(ctx, http.MethodPost, path+"/transfer", map[string]string{"kind": "queue", "code": to}, nil) != nil {
			b.town.names.meet(caller, met)
		}
	case x < holdChance+transferChance+hangUpChance:
		sleep(ctx, 3*pause, c.done)
		return
	}
	sleep(ctx, longestTalk, c.done)
}

// moves sends a caller of the line to another of its queues, now and then: they were sorted wrongly. True: they are gone.
func (b *robot) moves(ctx context.Context, c *talk, contact, caller string) bool {
	l := b.town.cfg.Line
	if len(l.Queues) == 0 || !b.town.names.onLine(caller) || b.rand.Float64() >= l.MovedShare {
		return false
	}
	if !sleep(ctx, b.town.shorter(10*time.Second+exponential(b.rand, 15*time.Second)), c.done) {
		return true
	}
	to := l.Queues[b.rand.IntN(len(l.Queues))]
	b.town.names.meet(caller, given)
	err := b.api.do(ctx, http.MethodPost, "/api/v1/desk/contacts/"+contact+"/transfer", map[string]string{"kind": "line", "code": to}, nil)
	if err != nil { // there already
		b.town.names.meet(caller, met)
		return false
	}
	sleep(ctx, longestTalk, c.done)
	return true
}

// wrapUp writes what the contact was about and goes on, now and then to a break.
func (b *robot) wrapUp(ctx context.Context, contact, caller string) {
	path := "/api/v1/desk/contacts/" + contact + "/wrapup"
	w := b.note(caller)
	if err := b.api.do(ctx, http.MethodPut, path, w, nil); err != nil {
		b.town.log.Debug("a wrap-up could not be written", "user", b.User, "err", err)
		return
	}
	d := min(lognormal(b.rand, meanWrapup, .4), longestWrapup)
	if !sleep(ctx, max(b.town.shorter(d), 500*time.Millisecond), nil) {
		return
	}
	done := map[string]any{"state": "ready", "wrapup": w}
	rest := b.rand.Float64() < breakChance
	if rest {
		done["state"], done["reason"], b.away = "away", []string{"REST", "WC", "KB"}[b.rand.IntN(3)], true
	}
	if err := b.api.do(ctx, http.MethodPost, path+"/done", done, nil); err != nil {
		b.town.log.Debug("a wrap-up could not be ended", "user", b.User, "err", err)
		b.look(ctx)
		return
	}
	if rest {
		sleep(ctx, b.town.shorter(exponential(b.rand, meanBreak)+30*time.Second), nil)
		if err := b.state(ctx, "ready", ""); err != nil && ctx.Err() == nil {
			b.town.log.Debug("a break did not end", "user", b.User, "err", err)
		}
	}
}

// note is what the agent writes: a question people ask, and half the time who the caller is.
func (b *robot) note(caller string) map[string]string {
	w := map[string]string{}
	if len(b.town.cfg.Notes) > 0 {
		n := b.town.cfg.Notes[b.rand.IntN(len(b.town.cfg.Notes))]
		w["topic"], w["tax_type"], w["question"], w["answer"] = n.Topic, n.Tax, n.Question, n.Answer
	}
	if b.rand.Float64() < .5 {
		if p, ok := b.town.index()[caller]; ok {
			w["tax_id"], w["name"], w["district"] = p.TaxID, p.Name, p.District
		}
	}
	return w
}
