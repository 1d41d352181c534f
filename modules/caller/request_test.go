package caller

import (
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/ledger/ledgertest"
	"github.com/kapok-hotline/kapok/platform/store"
	"github.com/kapok-hotline/kapok/platform/store/storetest"
)

// code gives a fault's code, "" for none.
func code(err error) string {
	if err == nil {
		return ""
	}
	return fault.CodeOf(err)
}

// From the wish of an agent to the mark, and to its end: two people, a reason, and a day on which it is over.
func TestAMarkTakesTwoAndEnds(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := newHouse(t, db, defaultRules())
		ctx := t.Context()
		c := h.call(ann, "vat", spoke)
		v, err := h.Ask(ctx, c, "1001", " 反复辱骂 ", false)
		must(t, err)
		if _, ok := h.Judge(ann, "12366", "vat", h.clock.Now()); ok {
			t.Error("a wish alone holds")
		}
		_, err = h.Ask(ctx, h.call(ann, "vat", spoke), "1001", "又来", false)
		if code(err) != "caller.request.there" {
			t.Errorf("asked twice: %v", err)
		}
		_, err = h.Approve(ctx, v.ID, "1001", Decision{Do: contact.LimitLast})
		if code(err) != "caller.mark.own" {
			t.Errorf("approved by who asked: %v", err)
		}
		_, err = h.Approve(ctx, v.ID, "leader1", Decision{Do: contact.LimitLast, Days: 400})
		if code(err) != "caller.mark.until" {
			t.Errorf("for longer than a year: %v", err)
		}
		_, err = h.Approve(ctx, v.ID, "leader1", Decision{Do: contact.LimitSkill})
		if code(err) != "caller.mark.skill" {
			t.Errorf("for agents with no skill: %v", err)
		}
		got, err := h.Approve(ctx, v.ID, "leader1", Decision{Do: contact.LimitLast})
		must(t, err)
		if got.State != StateApproved || got.Decided != "leader1" || got.Mark == "" || got.Reason != "反复辱骂" {
			t.Errorf("%+v", got)
		}
		l, ok := h.Judge(ann, "12366", "vat", h.clock.Now())
		if !ok || l.Do != contact.LimitLast || l.Mark != got.Mark {
			t.Errorf("%v %+v", ok, l)
		}
		if _, ok := h.Judge(ann, "12366", "vat", h.clock.Now().Add(30*24*time.Hour)); ok {
			t.Error("thirty days are over, and it holds")
		}
		_, err = h.Approve(ctx, v.ID, "leader2", Decision{Do: contact.LimitMessage})
		if code(err) != "caller.request.decided" {
			t.Errorf("decided twice: %v", err)
		}
		_, err = h.Ask(ctx, h.call(ann, "vat", spoke), "1001", "又来", false)
		if code(err) != "caller.mark.there" {
			t.Errorf("asked of who is marked: %v", err)
		}
		ledgertest.Holds(t, h.l)
		must(t, h.Lift(ctx, got.Mark, "leader2"))
		if _, ok := h.Judge(ann, "12366", "vat", h.clock.Now()); ok {
			t.Error("it is lifted, and it holds")
		}
		if code(h.Lift(ctx, got.Mark, "leader2")) != "caller.mark.none" {
			t.Error("lifted twice")
		}
		must(t, h.tidy(ctx))
		ledgertest.Holds(t, h.l)
	})
}

// What cannot be asked for, and what becomes of a wish nobody grants.
func TestWishes(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := newHouse(t, db, defaultRules())
		ctx := t.Context()
		out := id.New(h.clock.Now())
		h.fact(out, "1001", event.ContactStarted{Medium: contact.Phone, Direction: contact.Out, From: "12366", To: ann}, event.LegStarted{Leg: "L", Role: "agent", Agent: "1001"})
		moved := h.call(ann, "vat", spoke)
		h.fact(string(moved), "", event.ContactQueued{Queue: "tipoff", EnteredAt: 2})
		for _, x := range []struct {
			name string
			c    id.Contact
			by   id.User
			why  string
			any  bool
			want string
		}{
			{"a call that never was", "NONE", "1001", "骚扰", true, "caller.contact.none"},
			{"a call of another agent", h.call(ann, "vat", spoke), "1002", "骚扰", false, "caller.contact.not_yours"},
			{"of another agent, by who sees all", h.call(bob, "vat", spoke), "leader1", "骚扰", true, ""},
			{"a tip-off", h.call(fixd, "tipoff", spoke), "1001", "骚扰", true, "caller.contact.none"},
			{"one that became a tip-off", moved, "1001", "骚扰", false, "caller.contact.none"},
			{"a withheld number", h.call("", "vat", spoke), "1001", "骚扰", false, "caller.contact.withheld"},
			{"a call of ours", id.Contact(out), "1001", "骚扰", false, "caller.contact.withheld"},
			{"without a reason", h.call(ann, "vat", spoke), "1001", "  ", false, "caller.mark.reason"},
			{"with everything", h.call(ann, "vat", spoke), "1001", "骚扰", false, ""},
		} {
			if _, err := h.Ask(ctx, x.c, x.by, x.why, x.any); code(err) != x.want {
				t.Errorf("%s: %v, want %q", x.name, err, x.want)
			}
		}
		open, err := store.All(ctx, db, `SELECT `+requestColumns+` FROM caller_request WHERE state = 'open' ORDER BY id`, scanRequest)
		must(t, err)
		if len(open) != 2 {
			t.Fatalf("%d wishes", len(open))
		}
		if _, err := h.Refuse(ctx, open[0].ID, open[0].Asked, "不妥"); code(err) != "caller.mark.own" {
			t.Errorf("refused by who asked: %v", err)
		}
		got, err := h.Refuse(ctx, open[0].ID, "leader2", "应予耐心解答")
		must(t, err)
		if got.State != StateRefused || got.Note == "" {
			t.Errorf("%+v", got)
		}
		h.clock.Advance(15 * 24 * time.Hour)
		must(t, h.tidy(ctx))
		got, err = h.request(ctx, open[1].ID)
		must(t, err)
		if got.State != StateLapsed {
			t.Errorf("after 15 days nobody decided: %+v", got)
		}
		h.clock.Advance(400 * 24 * time.Hour)
		must(t, h.tidy(ctx))
		if _, err = h.request(ctx, open[1].ID); code(err) != "caller.request.none" {
			t.Errorf("kept for ever: %v", err)
		}
	})
}

// What a mark in a file must have.
func TestMarkChecks(t *testing.T) {
	h := newHouse(t, storetest.SQLite(t), defaultRules())
	whole := Mark{Code: "m", Number: "13900000137", Reason: "辱骂", From: 1, Until: 1 + dayMs, Do: contact.LimitLast, Asked: "1001", Approved: "leader1"}
	for _, x := range []struct {
		name   string
		change func(*Mark)
		want   string
	}{
		{"a whole one", func(*Mark) {}, ""},
		{"its own approver", func(k *Mark) { k.Approved = k.Asked }, "caller.mark.own"},
		{"a year and two days", func(k *Mark) { k.Until = k.From + 367*dayMs }, "caller.mark.until"},
		{"no end", func(k *Mark) { k.Until = 0 }, "caller.mark.until"},
		{"the police", func(k *Mark) { k.Number = "110" }, "caller.number.wrong"},
		{"an extension", func(k *Mark) { k.Number = "8001" }, "caller.number.wrong"},
		{"a whole town", func(k *Mark) { k.Number, k.Begins = "020833", true }, "caller.number.head"},
		{"seven digits of a beginning", func(k *Mark) { k.Number, k.Begins = "0208333", true }, ""},
		{"agents with no skill", func(k *Mark) { k.Do = contact.LimitSkill }, "caller.mark.skill"},
		{"blanks for a reason", func(k *Mark) { k.Reason = "   " }, "caller.mark.reason"},
	} {
		k := whole
		x.change(&k)
		err := h.publish(t.Context(), k, "leader1")
		if code(err) != x.want {
			t.Errorf("%s: %v, want %q", x.name, err, x.want)
		}
	}
}
