package voice

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/core/span"
	"github.com/kapok-hotline/kapok/engine/flow"
	"github.com/kapok-hotline/kapok/engine/screen"
	"github.com/kapok-hotline/kapok/platform/store"
)

// etax is a house with the line 12365: a menu of three keys leads to the queue etax, which is sorted into three.
type etax struct {
	*house
	asked  []Asked
	failed error
	closed id.Queue
}

func (e *etax) Known(q id.Queue) bool { return q != "none" }
func (e *etax) Open(q id.Queue) bool  { return q != e.closed }
func (e *etax) Asked(context.Context, string, time.Time, int) ([]Asked, error) {
	return e.asked, e.failed
}

func newEtax(t *testing.T, least float64) *etax {
	t.Helper()
	e := &etax{house: newHouse(t)}
	e.deps.Queues, e.deps.Callers = e, e
	none := 0
	set := func(k screen.Kind) flow.Node {
		return flow.Node{ID: string(k), Kind: flow.SetKind, Set: map[string]string{varKeyed: string(k)}, Next: "q"}
	}
	body, err := json.Marshal(flow.Graph{Code: "etax", Start: "menu", Nodes: []flow.Node{
		{
			ID: "menu", Kind: flow.MenuKind, Prompts: []string{"beep"}, First: span.Span(time.Second), Retries: &none, Timeout: "q", Invalid: "q",
			Keys: []flow.Key{{Key: "1", To: "fault"}, {Key: "2", To: "operation"}, {Key: "3", To: "policy"}},
		},
		set(screen.Fault), set(screen.Operation), set(screen.Policy),
		{ID: "q", Kind: flow.QueueKind, Queue: "etax", Priority: 2, Needs: []flow.Need{{Skill: "etax", Level: 1}}},
	}})
	must(t, err)
	ctx, db := t.Context(), e.deps.DB
	_, err = store.Exec(ctx, db, `INSERT INTO voice_flow (code, version, at, body) VALUES ('etax', 1, 0, ?)`, string(body))
	must(t, err)
	must(t, numberTable.Put(ctx, db, "12365", Number{Code: "12365", Site: "gz", Flow: "etax"}))
	must(t, screeningTable.Put(ctx, db, "etax", Screening{Queue: "etax", Fault: "etax-fault", Operation: "etax-operation", Policy: "etax-policy", Least: least}))
	must(t, e.reload(ctx))
	return e
}

// fact gives the newest fact of a type.
func newest[T event.Body](h *house) (b T) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, f := range h.facts {
		if x, ok := f.body.(T); ok {
			b = x
		}
	}
	return b
}

// Row A6: a line of its own sorts its callers by the key and by what they came for before; who cannot be sorted waits in
// the line's own queue.
func TestRowA6Line(t *testing.T) {
	before := func(q id.Queue, question string) []Asked {
		return []Asked{{At: time.Now().Add(-24 * time.Hour), Queue: q, Question: question}}
	}
	for _, x := range []struct {
		name   string
		key    byte // 0: none
		asked  []Asked
		failed error
		closed id.Queue
		least  float64
		want   id.Queue
		from   string // of the heaviest reason
	}{
		{name: "a key", key: '3', want: "etax-policy", from: "menu"},
		{name: "nothing is known", want: "etax"},
		{name: "an earlier contact of the line", asked: before("etax-fault", "申报提交报错"), want: "etax-fault", from: "history"},
		{name: "an earlier contact elsewhere, by its question", asked: before("vat", "小规模纳税人税率是多少"), want: "etax-policy", from: "history"},
		{name: "the history cannot be had", key: '1', failed: errors.New("down"), want: "etax-fault", from: "menu"},
		{name: "not sure enough", key: '1', least: 0.99, want: "etax", from: "menu"},
		{name: "the queue chosen is closed", key: '1', closed: "etax-fault", want: "etax", from: "menu"},
	} {
		t.Run(x.name, func(t *testing.T) {
			e := newEtax(t, x.least)
			e.asked, e.failed, e.closed = x.asked, x.failed, x.closed
			caller := e.line()
			caller.Call = caller.NewCall("sip:12365@" + e.sip.Addr("udp").String())
			caller.Establish(caller.sdp(), "P-Asserted-Identity: <sip:13900000137@carrier.example>")
			caller.connect(caller.Answer_.Body)
			if x.key != 0 {
				e.has("contact.stepped", 1)
				caller.press(x.key)
			}
			w := e.waits(1)
			if e.queued() != x.want || w.Priority != 2 || w.Keep || !w.Since.Equal(w.At) {
				t.Errorf("entered %s with %+v, want %s", e.queued(), w, x.want)
			}
			e.has("contact.screened", 1)
			f := newest[event.ContactScreened](e.house)
			if f.Line != "etax" || f.Queue != x.want || len(f.Queues) != 3 {
				t.Errorf("%+v", f)
			}
			if x.from == "" && len(f.Reasons) != 0 || x.from != "" && (len(f.Reasons) == 0 || f.Reasons[0].From != x.from) {
				t.Errorf("reasons %+v, want %s", f.Reasons, x.from)
			}
			caller.Request("BYE", "")
			e.ends(contact.ByCaller, contact.Abandoned)
		})
	}
}

// Row A6: who was sorted wrongly is moved by one action and keeps the place; only within the line, and never into a
// queue that is closed.
func TestRowA6Moved(t *testing.T) {
	e := newEtax(t, 0)
	agent := e.phone("8001")
	caller := e.call("12365")
	e.has("contact.stepped", 1)
	caller.press('1')
	first := e.waits(1)
	done := e.offer(t.Context(), "8001", "a1")
	agent.lift()
	must(t, <-done)
	ctx, c := t.Context(), e.contact()
	move := func(to string) error { return e.Transfer(ctx, c, "a1", contact.Target{Kind: contact.ToLine, Code: to}) }
	e.closed = "etax-operation"
	for to, want := range map[string]string{
		"vat": "voice.line.other", "etax-fault": "voice.line.here", "etax-operation": "voice.line.closed",
	} {
		if err := move(to); fault.CodeOf(err) != want {
			t.Errorf("to %s: %v, want %s", to, err, want)
		}
	}
	must(t, move("etax-policy"))
	agent.Expect("BYE")
	w := e.waits(2)
	if e.queued() != "etax-policy" || !w.Since.Equal(first.At) || !w.At.After(first.At) || !w.Keep || w.First {
		t.Errorf("moved to %s with %+v; it had entered with %+v", e.queued(), w, first)
	}
	if w.Priority != first.Priority || len(w.Needs) != 1 {
		t.Errorf("moved with %+v; it had entered with %+v", w, first)
	}
	moved := event.ContactMoved{Agent: "a1", Line: "etax", From: "etax-fault", To: "etax-policy", As: "policy", Since: first.At.UnixMilli()}
	if f := newest[event.ContactMoved](e.house); f != moved {
		t.Errorf("%+v, want %+v", f, moved)
	}
	if f := newest[event.ContactTransferred](e.house); f.To != (contact.Target{Kind: contact.ToQueue, Code: "etax-policy"}) {
		t.Errorf("%+v", f)
	}
	caller.Request("BYE", "")
	e.ends(contact.ByCaller, contact.Answered)
}

// A call of no line is not moved: only a line keeps a place.
func TestNoLineNoMove(t *testing.T) {
	h := newHouse(t)
	caller, _, _ := h.talk()
	err := h.Transfer(t.Context(), h.contact(), "a1", contact.Target{Kind: contact.ToLine, Code: "iit"})
	if fault.CodeOf(err) != "voice.line.none" {
		t.Error(err)
	}
	caller.Request("BYE", "")
	h.ends(contact.ByCaller, contact.Answered)
}
