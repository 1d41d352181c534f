package outbound

import (
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/store"
	"github.com/kapok-hotline/kapok/platform/store/storetest"
	"github.com/kapok-hotline/kapok/platform/web/webtest"
)

// Preview: next, dial or skip, result; two agents never look at one person; what the agent says decides what becomes of
// the person.
func TestOutboundPreview(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := newHouse(t, db)
		numbers := []string{"013800000001", "013800000002"}
		h.begins(visit(Preview), numbers...)
		a, b := h.b.As("agent", webtest.At("gz"), webtest.User("1001")), h.b.As("agent", webtest.At("gz"), webtest.User("1002"))
		page := func(c *webtest.Client, path string, body any) (m MyOutbound) {
			t.Helper()
			if path == "" {
				c.Get("/api/v1/outbound/mine").OK().Into(&m)
			} else {
				c.Post("/api/v1/outbound/mine"+path, body).OK().Into(&m)
			}
			return m
		}
		none := map[string]any{}
		one := page(a, "/next", none).Cards[0]
		if one.State != Shown || one.Number != "138****0001" || one.Try != 1 || one.Script != "您好" || one.Tries != 2 {
			t.Errorf("the card shows %+v", one)
		}
		if again := page(a, "/next", none).Cards; len(again) != 1 || again[0].ID != one.ID {
			t.Errorf("asked again it is %+v", again)
		}
		two := page(b, "/next", none).Cards[0]
		if two.ID == one.ID {
			t.Fatal("two agents look at one person")
		}
		b.Post("/api/v1/outbound/mine/"+one.ID+"/dial", nil).Fails(409, "outbound.card.gone")
		if m := page(b, "/"+two.ID+"/skip", map[string]any{"why": "资料不全"}); len(m.Cards) != 0 {
			t.Errorf("skipped, and there is %+v", m.Cards)
		}
		b.Post("/api/v1/outbound/mine/next", none).Fails(404, "outbound.nobody")

		if c := page(a, "/"+one.ID+"/dial", nil).Cards[0]; c.State != Calling {
			t.Errorf("dialled, and it is %s", c.State)
		}
		e := h.one()
		if e.Agent != "1001" || e.Number != numbers[0] || e.RingS != 40 {
			t.Errorf("sent %+v", e)
		}
		a.Post("/api/v1/outbound/mine/"+one.ID+"/result", map[string]any{"result": "done"}).Fails(409, "outbound.card.gone")
		h.talks(e)
		if c := page(a, "", nil).Cards[0]; c.State != Reached || c.Contact != e.Contact {
			t.Errorf("reached, and it is %+v", c)
		}
		h.clock.Advance(3 * time.Minute)
		h.ends(e, event.OutAnswered, "")
		a.Post("/api/v1/outbound/mine/"+one.ID+"/result", map[string]any{"result": "again", "due": 1}).Fails(422, "outbound.due.wrong")
		due := h.now().Add(2 * time.Hour).UnixMilli()
		if m := page(a, "/"+one.ID+"/result", map[string]any{"result": "again", "due": due, "note": "下午再打"}); len(m.Cards) != 0 {
			t.Errorf("said, and there is %+v", m.Cards)
		}
		if p := h.person(numbers[0]); p.state != Pending || p.due != due {
			t.Errorf("stands %+v", p)
		}
		h.clock.Advance(2 * time.Hour)
		again := page(a, "/next", map[string]any{"list": "visit"}).Cards[0]
		h.clock.Advance(time.Second)
		if again.ID == two.ID { // due earlier
			again = page(b, "/next", none).Cards[0]
		}
		if again.Try != 2 || len(again.Last) != 1 || again.Last[0].Result != "again" || again.Last[0].Note != "下午再打" {
			t.Errorf("the second attempt shows %+v", again)
		}
		h.sound()
	})
}

// What becomes of a person by the result.
func TestOutboundResults(t *testing.T) {
	for _, x := range []struct {
		result string
		tries  int // that were made before
		state  State
		how    string
		never  bool
	}{
		{ResultDone, 0, Closed, "done", false},
		{ResultRefused, 0, Closed, "refused", false},
		{ResultWrong, 0, Closed, "wrong", false},
		{ResultNever, 0, Closed, "never", true},
		{ResultMachine, 0, Pending, "machine", false},
		{ResultMachine, 1, Closed, "exhausted", false},
		{ResultAgain, 0, Pending, "again", false},
		{ResultAgain, 1, Pending, "again", false},
	} {
		h := newHouse(t, storetest.SQLite(t))
		const number = "013800000001"
		h.begins(visit(Preview), number)
		_, err := store.Exec(t.Context(), h.deps.DB, `UPDATE outbound_person SET tries = ?`, x.tries)
		must(t, err)
		must(t, h.nextFor(t.Context(), "1001", ""))
		p := h.person(number)
		must(t, h.dial(t.Context(), "1001", p.id))
		e := h.one()
		h.talks(e)
		h.ends(e, event.OutAnswered, "")
		must(t, h.result(t.Context(), "1001", p.id, TalkResult{Result: x.result}))
		h.stands(number, x.state, x.how)
		if never, _ := h.never(t.Context(), h.deps.DB, number, h.now()); never != x.never {
			t.Errorf("%s: among those not called: %v", x.result, never)
		}
		fails(t, h.result(t.Context(), "1001", p.id, TalkResult{Result: x.result}), "outbound.card.gone")
		h.clock.Advance(40 * time.Minute)
		err = h.nextFor(t.Context(), "1002", "")
		if x.state == Pending {
			must(t, err)
		} else {
			fails(t, err, "outbound.nobody")
		}
		h.sound()
	}
}

// Why an agent is shown nobody.
func TestOutboundNobodyToShow(t *testing.T) {
	h := newHouse(t, storetest.SQLite(t))
	l := visit(Preview)
	h.begins(l, "013800000001")
	h.waiting = 2
	fails(t, h.nextFor(t.Context(), "1001", ""), "outbound.callers.wait")
	h.waiting = 0
	for _, agent := range []id.User{"1009", "2001"} { // another skill, another site
		fails(t, h.nextFor(t.Context(), agent, ""), "outbound.nobody")
	}
	h.clock.Advance(9 * time.Hour)
	fails(t, h.nextFor(t.Context(), "1001", ""), "outbound.shut.hours")
}

// Who calls in is not called in the same moment; once an agent has answered them they are called no more, but on lists
// that go on all the same.
func TestOutboundCallsIn(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := newHouse(t, db)
		numbers := []string{"013800000001", "013800000002", "013800000003"}
		h.begins(visit(Progressive), numbers...)
		keep := visit(Progressive)
		keep.Code, keep.KeepOn, keep.Priority = "keep", true, -1
		h.begins(keep, "013800000004")
		h.staff("1001")
		h.look()
		e := h.one()
		h.dials(e)
		h.calls("01IN1", numbers[0], false)
		if len(h.stopped) != 1 || h.stopped[0] != string(e.Contact)+" called_in" {
			t.Fatalf("stopped: %v", h.stopped)
		}
		h.ends(e, event.OutFailed, "called_in")
		h.stands(numbers[0], Pending, "called_in")
		h.calls("01IN2", numbers[1], true)
		h.stands(numbers[1], Closed, "called_in")
		h.calls("01IN3", numbers[2], false)
		h.calls("01IN4", "013800000004", true)
		h.stands("013800000004", Pending, "")
		h.calls("01IN5", "013999999999", true)
		h.staff("1001", "1002", "1003", "1004")
		h.look()
		if sent := h.taken(); len(sent) != 0 {
			t.Errorf("%d are called who have just called", len(sent))
		}
		h.clock.Advance(31 * time.Minute)
		h.staff("1001", "1002", "1003", "1004")
		h.look()
		if sent := h.taken(); len(sent) != 3 {
			t.Errorf("%d are called later, want 3", len(sent))
		}
		h.sound()
	})
}
