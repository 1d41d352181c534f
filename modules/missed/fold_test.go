package missed

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/store"
	"github.com/kapok-hotline/kapok/platform/store/storetest"
)

const (
	ann  = "013900000137"
	bob  = "013900000138"
	fixd = "02083330000"
)

// Row B8: who is on the list and who is not, way by way.
func TestRowB8WhoIsMissed(t *testing.T) {
	in := func(h *house, from string) string { return h.call(from) }
	ways := []struct {
		name string
		do   func(h *house)
		want []Row // number, kind, queue, attempts
	}{
		{"gave up waiting", func(h *house) { h.gaveUp(ann, 30*time.Second) }, []Row{{number: ann, Kind: Abandoned, Queue: "vat", Attempts: 1}}},
		{"gave up at once: thought better of it", func(h *house) { h.gaveUp(ann, 3*time.Second) }, nil},
		{"gave up at once, then for long", func(h *house) { h.gaveUp(ann, 3*time.Second); h.gaveUp(ann, time.Minute) }, []Row{{number: ann, Kind: Abandoned, Queue: "vat", Attempts: 2}}},
		{"came back and was answered", func(h *house) { h.gaveUp(ann, 30*time.Second); h.answered(ann) }, nil},
		{"came back and gave up again", func(h *house) { h.gaveUp(ann, 30*time.Second); h.gaveUp(ann, time.Minute) }, []Row{{number: ann, Kind: Abandoned, Queue: "vat", Attempts: 2}}},
		{"answered, and missed later", func(h *house) { h.answered(ann); h.gaveUp(ann, 30*time.Second) }, []Row{{number: ann, Kind: Abandoned, Queue: "vat", Attempts: 1}}},
		{"somebody else was answered", func(h *house) { h.gaveUp(ann, 30*time.Second); h.answered(bob) }, []Row{{number: ann, Kind: Abandoned, Queue: "vat", Attempts: 1}}},
		{"one line gave up while their other one was on the way", func(h *house) {
			other := in(h, ann)
			h.gaveUp(ann, 30*time.Second)
			h.fact(other, event.ContactAnswered{Queue: "vat", Agent: "1001"}, event.ContactEnded{Outcome: contact.Answered})
		}, nil},
		{"closed", func(h *house) { h.fact(in(h, ann), event.ContactEnded{Outcome: contact.Turned}) }, []Row{{number: ann, Kind: Turned, Attempts: 1}}},
		{"queue full", func(h *house) {
			c := in(h, ann)
			h.queue(c, "vat", 0)
			h.fact(c, event.ContactExited{Queue: "vat", EnteredAt: 1, Why: "full", Rule: "flow"}, event.ContactEnded{Outcome: contact.Turned})
		}, []Row{{number: ann, Kind: Turned, Queue: "vat", Attempts: 1}}},
		{"belongs to another province", func(h *house) {
			h.fact(in(h, "075583330000"), event.ContactLocated{Area: "0755", Away: true}, event.ContactEnded{Outcome: contact.Turned})
		}, nil},
		{"had what they came for from the machine", func(h *house) { h.fact(in(h, ann), event.ContactEnded{Outcome: contact.Served}) }, nil},
		{"left in the menu", func(h *house) { h.fact(in(h, ann), event.ContactEnded{Outcome: contact.Left}) }, nil},
		{"our fault while they waited", func(h *house) {
			c := in(h, ann)
			h.queue(c, "vat", time.Minute)
			h.fact(c, event.ContactEnded{Outcome: contact.Failed})
		}, []Row{{number: ann, Kind: Failed, Queue: "vat", Attempts: 1}}},
		{"the process died while they waited", func(h *house) {
			c := in(h, ann)
			h.queue(c, "vat", time.Minute)
			h.fact(c, event.ContactLost{LastHeard: h.clock.Now().UnixMilli()})
		}, []Row{{number: ann, Kind: Failed, Queue: "vat", Attempts: 1}}},
		{"the process died while they talked", func(h *house) {
			c := in(h, ann)
			h.queue(c, "vat", time.Minute)
			h.fact(c, event.ContactAnswered{Queue: "vat", Agent: "1001"}, event.ContactLost{LastHeard: h.clock.Now().UnixMilli()})
		}, nil},
		{"the process died after it promised a call", func(h *house) {
			c := in(h, ann)
			h.queue(c, "vat", time.Minute)
			h.fact(c, event.CallbackAsked{Callback: "CB1", Queue: "vat", Number: ann}, event.ContactExited{Queue: "vat", EnteredAt: 1, Why: "callback", Rule: "callback"},
				event.ContactLost{LastHeard: h.clock.Now().UnixMilli()})
		}, nil},
		{"the process died in the menu", func(h *house) { h.fact(in(h, ann), event.ContactLost{}) }, nil},
		{"left a message", func(h *house) {
			c := in(h, ann)
			h.queue(c, "vat", time.Minute)
			h.fact(c, event.ContactExited{Queue: "vat", EnteredAt: 1, Why: "max_wait", Rule: "flow"}, event.VoicemailLeft{Recording: "REC1", Queue: "vat"}, event.ContactEnded{Outcome: contact.Turned})
		}, []Row{{number: ann, Kind: Message, Queue: "vat", Attempts: 1, Message: "REC1"}}},
		{"was promised a call that never came, at another number", func(h *house) {
			c := in(h, ann)
			h.queue(c, "vat", time.Minute)
			h.fact(c, event.CallbackAsked{Callback: "CB1", Queue: "vat", Number: fixd, Keyed: true}, event.ContactEnded{Outcome: contact.Promised},
				event.CallbackEnded{Callback: "CB1", Queue: "vat", How: event.BackGaveUp, Tries: 3})
		}, []Row{{number: fixd, Kind: Unkept, Queue: "vat", Attempts: 1}}},
		{"… and then called from the first number and was answered", func(h *house) {
			c := in(h, ann)
			h.fact(c, event.CallbackAsked{Callback: "CB1", Queue: "vat", Number: fixd, Keyed: true}, event.ContactEnded{Outcome: contact.Promised},
				event.CallbackEnded{Callback: "CB1", Queue: "vat", How: event.BackGaveUp})
			h.answered(ann)
		}, nil},
		{"was promised a call and got it", func(h *house) {
			c := in(h, ann)
			h.fact(c, event.CallbackAsked{Callback: "CB1", Queue: "vat", Number: ann}, event.ContactEnded{Outcome: contact.Promised},
				event.CallbackEnded{Callback: "CB1", Queue: "vat", How: event.BackReached})
		}, nil},
		{"called by us and reached", func(h *house) {
			h.gaveUp(ann, time.Minute)
			c := id.New(h.clock.Now())
			h.fact(c, event.ContactStarted{Medium: contact.Phone, Direction: contact.Out, From: "12366", To: "13900000137"}, event.ContactEnded{Outcome: contact.Answered})
		}, nil},
		{"called by us and not reached", func(h *house) {
			h.gaveUp(ann, time.Minute)
			c := id.New(h.clock.Now())
			h.fact(c, event.ContactStarted{Medium: contact.Phone, Direction: contact.Out, From: "12366", To: "13900000137"}, event.ContactEnded{Outcome: contact.Unreached})
		}, []Row{{number: ann, Kind: Abandoned, Queue: "vat", Attempts: 1}}},
		{"withheld: nobody can call them", func(h *house) { h.gaveUp("", time.Minute) }, nil},
		{"a tip-off: on no list", func(h *house) {
			c := in(h, ann)
			h.queue(c, "tipoff", time.Minute)
			h.fact(c, event.ContactAbandoned{Queue: "tipoff", WaitMs: 60_000}, event.ContactEnded{Outcome: contact.Abandoned})
		}, nil},
		{"wrote a chat that nobody took", func(h *house) {
			h.fact("CHAT", event.ContactStarted{Medium: contact.Chat, Direction: contact.In, From: "visitor"}, event.ContactEnded{Outcome: contact.Abandoned})
		}, nil},
	}
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := newHouse(t, db)
		for _, w := range ways {
			w.do(h)
			var got []Row
			for _, r := range h.list(ViewOpen) {
				got = append(got, Row{number: r.number, Kind: r.Kind, Queue: r.Queue, Attempts: r.Attempts, Message: r.Message})
			}
			if d := cmp.Diff(w.want, got, cmp.AllowUnexported(Row{}), cmpopts.EquateEmpty()); d != "" {
				t.Errorf("%s (-want +got):\n%s", w.name, d)
			}
			h.sound()
			for _, n := range []string{ann, bob, fixd} { // the next way begins with nobody on the list
				h.answered(n)
			}
			if left := h.list(ViewOpen); len(left) > 0 {
				t.Fatalf("%s: %+v stay open", w.name, left)
			}
		}
	})
}

// Row B8: the list is the same after a crash, and when it is built anew from the ledger.
func TestRowB8TheListIsTheLedger(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := newHouse(t, db)
		h.gaveUp(ann, time.Minute)
		h.gaveUp(bob, time.Minute)
		late := h.call(fixd)
		h.queue(late, "vat", time.Minute)
		_, err := h.Give(t.Context(), h.only(ann).ID, "1001", "1001", false)
		must(t, err)
		_, err = h.Tried(t.Context(), h.only(ann).ID, "1001", Outcome{Result: event.TriedNoAnswer, Again: h.clock.Now().Add(time.Hour), Note: "占线"}, false)
		must(t, err)
		before := h.list(ViewOpen)

		h = h.again()
		if d := cmp.Diff(before, h.list(ViewOpen), cmp.AllowUnexported(Row{})); d != "" {
			t.Errorf("after a crash (-before +after):\n%s", d)
		}
		h.fact(late, event.ContactLost{LastHeard: h.clock.Now().UnixMilli()})
		h.answered(bob)
		if r := h.only(bob); r.State != StateCameBack || r.ClosedAt == 0 {
			t.Errorf("redial recognition after a crash: %+v", r)
		}
		if r := h.only(fixd); r.State != StateOpen || r.Kind != Failed {
			t.Errorf("a caller lost with the process: %+v", r)
		}
		h.sound()

		all := func() []Row { return append(h.list(ViewOpen), h.list(ViewClosed)...) }
		was := all()
		must(t, h.l.Rebuild(t.Context(), "missed"))
		if d := cmp.Diff(was, all(), cmp.AllowUnexported(Row{})); d != "" {
			t.Errorf("built anew (-was +is):\n%s", d)
		}
		h.sound()
	})
}
