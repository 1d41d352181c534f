package missed

import (
	"context"
	"strings"
	"time"

	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/store"
)

// say writes a fact about an open row, or one that ended with the call then, when check finds the row as it should be, and gives the row as it is then. The
// order of the ledger settles who was first: the row is read again afterwards.
func (m *Module) say(ctx context.Context, row string, by id.User, then id.Contact, check func(Row) (event.Body, error)) (Row, error) {
	err := m.deps.DB.Tx(ctx, func(tx *store.Tx) error {
		v, err := m.row(ctx, tx, row)
		if err != nil {
			return err
		}
		if v.State != StateOpen && (then == "" || v.State != StateReached || v.closedBy != string(then)) {
			return fault.New(fault.Conflict, "missed.row.closed", "state", v.State)
		}
		body, err := check(v)
		if err != nil || body == nil {
			return err
		}
		return m.deps.Facts.Keep(tx, m.deps.Clock.Now(), v.Site, row, string(by), body)
	})
	if err != nil {
		return Row{}, err
	}
	return m.row(ctx, m.deps.DB, row)
}

// Give makes the row somebody's: to "" is nobody's. Only with any may it be taken from another.
func (m *Module) Give(ctx context.Context, row string, by, to id.User, any bool) (Row, error) {
	v, err := m.say(ctx, row, by, "", func(v Row) (event.Body, error) {
		if v.Owner == to {
			return nil, nil //nolint:nilnil // it is so already
		}
		if v.Owner != "" && v.Owner != by && !any {
			return nil, m.taken(v)
		}
		return event.MissedOwned{Owner: to, Was: v.Owner}, nil
	})
	if err == nil && v.Owner != to && v.State == StateOpen {
		err = m.taken(v)
	}
	return v, err
}

// taken says that somebody else works on the row.
func (m *Module) taken(v Row) error {
	name := string(v.Owner)
	if m.deps.Names != nil && m.deps.Names.User(v.Owner) != "" {
		name = m.deps.Names.User(v.Owner)
	}
	return fault.New(fault.Conflict, "missed.row.taken", "by", name)
}

// Outcome is what came of calling somebody back.
type Outcome struct {
	Result  string
	Again   time.Time // of no_answer: when to try again; zero: as soon as anybody can
	Note    string
	Contact id.Contact
}

// againMost is how far ahead another try may be put.
const againMost = 14 * 24 * time.Hour

// Tried notes what came of calling somebody back; the row is the caller's then.
func (m *Module) Tried(ctx context.Context, row string, by id.User, o Outcome, any bool) (Row, error) {
	now := m.deps.Clock.Now()
	if !o.Again.IsZero() && (o.Again.Before(now.Add(-time.Minute)) || o.Again.After(now.Add(againMost))) {
		return Row{}, fault.New(fault.Invalid, "missed.again.when", "days", int(againMost.Hours()/24)).At("again_at")
	}
	if _, err := m.Give(ctx, row, by, by, any); err != nil && (o.Contact == "" || fault.CodeOf(err) != "missed.row.closed") {
		return Row{}, err
	}
	return m.say(ctx, row, by, o.Contact, func(v Row) (event.Body, error) {
		if v.Owner != by {
			return nil, m.taken(v)
		}
		t := event.MissedTried{Result: o.Result, Note: strings.TrimSpace(o.Note), Contact: o.Contact}
		if o.Result == event.TriedNoAnswer {
			t.Last = m.lastTry(v, o.Contact)
			if !o.Again.IsZero() && !t.Last {
				t.Again = o.Again.UnixMilli()
			}
		}
		return t, nil
	})
}
