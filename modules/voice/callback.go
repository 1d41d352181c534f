package voice

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/engine/flow"
	"github.com/kapok-hotline/kapok/platform/store"
)

// Callback is a queue's rule of calling people back.
type Callback struct {
	After time.Duration // offered to who has waited this long; 0: not by time
	Wait  time.Duration // offered at once to who would wait this long; 0: not by estimate
	Tries int           // calls made before it is given up; 0: callbackTries
	Every time.Duration // between two tries; 0: callbackEvery
}

func (r Callback) offered() bool { return r.After > 0 || r.Wait > 0 }

// Line is asked about the place of a waiting call; routing answers.
type Line interface {
	// Place says where the contact stands; ok is false when it does not wait.
	Place(ctx context.Context, c id.Contact) (s Standing, ok bool, err error)
	// Promise takes a waiting contact out of its queue because it is to be called back.
	Promise(ctx context.Context, c id.Contact) error
}

const (
	callbackTries = 3
	callbackEvery = 10 * time.Minute
	callbackAgain = time.Minute    // after a try that was nobody's fault: no agent took it, a rule of the queue
	callbackKeep  = 24 * time.Hour // what could not be kept by then is given up
)

// promise is one person to be called back. The keeper's lock guards what changes.
type promise struct {
	id        string
	contact   id.Contact // the one they asked in
	queue     id.Queue
	enteredAt int64 // unix ms, with queue the visit within contact
	since     time.Time
	site      id.Site
	line      id.Number // of ours, shown to the person
	number    string    // to be called
	caller    string    // that they called from; "" when withheld
	lang      string
	priority  int
	needs     []flow.Need
	askedAt   time.Time
	due       time.Time
	tries     int
	most      int
	every     time.Duration
	asked     bool  // the ledger knows of it
	call      *call // the try under way: never more than one

	cancelledBy  id.User // by hand
	cancelledWhy string
}

// callbacks keeps the promises of this process. A row is written before a person is told that it is so.
type callbacks struct {
	m    *Module
	mu   sync.Mutex
	of   map[string]*promise // by the number to be called, and by that they called from
	open atomic.Int32        // promises; 0 spares the others a look
	wake chan struct{}

	far  map[string]farPromise // what other processes hold, by number and by that they called from
	afar atomic.Int32          // of these; 0 spares a look
}

func newCallbacks(m *Module) *callbacks {
	return &callbacks{m: m, of: map[string]*promise{}, wake: make(chan struct{}, 1)}
}

// errPromised says that the number is promised a call already.
var errPromised = errors.New("voice: this number is to be called already")

// keep writes a promise down.
func (k *callbacks) keep(ctx context.Context, p *promise) error {
	needs, err := json.Marshal(p.needs)
	if err != nil {
		return err
	}
	n, err := store.Exec(ctx, k.m.deps.DB, `INSERT INTO voice_callback (id, node, contact, queue, entered_at, since, site, line, number, caller,
		lang, priority, needs, asked_at, due_at, tries, most, every_ms, state, ended_at, kept_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?, 'open', 0, ?)
		ON CONFLICT DO NOTHING`,
		p.id, string(k.m.deps.Node), string(p.contact), string(p.queue), p.enteredAt, p.since.UnixMilli(), string(p.site), string(p.line), p.number, p.caller,
		p.lang, p.priority, string(needs), p.askedAt.UnixMilli(), p.due.UnixMilli(), p.most, p.every.Milliseconds(), p.askedAt.UnixMilli())
	if err == nil && n == 0 {
		err = errPromised
	}
	if err != nil {
		return err
	}
	k.mu.Lock()
	k.enter(p)
	k.mu.Unlock()
	return nil
}

// enter files a promise; the caller holds the lock.
func (k *callbacks) enter(p *promise) {
	k.of[p.number] = p
	if p.caller != "" && k.of[p.caller] == nil {
		k.of[p.caller] = p
	}
	k.open.Add(1)
}

// drop takes a promise out; the caller holds the lock. False when it was out already.
func (k *callbacks) drop(p *promise) bool {
	if k.of[p.number] != p {
		return false
	}
	delete(k.of, p.number)
	if k.of[p.caller] == p {
		delete(k.of, p.caller)
	}
	k.open.Add(-1)
	return true
}

// load reads the promises of this process that an earlier run left open.
func (k *callbacks) load(ctx context.Context) error {
	if err := k.mend(ctx); err != nil {
		return err
	}
	return k.read(ctx)
}

// run places the calls that are due, until ctx ends.
func (k *callbacks) run(ctx context.Context) {
	timer := k.m.deps.Clock.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		again := k.agree(ctx)
		timer.Reset(min(again, k.place(k.m.now())))
		select {
		case <-timer.C():
		case <-k.wake:
		case <-ctx.Done():
			return
		}
	}
}

// pause ends the tries that have no agent yet; their promises stay.
func (k *callbacks) pause() {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, p := range k.of {
		if c := p.call; c != nil && c.owed != nil {
			c.post(func() {
				if c.seeking() && c.phase == queued {
					c.end(contact.BySystem, "drain")
				}
			})
		}
	}
}

func (k *callbacks) nudge() {
	select {
	case k.wake <- struct{}{}:
	default:
	}
}

// place brings all that are due back into their queues, and says when to look again.
func (k *callbacks) place(now time.Time) time.Duration {
	if k.m.draining.Load() {
		return time.Hour
	}
	next := time.Hour
	var late, due []*promise
	k.mu.Lock()
	for number, p := range k.of {
		switch {
		case p.call != nil || number != p.number:
		case now.Sub(p.askedAt) > callbackKeep:
			late = append(late, p)
		case !p.due.After(now) && k.shared():
			due = append(due, p) // asked of the database first, without the lock
		case !p.due.After(now):
			p.call = k.m.callBack(p, now)
		default:
			next = min(next, p.due.Sub(now))
		}
	}
	k.mu.Unlock()
	for _, p := range late {
		k.close(p, event.BackGaveUp, "")
	}
	for _, p := range due {
		if !k.claim(p, now) {
			continue
		}
		k.mu.Lock()
		if k.of[p.number] == p && p.call == nil {
			p.call = k.m.callBack(p, now)
		}
		k.mu.Unlock()
	}
	return max(next, 10*time.Millisecond)
}

// tried takes in how a try ended, when its call is over.
func (k *callbacks) tried(c *call) {
	b := c.owed
	p := b.promise
	k.mu.Lock()
	p.call = nil
	if k.of[p.number] != p || k.m.life.Err() != nil {
		k.mu.Unlock()
		return // ended meanwhile, or the process stops: the next one goes on
	}
	now := k.m.now()
	p.due = now.Add(callbackAgain)
	counts := b.dialled && !b.reached
	if counts {
		p.tries++
		p.due = now.Add(p.every)
	}
	tries := p.tries
	k.mu.Unlock()
	if b.reached {
		k.close(p, event.BackReached, "")
		return
	}
	if counts {
		k.m.deps.Facts.Post(now, p.site, string(p.contact), string(b.agent), event.CallbackTried{
			Callback: p.id, Try: tries, Contact: c.id, Agent: b.agent, Why: b.why,
		})
	}
	if tries >= p.most {
		k.close(p, event.BackGaveUp, "")
		return
	}
	k.write(`UPDATE voice_callback SET tries = ?, due_at = ?, calling_at = 0 WHERE id = ?`, tries, p.due.UnixMilli(), p.id)
	k.nudge()
}

// close ends a promise, once.
func (k *callbacks) close(p *promise, how string, by id.Contact) bool {
	k.mu.Lock()
	open := k.drop(p)
	under, tries, asked := p.call, p.tries, p.asked
	if how == event.BackReached {
		tries++
	}
	k.mu.Unlock()
	if !open {
		return false
	}
	if under != nil && under.owed != nil && how != event.BackReached {
		under.post(func() { under.end(contact.BySystem, how) })
	}
	now := k.m.now()
	if asked {
		k.m.deps.Facts.Post(now, p.site, string(p.contact), string(p.cancelledBy), event.CallbackEnded{
			Callback: p.id, Queue: p.queue, EnteredAt: p.enteredAt, How: how, Tries: tries, By: by, Why: p.cancelledWhy,
		})
	}
	k.write(`UPDATE voice_callback SET state = ?, tries = ?, ended_at = ?, calling_at = 0, ended_by = ?, ended_why = ? WHERE id = ?`, how, tries, now.UnixMilli(),
		string(p.cancelledBy), p.cancelledWhy, p.id)
	return true
}

func (k *callbacks) write(text string, args ...any) {
	ctx, cancel := context.WithTimeout(context.Background(), goodbye)
	defer cancel()
	if _, err := store.Exec(ctx, k.m.deps.DB, text, args...); err != nil {
		k.m.deps.Log.Error("a callback could not be written down", "err", err)
	}
}

// takeOver gives the place of a person who calls while they are to be called: the promise ends, its call-out stops.
func (k *callbacks) takeOver(c *call, had time.Time) (since time.Time, ok bool) {
	if k.open.Load() == 0 && k.afar.Load() == 0 || c.from == "" || c.owed != nil || !had.IsZero() {
		return since, false
	}
	k.mu.Lock()
	p := k.of[c.from]
	far, away := k.far[c.from]
	k.mu.Unlock()
	if p == nil && away && far.contact != c.id {
		k.m.gone.Go(func() { k.cameBackHere(far, c.id) })
		return far.since, true
	}
	if p == nil || p.contact == c.id {
		return since, false
	}
	k.m.gone.Go(func() { k.close(p, event.BackCameBack, c.id) })
	return p.since, true
}

// cameBackHere tells the process that holds a promise that the person has called this one.
func (k *callbacks) cameBackHere(far farPromise, by id.Contact) {
	ctx, cancel := context.WithTimeout(context.Background(), goodbye)
	defer cancel()
	if _, err := k.want(ctx, far.id, wantCameBack, string(by), ""); err != nil {
		k.m.deps.Log.Error("another process is not told that a person it is to call has called here", "callback", far.id, "err", err)
	}
}
