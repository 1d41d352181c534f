package report

import (
	"context"
	"strings"
	"testing"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/modules/report/reporttest"
	"github.com/kapok-hotline/kapok/platform/store"
	"github.com/kapok-hotline/kapok/platform/store/storetest"
)

// alive says every contact is, but for one.
type alive struct{ but id.Contact }

func (a alive) Alive(_ context.Context, contacts []id.Contact) (map[id.Contact]bool, error) {
	out := map[id.Contact]bool{}
	for _, c := range contacts {
		out[c] = c != a.but
	}
	return out, nil
}

// A sound history breaks no law; each of these breaks exactly the one it is about, and is named.
func TestInvariants(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ghost := id.Contact("01GHOST0000000000000000000")
		h := open(t, db, reporttest.Options{Seed: 8, From: firstDay, Days: 2, Calls: 120, Agents: 5, Queues: 4, Cut: true},
			func(d *Deps) { d.Presence = alive{but: ghost} })
		checkInvariants(t, h)
		now := h.clock.Now().UnixMilli()
		for _, c := range []struct {
			law  string
			harm func(subject string)
		}{
			{"report.ends", func(s string) {
				h.append(t, s, "gz", event.ContactStarted{Medium: contact.Phone, Direction: contact.In}, event.ContactEnded{Outcome: contact.Left},
					event.ContactEnded{Outcome: contact.Left})
			}},
			{"report.legs", func(s string) {
				h.append(t, s, "gz", event.ContactStarted{Medium: contact.Phone, Direction: contact.In},
					event.LegStarted{Leg: id.Leg(s + "-leg"), Role: "caller"}, event.ContactEnded{Outcome: contact.Left})
			}},
			{"report.winner", func(s string) {
				h.append(t, s, "gz", event.ContactStarted{Medium: contact.Phone, Direction: contact.In},
					event.ContactQueued{Queue: "vat", EnteredAt: now, First: true},
					event.ContactAnswered{Queue: "vat", Agent: "1001", EnteredAt: now}, event.ContactAnswered{Queue: "vat", Agent: "1002", EnteredAt: now},
					event.ContactEnded{Outcome: contact.Answered})
			}},
			{"report.talk", func(s string) { // the agent of pain 8: billed for an hour after the leg ended
				h.append(t, s, "gz", event.LegEnded{Leg: id.Leg(s + "-leg"), Role: "agent", Agent: "9999", TalkMs: 60_000})
				h.append(t, "9999", "gz", event.AgentChanged{State: event.Ready, Was: event.Talking, Contact: id.Contact(s), WasMs: 3_600_000, WasSince: now - 3_600_000})
			}},
		} {
			subject := "01BROKEN" + strings.ToUpper(strings.ReplaceAll(c.law, "report.", ""))
			c.harm(subject)
			breaks(t, h, c.law, subject)
		}
		h.append(t, "8888", "gz", event.AgentSignedIn{}, event.AgentChanged{State: event.Ready, Was: event.Away, WasMs: 500, WasSince: now - 500},
			event.AgentSignedOut{Ms: 60_000})
		breaks(t, h, "report.states", "8888")
		h.append(t, string(ghost), "gz", event.ContactStarted{Medium: contact.Phone, Direction: contact.In})
		breaks(t, h, "report.presence", string(ghost))
		tamper(t, db, `UPDATE report_queue SET answered = answered + 1 WHERE day = '2026-11-02' AND queue = 'vat' AND slot = 40`)
		breaks(t, h, "report.recount", "queue 2026-11-02 40 gz|phone|vat||||")
		breaks(t, h, "report.rates", "2026-11-02")
	})
}

func breaks(t *testing.T, h *house, law, subject string) {
	t.Helper()
	for _, inv := range h.Invariants() {
		if inv.Name != law {
			continue
		}
		found, err := inv.Check(t.Context(), h.db)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range found {
			if strings.HasPrefix(b.Subject, subject) {
				return
			}
		}
		t.Errorf("%s does not name %s: %v", law, subject, found)
		return
	}
	t.Errorf("there is no law %s", law)
}

func tamper(t *testing.T, db *store.DB, text string) {
	t.Helper()
	if err := store.Change(t.Context(), db, text); err != nil {
		t.Fatal(err)
	}
}
