package outbound

import (
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/platform/store"
	"github.com/kapok-hotline/kapok/platform/store/storetest"
)

// Who answers is listened to where a progressive list says so, and nowhere else.
func TestOutboundMachineIsAskedFor(t *testing.T) {
	for _, x := range []struct {
		name   string
		change func(*List)
		want   *contact.Machine
	}{
		{"by default nobody listens", func(*List) {}, nil},
		{"hang up", func(l *List) { l.Machine = "hang_up" }, &contact.Machine{}},
		{"a prompt is for messages", func(l *List) { l.Machine, l.MachinePrompt = "hang_up", "sorry" }, &contact.Machine{}},
		{"leave a message", func(l *List) { l.Machine, l.MachinePrompt, l.GreetingS = "message", "sorry", 4 }, &contact.Machine{Prompt: "sorry", GreetingS: 4}},
		{"who looks and dials hears for themselves", func(l *List) { l.Mode, l.Machine = Preview, "hang_up" }, nil},
	} {
		l := visit(Progressive)
		x.change(&l)
		if got := l.machine(); (got == nil) != (x.want == nil) || got != nil && *got != *x.want {
			t.Errorf("%s: %+v", x.name, got)
		}
	}
}

// A machine that was heard is an attempt like one nobody answered: called again after the list's usual time, and counted
// apart in the figures.
func TestOutboundMachineIsHeard(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := newHouse(t, db)
		const number = "013800000001"
		l := visit(Progressive)
		l.Machine = "hang_up"
		h.begins(l, number)
		for n, want := range []State{Pending, Closed} {
			h.staff("1001")
			h.look()
			o := h.one()
			if o.Machine == nil {
				t.Fatal("nobody is asked to listen")
			}
			h.dials(o)
			h.says(o.Contact, false, event.CalloutHeard{Agent: o.Agent, Purpose: o.Purpose, Ref: o.Ref, Who: "machine", Why: "beep", Ms: 900})
			h.ends(o, event.OutMachine, "")
			if p := h.person(number); p.state != want || p.tries != n+1 {
				t.Errorf("after a machine: %s, %d tries", p.state, p.tries)
			}
			h.clock.Advance(31 * time.Minute)
		}
		f, err := h.figures(t.Context(), "list", "2026-11-23", "2026-11-23", "gz")
		must(t, err)
		if f.Total.Dialled != 2 || f.Total.Machine != 2 || f.Total.Reached != 0 || *f.Total.Rate != 0 {
			t.Errorf("the report says %+v", f.Total)
		}
		h.sound()
	})
}
