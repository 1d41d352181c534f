package missed

import (
	"context"
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/store"
	"github.com/kapok-hotline/kapok/platform/store/storetest"
)

func code(t *testing.T, err error, want string) {
	t.Helper()
	if fault.CodeOf(err) != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// Row B8: a row has one owner; what comes of calling closes it or puts it off.
func TestRowB8WorkOnARow(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := newHouse(t, db)
		ctx := t.Context()
		h.gaveUp(ann, time.Minute)
		row := h.only(ann).ID
		v, err := h.Give(ctx, row, "1001", "1001", false)
		must(t, err)
		if v.Owner != "1001" || len(h.list(ViewMine)) != 1 {
			t.Errorf("taken by 1001: %+v", v)
		}
		_, err = h.Give(ctx, row, "1002", "1002", false)
		code(t, err, "missed.row.taken")
		_, err = h.Tried(ctx, row, "1002", Outcome{Result: event.TriedReached}, false)
		code(t, err, "missed.row.taken")
		v, err = h.Give(ctx, row, "leader1", "1002", true)
		must(t, err)
		if v.Owner != "1002" {
			t.Errorf("given to 1002 by the leader: %+v", v)
		}

		again := h.clock.Now().Add(26 * time.Hour)
		v, err = h.Tried(ctx, row, "1002", Outcome{Result: event.TriedNoAnswer, Again: again, Note: "关机"}, false)
		must(t, err)
		if v.State != StateOpen || v.Tries != 1 || v.AgainAt != again.UnixMilli() || v.RingDay != "2026-11-24" || v.DueDay != "2026-11-23" || v.Note != "关机" {
			t.Errorf("to be tried again tomorrow: %+v", v)
		}
		if n := len(h.list(ViewDue)); n != 0 {
			t.Errorf("%d are due today", n)
		}
		_, err = h.Tried(ctx, row, "1002", Outcome{Result: event.TriedNoAnswer, Again: h.clock.Now().Add(-time.Hour)}, false)
		code(t, err, "missed.again.when")
		h.gaveUp(ann, time.Minute) // calls by themselves meanwhile, in vain
		if v := h.only(ann); v.AgainAt != 0 || v.RingDay != "2026-11-23" || v.Attempts != 2 || v.Owner != "1002" {
			t.Errorf("who called again is to be rung today: %+v", v)
		}

		for try := 2; try <= 5; try++ {
			v, err = h.Tried(ctx, row, "1002", Outcome{Result: event.TriedNoAnswer}, false)
			must(t, err)
		}
		if v.State != StateGivenUp || v.Tries != 5 {
			t.Errorf("after five tries: %+v", v)
		}
		_, err = h.Tried(ctx, row, "1002", Outcome{Result: event.TriedReached}, false)
		code(t, err, "missed.row.closed")

		for _, how := range []string{event.TriedReached, event.TriedUnwanted, event.TriedWrong} {
			h.gaveUp(bob, time.Minute)
			v, err = h.Tried(ctx, h.only(bob).ID, "1001", Outcome{Result: how}, false)
			must(t, err)
			if v.State != how || v.ClosedAt == 0 {
				t.Errorf("%s: %+v", how, v)
			}
		}
		h.sound()
	})
}

// Two agents take one row at the same moment: one has it.
func TestRowB8OneOwner(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := newHouse(t, db)
		for range 5 {
			h.gaveUp(ann, time.Minute)
			row := h.only(ann).ID
			got := make(chan error, 2)
			for _, u := range []id.User{"1001", "1002"} {
				go func() {
					_, err := h.Give(context.WithoutCancel(t.Context()), row, u, u, false)
					got <- err
				}()
			}
			a, b := <-got, <-got
			if (a == nil) == (b == nil) {
				t.Errorf("both were told the same: %v, %v", a, b)
			}
			h.answered(ann)
		}
		h.sound()
	})
}

// A row nobody works on lapses, and says so.
func TestRowsLapse(t *testing.T) {
	h := newHouse(t, storetest.SQLite(t))
	h.gaveUp(ann, time.Minute)
	h.clock.Advance(6 * 24 * time.Hour)
	must(t, h.tidy(t.Context()))
	if v := h.only(ann); v.State != StateOpen {
		t.Errorf("after six days: %+v", v)
	}
	h.clock.Advance(25 * time.Hour)
	must(t, h.tidy(t.Context()))
	must(t, h.tidy(t.Context()))
	if v := h.only(ann); v.State != StateLapsed {
		t.Errorf("after seven days: %+v", v)
	}
	h.gaveUp(ann, time.Minute)
	if v := h.only(ann); v.State != StateOpen || v.Attempts != 1 {
		t.Errorf("a later call opens a new row: %+v", v)
	}
	h.sound()
}

type dialler struct{ dialled []string }

func (d *dialler) CallOut(_ context.Context, o contact.Outcall) (id.Contact, error) {
	d.dialled = append(d.dialled, string(o.Agent)+" "+o.Number+" "+o.Purpose+" "+o.Ref)
	return "OUT", nil
}

// Calling makes the row the agent's; one that is another's is not called.
func TestRing(t *testing.T) {
	h := newHouse(t, storetest.SQLite(t))
	h.gaveUp(ann, time.Minute)
	row := h.only(ann).ID
	_, _, err := h.Ring(t.Context(), row, "1001", false)
	code(t, err, "missed.call.none")
	d := &dialler{}
	h.deps.Calls = d
	v, c, err := h.Ring(t.Context(), row, "1001", false)
	must(t, err)
	if v.Owner != "1001" || c != "OUT" || len(d.dialled) != 1 || d.dialled[0] != "1001 "+ann+" missed "+row {
		t.Errorf("%+v %s %v", v, c, d.dialled)
	}
	_, _, err = h.Ring(t.Context(), row, "1002", false)
	code(t, err, "missed.row.taken")
	if len(d.dialled) != 1 {
		t.Errorf("dialled %v", d.dialled)
	}
}

// Row B8: a call from the list that nobody answers is a try by what the telephone tells; what the agent writes of it is
// no second one. Who was reached may still be written down when the talk has closed the row.
func TestRowB8CallsFromTheList(t *testing.T) {
	h := newHouse(t, storetest.SQLite(t))
	h.deps.Calls = &dialler{}
	h.gaveUp(ann, time.Minute)
	row := h.only(ann).ID
	_, _, err := h.Ring(t.Context(), row, "1001", false)
	must(t, err)
	call := func(c, result string, out contact.Outcome) {
		h.fact(c, event.ContactStarted{Medium: contact.Phone, Direction: contact.Out, From: ann, To: ann},
			event.CalloutBegun{Agent: "1001", Number: ann, Purpose: Purpose, Ref: row},
			event.CalloutEnded{Agent: "1001", Purpose: Purpose, Ref: row, Result: result}, event.ContactEnded{Outcome: out})
	}
	call("OUT", event.OutBusy, contact.Unreached)
	if v := h.only(ann); v.Tries != 1 || v.Result != event.TriedNoAnswer || v.State != StateOpen {
		t.Errorf("rung in vain: %+v", v)
	}
	v, err := h.Tried(t.Context(), row, "1001", Outcome{Result: event.TriedNoAnswer, Contact: "OUT", Note: "占线"}, false)
	must(t, err)
	if v.Tries != 1 || v.Note != "占线" {
		t.Errorf("what the agent wrote of it: %+v", v)
	}
	call("OUT2", event.OutAgent, contact.Unreached)
	if v := h.only(ann); v.Tries != 1 {
		t.Errorf("a call that never rang at theirs: %+v", v)
	}
	call("OUT3", event.OutAnswered, contact.Answered)
	if v := h.only(ann); v.State != StateReached {
		t.Errorf("reached: %+v", v)
	}
	_, err = h.Tried(t.Context(), row, "1001", Outcome{Result: event.TriedReached, Contact: "OUT2"}, false)
	code(t, err, "missed.row.closed")
	v, err = h.Tried(t.Context(), row, "1001", Outcome{Result: event.TriedUnwanted, Contact: "OUT3", Note: "已在大厅办好"}, false)
	must(t, err)
	if v.State != StateUnwanted || v.Note != "已在大厅办好" {
		t.Errorf("written down afterwards: %+v", v)
	}
	h.sound()
}

// Pain 15 (qpanel#249, #265): who gave up is no percentage alone, but a list whose rows have an owner.
func TestPain15TheAbandonedListIsAWorklist(t *testing.T) {
	h := newHouse(t, storetest.SQLite(t))
	h.gaveUp(ann, time.Minute)
	h.gaveUp(bob, time.Minute)
	_, err := h.Give(t.Context(), h.only(bob).ID, "1001", "1001", false)
	must(t, err)
	all, mine := h.list(ViewDue), h.list(ViewMine)
	if len(all) != 2 || len(mine) != 1 || mine[0].number != bob || mine[0].Owner != "1001" {
		t.Errorf("the list holds %+v, mine are %+v", all, mine)
	}
}
