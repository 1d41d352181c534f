package voice

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/platform/store"
)

// A process dies while it writes of a promise: the next one mends it. Whoever was reached is not called again.
func TestRowB5WhatADeadProcessLeftIsMended(t *testing.T) {
	h := newHouse(t)
	asked := func(c string) event.Body { return event.CallbackAsked{Callback: c, Queue: "vat", Number: "0139"} }
	reached := func(c string) event.Body { return event.CallbackReached{Callback: c, Try: 1} }
	ended := func(c, how string) event.Body { return event.CallbackEnded{Callback: c, Queue: "vat", How: how} }
	for n, x := range []struct {
		name  string
		state string // of the row
		facts []event.Body
		law   string // that is broken
		said  string // by the mender
		left  string // state afterwards
	}{
		{"whole and open", "open", []event.Body{asked("CB0")}, "", "", "open"},
		{"whole and over", "reached", []event.Body{asked("CB1"), reached("CB1"), ended("CB1", "reached")}, "", "", "reached"},
		{"the row alone: it was promised", "open", nil, "not told once that it was asked for", "callback.asked ", "open"},
		{"reached, and still in the book", "open", []event.Body{asked("CB3"), reached("CB3")}, "kept, and it is open", "callback.ended reached ", "reached"},
		{"its end is told, and it is open", "open", []event.Body{asked("CB4"), ended("CB4", "came_back")}, "its end is told, and it is open", "", "came_back"},
		{"an agent was faster than the promise", "dropped", nil, "", "", "dropped"},
		{"over, and its end is not told", "gave_up", []event.Body{asked("CB6")}, "over, and its end is not told", "callback.ended gave_up ", "gave_up"},
	} {
		t.Run(x.name, func(t *testing.T) {
			callback := fmt.Sprintf("CB%d", n)
			at := time.Now().Add(-time.Hour)
			_, err := store.Exec(t.Context(), h.deps.DB, `INSERT INTO voice_callback (id, node, contact, queue, entered_at, since, site, line, number, caller, lang, priority,
				needs, asked_at, due_at, tries, most, every_ms, state, ended_at) VALUES (?, '', ?, 'vat', 1, 1, 'gz', '', ?, '', '', 0, '[]', ?, 0, 0, 3, 1, ?, 0)`,
				callback, "C"+callback, "0139"+callback, at.UnixMilli(), x.state)
			must(t, err)
			for _, b := range x.facts {
				body, err := json.Marshal(b)
				must(t, err)
				_, err = store.Exec(t.Context(), h.deps.DB, `INSERT INTO ledger_fact (seq, id, node, at, day, slot, kind, subject, actor, place, body)
					VALUES ((SELECT COUNT(*) + 1 FROM ledger_fact), ?, '', ?, ?, 0, ?, ?, '', '', ?)`,
					fmt.Sprint(callback, b.Kind(), len(body)), at.UnixMilli(), at.UTC().Format(time.DateOnly), b.Kind(), "C"+callback, string(body))
				must(t, err)
			}
			law := ""
			found, err := h.checkCallbacks(t.Context(), h.deps.DB)
			must(t, err)
			for _, b := range found {
				if b.Subject == callback {
					law = fmt.Sprint(b.Params["what"])
				}
			}
			if law != x.law {
				t.Errorf("the law says %q, want %q", law, x.law)
			}
			must(t, h.callbacks.mend(t.Context()))
			said := ""
			h.mu.Lock()
			for _, f := range h.facts {
				if f.contact == "C"+callback {
					said += f.body.Kind() + " "
					if b, ok := f.body.(event.CallbackEnded); ok {
						said += b.How + " "
					}
				}
			}
			h.mu.Unlock()
			state, err := store.One(t.Context(), h.deps.DB, `SELECT state FROM voice_callback WHERE id = ?`, store.Col[string], callback)
			must(t, err)
			if said != x.said || state != x.left {
				t.Errorf("mended by %q to %s, want %q and %s", said, state, x.said, x.left)
			}
		})
	}
}
