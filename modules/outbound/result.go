package outbound

import (
	"context"
	"time"

	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/store"
)

// TalkResult is what an agent made of a talk.
type TalkResult struct {
	Result string `json:"result" enum:"done,again,refused,machine,wrong,never"`
	Note   string `json:"note,omitempty" maxLength:"500"`
	Due    int64  `json:"due,omitempty" doc:"again: not before, unix ms; 0: after the list's usual time"`
}

// againMost is how far ahead a person may be put off.
const againMost = 90 * 24 * time.Hour

// result takes what an agent made of a talk, during it or after; once.
func (m *Module) result(ctx context.Context, agent id.User, code string, r TalkResult) error {
	p, l, err := m.held(ctx, agent, code, Reached)
	if err != nil {
		return err
	}
	now := m.now()
	if r.Result != ResultAgain {
		r.Due = 0
	} else if r.Due != 0 && (r.Due < now.UnixMilli() || r.Due > now.Add(againMost).UnixMilli()) {
		return fault.New(fault.Invalid, "outbound.due.wrong").At("due")
	}
	err = m.deps.DB.Tx(ctx, func(tx *store.Tx) error {
		if err := store.Change(ctx, tx, `UPDATE outbound_try SET result = ?, note = ? WHERE contact = ? AND result = ''`, r.Result, r.Note, string(p.contact)); err != nil {
			return err
		}
		if err := m.deps.Facts.Keep(tx, now, l.Site, string(p.contact), string(agent), event.OutboundResulted{
			List: l.Code, Person: p.id, Agent: agent, Result: r.Result, Note: r.Note, Due: r.Due,
		}); err != nil {
			return err
		}
		if err := m.tellsResult(ctx, tx, &p, agent, r); err != nil {
			return err
		}
		if r.Result == ResultNever {
			if err := forbid(ctx, tx, p.number, r.Note, 0, agent, now); err != nil {
				return err
			}
		}
		return m.after(ctx, tx, l, &p, r, now)
	})
	m.nudge()
	m.show(agent)
	return err
}

// after says what becomes of a person by the result of a talk.
func (m *Module) after(ctx context.Context, tx *store.Tx, l List, p *person, r TalkResult, now time.Time) error {
	switch r.Result {
	case ResultAgain, ResultMachine:
		if r.Result == ResultMachine && p.tries >= l.Tries {
			return m.shut(ctx, tx, l, p, Reached, "exhausted", now)
		}
		if r.Result == ResultAgain && p.missed == 1 { // the worklist is done with them, this list is not
			if _, err := store.Exec(ctx, tx, `UPDATE outbound_person SET from_missed = 0 WHERE id = ?`, p.id); err != nil {
				return err
			}
		}
		next := *p
		next.move(Pending, now)
		next.agent, next.how = "", r.Result
		if next.due = r.Due; next.due == 0 {
			next.due = now.Add(gap(l)).UnixMilli()
		}
		if r.Result == ResultAgain && next.tries >= l.Tries {
			next.tries = l.Tries - 1 // who asks to be called is called
		}
		return put(ctx, tx, Reached, p.contact, &next)
	default:
		return m.shut(ctx, tx, l, p, Reached, r.Result, now)
	}
}
