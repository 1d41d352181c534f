package voice

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/platform/ledger"
	"github.com/kapok-hotline/kapok/platform/store"
)

// A promise is a row and facts, which are written apart: the row when the person is asked and when it is over, the facts
// in the journal. A process that dies between the two leaves one without the other.
const (
	callbackSettles = time.Minute         // so long the two may differ while the process lives
	callbackChecked = 31 * 24 * time.Hour // older ones were checked before
	callbackMended  = 2 * callbackKeep    // older ones cannot be open
)

// vow is what row and facts say of one promise.
type vow struct {
	promise
	node, state    string
	endedAt        int64
	asked, ended   int
	reached        int
	how            string
	lastAt, rowsAt int64 // newest fact; 0: there is no row
}

// promised reads what was promised since a moment, by callback.
func (m *Module) promised(ctx context.Context, db *store.DB, since time.Time) (map[string]*vow, error) {
	all := map[string]*vow{}
	of := func(callback string) *vow {
		if all[callback] == nil {
			all[callback] = &vow{promise: promise{id: callback}}
		}
		return all[callback]
	}
	err := store.Each(ctx, db, `SELECT id, node, contact, queue, entered_at, since, site, number, caller, asked_at, state, tries, ended_at FROM voice_callback WHERE asked_at >= ?`,
		func(r store.Scanner) (t vow, err error) {
			var began int64
			err = r.Scan(&t.id, &t.node, &t.contact, &t.queue, &t.enteredAt, &began, &t.site, &t.number, &t.caller, &t.rowsAt, &t.state, &t.tries, &t.endedAt)
			t.since, t.askedAt = time.UnixMilli(began), time.UnixMilli(t.rowsAt)
			return t, err
		}, func(t vow) error { all[t.id] = &t; return nil }, since.UnixMilli())
	if err != nil {
		return nil, err
	}
	return all, store.Each(ctx, db, `SELECT kind, at, body FROM ledger_fact WHERE kind IN ('callback.asked', 'callback.reached', 'callback.ended') AND day >= ? AND at >= ?`,
		func(r store.Scanner) (f ledger.Fact, err error) {
			var body string
			err = r.Scan(&f.Kind, &f.At, &body)
			f.Body = []byte(body)
			return f, err
		}, func(f ledger.Fact) error {
			switch f.Kind {
			case event.CallbackAsked{}.Kind():
				if b, ok := ledger.Read[event.CallbackAsked](&f); ok {
					of(b.Callback).note(f.At).asked++
				}
			case event.CallbackReached{}.Kind():
				if b, ok := ledger.Read[event.CallbackReached](&f); ok {
					of(b.Callback).note(f.At).reached++
				}
			default:
				if b, ok := ledger.Read[event.CallbackEnded](&f); ok {
					t := of(b.Callback).note(f.At)
					t.ended, t.how = t.ended+1, b.How
				}
			}
			return nil
		}, since.AddDate(0, 0, -1).UTC().Format(time.DateOnly), since.UnixMilli())
}

func (t *vow) note(at int64) *vow {
	t.lastAt = max(t.lastAt, at)
	return t
}

// wrong says what is not as it has to be, "" when all is.
func (t *vow) wrong() string {
	switch over := t.state != "open"; {
	case t.rowsAt == 0 && t.asked > 0:
		return "asked for, and nobody has it"
	case t.rowsAt == 0:
		return "" // asked for before the span that is looked at
	case t.state == event.BackDropped && t.asked == 0 && t.ended == 0:
		return "" // an agent was faster, or they hung up as it was written: nobody was ever told of it
	case t.asked != 1:
		return "not told once that it was asked for"
	case t.ended > 1:
		return "ended twice"
	case t.reached > 1:
		return "kept twice"
	case over && t.ended == 0:
		return "over, and its end is not told"
	case !over && t.ended > 0:
		return "its end is told, and it is open"
	case !over && t.reached > 0:
		return "kept, and it is open"
	case over && t.how != t.state:
		return "ended " + t.how + ", and is said to have " + t.state
	}
	return ""
}

// checkCallbacks: what was promised is told once and ends once, as its row says. What is under way has a minute.
func (m *Module) checkCallbacks(ctx context.Context, db *store.DB) ([]ledger.Breach, error) {
	now := m.now()
	all, err := m.promised(ctx, db, now.Add(-callbackChecked))
	if err != nil {
		return nil, err
	}
	var out []ledger.Breach
	for _, t := range all {
		moved := max(t.lastAt, t.rowsAt, t.endedAt)
		if what := t.wrong(); what != "" && now.UnixMilli()-moved >= callbackSettles.Milliseconds() {
			out = append(out, ledger.Breach{Subject: t.id, Params: map[string]any{"what": what, "contact": t.contact}})
		}
	}
	slices.SortFunc(out, func(a, b ledger.Breach) int { return cmp.Compare(a.Subject, b.Subject) })
	return out[:min(len(out), breachMost)], nil
}

// mend completes what a process that died left half written of its promises: whoever was reached is not called again,
// whoever was told of a call is called, and each promise is told and ended once. With only, it looks at these alone.
func (k *callbacks) mend(ctx context.Context, only ...string) error {
	now := k.m.now()
	all, err := k.m.promised(ctx, k.m.deps.DB, now.Add(-callbackMended))
	if err != nil {
		return err
	}
	for _, t := range all {
		if len(only) > 0 && !slices.Contains(only, t.id) {
			continue
		}
		if t.node != string(k.m.deps.Node) || t.rowsAt == 0 || t.wrong() == "" {
			continue
		}
		post := func(at time.Time, body event.Body) { k.m.deps.Facts.Post(at, t.site, string(t.contact), "", body) }
		if t.asked == 0 {
			post(t.askedAt, event.CallbackAsked{
				Callback: t.id, Queue: t.queue, EnteredAt: t.enteredAt, Since: t.promise.since.UnixMilli(), Number: t.number, Keyed: t.number != t.caller,
			})
		}
		how := t.state
		switch {
		case t.ended > 0:
			how = t.how
		case how == "open" && t.reached > 0:
			how = event.BackReached
		}
		if how == "open" {
			continue
		}
		if t.ended == 0 {
			post(now, event.CallbackEnded{Callback: t.id, Queue: t.queue, EnteredAt: t.enteredAt, How: how, Tries: max(t.tries, t.reached)})
		}
		if _, err := store.Exec(ctx, k.m.deps.DB, `UPDATE voice_callback SET state = ?, ended_at = ? WHERE id = ?`,
			how, cmp.Or(t.endedAt, max(t.lastAt, now.UnixMilli())), t.id); err != nil {
			return err
		}
		k.m.deps.Log.Info("a callback that a dead process left half written is mended", "callback", t.id, "contact", t.contact, "how", how)
	}
	return nil
}
