package voice

import (
	"context"
	"encoding/json"
	"time"

	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/store"
)

// Promises in a house of several processes. Each belongs to the process the person asked at, whose name the row carries.
// The row is what all agree on: a call-out begins only when the row still says that it is ours, in the same statement
// that notes it, and a process that has not said for callbackDead that it lives loses its rows to whoever asks first. So
// a person is never called by two.
const (
	callbackLook = 3 * time.Second  // how often a process says that it keeps its promises, and looks for those of the dead
	callbackDead = 20 * time.Second // not heard of for so long, a process is dead; longer than a database takes to fail over
)

// What another process may ask of the one that holds a promise.
const (
	wantNow      = "now"
	wantCancel   = "cancel"
	wantCameBack = "came_back"
)

// shared says whether other processes may hold promises.
func (k *callbacks) shared() bool { return k.m.deps.Presence != nil }

// far is a promise that another process holds.
type farPromise struct {
	id      string
	contact id.Contact
	since   time.Time
}

// agree brings the promises of this process and of the others up to date, when there are others. It says how long it is
// until the next time.
func (k *callbacks) agree(ctx context.Context) time.Duration {
	if !k.shared() {
		return time.Hour
	}
	ctx, cancel := context.WithTimeout(ctx, goodbye)
	defer cancel()
	for _, do := range []func(context.Context) error{k.stillHere, k.takeFromTheDead, k.others, k.orders} {
		if err := do(ctx); err != nil && k.m.life.Err() == nil {
			k.m.deps.Log.Warn("promises of callbacks are not agreed on with the other processes; it is tried again", "err", err)
			break
		}
	}
	return callbackLook
}

// stillHere says that this process lives. What has been taken from it meanwhile it lets go.
func (k *callbacks) stillHere(ctx context.Context) error {
	if k.open.Load() == 0 {
		return nil
	}
	ours, err := k.change(ctx, `UPDATE voice_callback SET kept_at = ? WHERE node = ? AND state = 'open' RETURNING id`,
		k.m.now().UnixMilli(), string(k.m.deps.Node))
	if err != nil {
		return err
	}
	still := map[string]bool{}
	for _, p := range ours {
		still[p] = true
	}
	k.mu.Lock()
	var lost []*promise
	for number, p := range k.of {
		if number == p.number && !still[p.id] && k.m.now().Sub(p.askedAt) > goodbye { // a younger one may not be in the table we read
			lost = append(lost, p)
		}
	}
	k.mu.Unlock()
	for _, p := range lost {
		k.letGo(p)
	}
	return nil
}

// change changes rows and gives their ids.
func (k *callbacks) change(ctx context.Context, text string, args ...any) (ids []string, err error) {
	return ids, k.m.deps.DB.Tx(ctx, func(tx *store.Tx) (err error) {
		ids, err = store.All(ctx, tx, text, store.Col[string], args...)
		return err
	})
}

// letGo forgets a promise that is another process's now; its call-out, if any, stops.
func (k *callbacks) letGo(p *promise) {
	k.mu.Lock()
	open := k.drop(p)
	under := p.call
	k.mu.Unlock()
	if open && under != nil && under.owed != nil {
		under.post(func() {
			if under.seeking() {
				under.end("system", "taken over")
			}
		})
	}
}

// takeFromTheDead makes the promises of processes that died this one's.
func (k *callbacks) takeFromTheDead(ctx context.Context) error {
	if k.m.draining.Load() {
		return nil
	}
	now := k.m.now()
	taken, err := k.change(ctx, `UPDATE voice_callback SET node = ?, kept_at = ?, calling_at = 0 WHERE state = 'open' AND node <> ? AND kept_at < ? AND asked_at < ?
		RETURNING id`, string(k.m.deps.Node), now.UnixMilli(), string(k.m.deps.Node), now.Add(-callbackDead).UnixMilli(), now.Add(-callbackDead).UnixMilli())
	if err != nil || len(taken) == 0 {
		return err
	}
	k.m.deps.Log.Warn("promises of a process that died are kept by this one", "promises", len(taken))
	if err := k.mend(ctx, taken...); err != nil {
		return err
	}
	return k.read(ctx, taken...)
}

// claim notes in the row that the person is being called, if the row is still this process's.
func (k *callbacks) claim(p *promise, now time.Time) bool {
	if !k.shared() {
		return true
	}
	ctx, cancel := context.WithTimeout(context.Background(), brainBound)
	defer cancel()
	n, err := store.Exec(ctx, k.m.deps.DB, `UPDATE voice_callback SET calling_at = ?, kept_at = ? WHERE id = ? AND node = ? AND state = 'open'`,
		now.UnixMilli(), now.UnixMilli(), p.id, string(k.m.deps.Node))
	if err != nil {
		k.m.deps.Log.Warn("a callback waits: the database does not say whether it is still ours", "callback", p.id, "err", err)
		return false
	}
	if n == 0 {
		k.letGo(p)
	}
	return n > 0
}

// others reads what the other processes have promised, by number: who calls here is known for it.
func (k *callbacks) others(ctx context.Context) error {
	type row struct {
		number, caller string
		farPromise
	}
	rows, err := store.All(ctx, k.m.deps.DB, `SELECT id, contact, number, caller, since FROM voice_callback WHERE state = 'open' AND node <> ? ORDER BY since DESC LIMIT 10000`,
		func(r store.Scanner) (v row, err error) {
			var since int64
			err = r.Scan(&v.id, &v.contact, &v.number, &v.caller, &since)
			v.since = time.UnixMilli(since)
			return v, err
		}, string(k.m.deps.Node))
	if err != nil {
		return err
	}
	far := make(map[string]farPromise, 2*len(rows))
	for _, r := range rows {
		far[r.number] = r.farPromise
		if r.caller != "" {
			far[r.caller] = r.farPromise
		}
	}
	k.mu.Lock()
	k.far = far
	k.mu.Unlock()
	k.afar.Store(int32(min(len(rows), 10000)))
	return nil
}

// orders carries out what other processes ask of this one.
func (k *callbacks) orders(ctx context.Context) error {
	if k.open.Load() == 0 {
		return nil
	}
	type order struct{ id, wanted, by, why string }
	all, err := store.All(ctx, k.m.deps.DB, `SELECT id, wanted, wanted_by, wanted_why FROM voice_callback WHERE node = ? AND state = 'open' AND wanted <> ''`,
		func(r store.Scanner) (o order, err error) { return o, r.Scan(&o.id, &o.wanted, &o.by, &o.why) }, string(k.m.deps.Node))
	for _, o := range all {
		p := k.find(o.id)
		if p == nil {
			continue
		}
		k.write(`UPDATE voice_callback SET wanted = '' WHERE id = ?`, o.id)
		switch o.wanted {
		case wantNow:
			k.hurry(p)
		case wantCancel:
			k.cancel(p, id.User(o.by), o.why)
		case wantCameBack:
			k.close(p, event.BackCameBack, id.Contact(o.by))
		}
	}
	return err
}

// want asks the process that holds a promise for something; false when it is over.
func (k *callbacks) want(ctx context.Context, promise, what, by, why string) (bool, error) {
	n, err := store.Exec(ctx, k.m.deps.DB, `UPDATE voice_callback SET wanted = ?, wanted_by = ?, wanted_why = ? WHERE id = ? AND state = 'open'`, what, by, why, promise)
	return n > 0, err
}

// find gives a promise of this process.
func (k *callbacks) find(promise string) *promise {
	k.mu.Lock()
	defer k.mu.Unlock()
	for number, p := range k.of {
		if p.id == promise && number == p.number {
			return p
		}
	}
	return nil
}

// hurry makes a promise due; false when the person is being called already.
func (k *callbacks) hurry(p *promise) bool {
	k.mu.Lock()
	under := p.call != nil
	if !under {
		p.due = k.m.now()
	}
	due := p.due
	k.mu.Unlock()
	if under {
		return false
	}
	k.write(`UPDATE voice_callback SET due_at = ? WHERE id = ?`, due.UnixMilli(), p.id)
	k.nudge()
	return true
}

// cancel ends a promise at somebody's word. The person is not told: nobody calls them.
func (k *callbacks) cancel(p *promise, by id.User, why string) bool {
	k.mu.Lock()
	p.cancelledBy, p.cancelledWhy = by, why
	k.mu.Unlock()
	return k.close(p, event.BackCancelled, "")
}

// read files promises of this process that are in the table and not in memory.
func (k *callbacks) read(ctx context.Context, only ...string) error {
	where, args := `node = ?`, []any{string(k.m.deps.Node)}
	if len(only) > 0 {
		where += ` AND id IN (` + store.In(len(only)) + `)`
		args = append(args, store.Args(only)...)
	}
	all, err := store.All(ctx, k.m.deps.DB, `SELECT id, contact, queue, entered_at, since, site, line, number, caller, lang, priority, needs, asked_at, due_at, tries, most, every_ms
		FROM voice_callback WHERE state = 'open' AND `+where+` ORDER BY since`, func(r store.Scanner) (*promise, error) {
		p := &promise{}
		var since, asked, due, every int64
		var needs string
		if err := r.Scan(&p.id, &p.contact, &p.queue, &p.enteredAt, &since, &p.site, &p.line, &p.number, &p.caller, &p.lang, &p.priority, &needs,
			&asked, &due, &p.tries, &p.most, &every); err != nil {
			return nil, err
		}
		p.since, p.askedAt, p.due, p.every = time.UnixMilli(since), time.UnixMilli(asked), time.UnixMilli(due), time.Duration(every)*time.Millisecond
		return p, json.Unmarshal([]byte(needs), &p.needs)
	}, args...)
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, p := range all {
		p.asked = true
		if k.of[p.number] == nil || k.of[p.number].number != p.number {
			k.enter(p)
		}
	}
	return err
}
