package voice

import (
	"sync"
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/engine/flow"
	"github.com/kapok-hotline/kapok/platform/store"
)

// manners holds the one rule of a test, and who was judged.
type manners struct {
	mu    sync.Mutex
	limit *contact.Limit
	asked []string
}

func (m *manners) Judge(caller string, number id.Number, queue id.Queue, _ time.Time) (contact.Limit, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.asked = append(m.asked, caller+" "+string(number)+" "+string(queue))
	if m.limit == nil {
		return contact.Limit{}, false
	}
	return *m.limit, true
}

func (m *manners) judged() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.asked)
}

// Judge asks the rule of the test.
func (h *house) Judge(caller string, number id.Number, queue id.Queue, at time.Time) (contact.Limit, bool) {
	h.mu.Lock()
	rules := h.rules
	h.mu.Unlock()
	if rules == nil {
		return contact.Limit{}, false
	}
	return rules.Judge(caller, number, queue, at)
}

// holds has a rule hold from now on.
func (h *house) holds(m *manners) *manners {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.rules = m
	return m
}

// from calls a number of ours by the trunk, with a number shown.
func (h *house) from(caller, number string) *line {
	h.t.Helper()
	l := h.line()
	l.Call = l.NewCall("sip:" + number + "@" + h.sip.Addr("udp").String())
	l.Establish(l.sdp(), "P-Asserted-Identity: <sip:"+caller+"@ct>")
	l.connect(l.Answer_.Body)
	return l
}

// What a rule about callers does with a call at the moment it asks for an agent.
func TestLimitedCallers(t *testing.T) {
	mark := func(do string) *contact.Limit {
		return &contact.Limit{By: contact.LimitMark, Do: do, Mark: "m1", Prompt: "beep"}
	}
	skilled := mark(contact.LimitSkill)
	skilled.Skill = "patience"
	for _, x := range []struct {
		name     string
		limit    *contact.Limit
		priority int
		needs    []flow.Need
	}{
		{"nothing", nil, 0, nil},
		{"behind others", mark(contact.LimitLast), contact.LimitPoints, nil},
		{"to agents with a skill", skilled, 0, []flow.Need{{Skill: "patience"}}},
		{"a word to the agent", mark(contact.LimitNotice), 0, nil},
	} {
		t.Run(x.name, func(t *testing.T) {
			h := newHouse(t)
			rules := h.holds(&manners{limit: x.limit})
			l := h.from(mobile, "12367")
			w := h.waits(1)
			if w.Priority != x.priority || len(w.Needs) != len(x.needs) || len(w.Needs) > 0 && w.Needs[0] != x.needs[0] {
				t.Errorf("waits with %d and %v", w.Priority, w.Needs)
			}
			if got := said[event.ContactLimited](h); len(got) != min(1, map[bool]int{true: 0, false: 1}[x.limit == nil]) {
				t.Errorf("told: %+v", got)
			}
			if rules.judged() != 1 || rules.asked[0] != "0"+mobile+" 12367 vat" {
				t.Errorf("judged: %v", rules.asked)
			}
			l.Request("BYE", "")
			h.ends(contact.ByCaller, contact.Abandoned)
		})
	}
}

// A caller turned away hears why, is in no queue, and the call ends as turned away; who hangs up in the prompt as well.
func TestTurnedAwayByARule(t *testing.T) {
	for _, hangsUp := range []bool{false, true} {
		h := newHouse(t)
		limit := &contact.Limit{By: contact.LimitOften, Do: contact.LimitMessage, Calls: 5, Within: 60}
		if !hangsUp {
			limit.Prompt = "beep"
		}
		h.holds(&manners{limit: limit})
		l := h.from(mobile, "12367")
		h.has("contact.limited", 1)
		h.until("the person hears why", func() bool { l.mu.Lock(); defer l.mu.Unlock(); return l.heard > 5 })
		by := contact.BySystem
		if hangsUp {
			l.Request("BYE", "")
			by = contact.ByCaller
		} else {
			l.Expect("BYE")
		}
		h.ends(by, contact.Turned)
		h.mu.Lock()
		if len(h.entered) > 0 {
			t.Errorf("entered a queue: %+v", h.entered)
		}
		h.mu.Unlock()
		got := said[event.ContactLimited](h)
		if len(got) != 1 || got[0].By != contact.LimitOften || got[0].Calls != 5 || got[0].WithinMin != 60 || got[0].Queue != "vat" {
			t.Errorf("told: %+v", got)
		}
	}
}

// Whom no rule holds for: the menu is everybody's, tip-offs are always heard, withheld numbers are nobody's, and our
// own phones are no callers.
func TestWhomNoRuleHoldsFor(t *testing.T) {
	rule := func() *manners {
		return &manners{limit: &contact.Limit{By: contact.LimitMark, Do: contact.LimitMessage, Mark: "m1", Prompt: "beep"}}
	}
	t.Run("self-service", func(t *testing.T) {
		h := newHouse(t)
		rules := h.holds(rule())
		l := h.from(mobile, "12366")
		h.has("contact.stepped late", 1) // nothing pressed: the menu's own service
		l.Expect("BYE")
		h.ends(contact.BySystem, contact.Served)
		if rules.judged() > 0 {
			t.Errorf("judged in a menu: %v", rules.asked)
		}
	})
	t.Run("withheld", func(t *testing.T) {
		h := newHouse(t)
		rules := h.holds(rule())
		l := h.from("anonymous", "12367")
		h.waits(1)
		if rules.judged() > 0 {
			t.Errorf("judged: %v", rules.asked)
		}
		l.Request("BYE", "")
		h.ends(contact.ByCaller, contact.Abandoned)
	})
	t.Run("tip-offs, by number and by queue", func(t *testing.T) {
		h := newHouse(t)
		h.holds(rule())
		_, err := store.Exec(t.Context(), h.deps.DB, `UPDATE voice_flow SET body = REPLACE(body, '"iit"', '"tipoff"') WHERE code = 'agent'`)
		must(t, err)
		must(t, numberTable.Put(t.Context(), h.deps.DB, "12367", Number{Code: "12367", Site: "gz", Flow: "straight", Secret: true}))
		must(t, h.reload(t.Context()))
		for i, number := range []string{"12368", "12367"} {
			l := h.from(mobile, number)
			h.waits(i + 1)
			if got := said[event.ContactLimited](h); len(got) > 0 {
				t.Errorf("%s: %+v", number, got)
			}
			l.Request("BYE", "")
			h.until("the call is gone", func() bool { return h.Calls() == 0 })
		}
	})
}
