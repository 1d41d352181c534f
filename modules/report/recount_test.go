package report

import (
	"encoding/json"
	"fmt"
	"sort"
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/platform/clock"
	"github.com/kapok-hotline/kapok/platform/ledger"
)

// figures are "table|key|key…|column" → value: what the tables hold, or what a recount says they should.
type figures map[string]int64

func (f figures) add(n int64, parts ...any) {
	if n != 0 {
		f[fmt.Sprintln(parts...)] += n
	}
}

func (f figures) most(n int64, parts ...any) {
	if k := fmt.Sprintln(parts...); n > f[k] {
		f[k] = n
	}
}

// recount counts the facts the slow and plain way, with none of the code under test: all of a contact first,
// then the figures.
func recount(t *testing.T, facts []ledger.Fact, zone *time.Location) figures {
	t.Helper()
	out := figures{}
	facts = append([]ledger.Fact{}, facts...)
	sort.SliceStable(facts, func(i, j int) bool { return facts[i].At < facts[j].At })
	bySubject := map[string][]ledger.Fact{}
	wraps := map[string][]wrapFact{}
	for _, f := range facts {
		bySubject[f.Subject] = append(bySubject[f.Subject], f)
		if f.Kind != "agent.changed" {
			continue
		}
		b := bodyOf[event.AgentChanged](t, f)
		if b.Was == event.Wrapup {
			wraps[string(b.Contact)] = append(wraps[string(b.Contact)], wrapFact{b, f.Subject})
		}
		if b.Was != event.SignedOut {
			recountTime(out, f, b, zone)
		}
	}
	callers := map[string]*recountedCaller{}
	for subject, of := range bySubject {
		if of[0].Kind == "contact.started" {
			recountContact(t, out, subject, of, wraps[subject], callers, zone)
		}
	}
	for _, c := range callers {
		for _, slot := range []int{c.slot, -1} {
			out.add(1, "queue", c.day, slot, c.site, c.queue, "phone", "callers")
			if c.answered {
				out.add(1, "queue", c.day, slot, c.site, c.queue, "phone", "callers_answered")
			}
		}
	}
	return out
}

type wrapFact struct {
	event.AgentChanged
	agent string
}

type recountedCaller struct {
	at               int64
	contact          string
	day, site, queue string
	slot             int
	answered         bool
}

func bodyOf[T any](t *testing.T, f ledger.Fact) (v T) {
	t.Helper()
	if err := json.Unmarshal(f.Body, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// recountTime walks the state second-free: from quarter-hour to quarter-hour of the wall clock.
func recountTime(out figures, f ledger.Fact, b event.AgentChanged, zone *time.Location) {
	at, end := time.UnixMilli(b.WasSince).In(zone), b.WasSince+b.WasMs
	if b.WasMs > 0 {
		day, slot := clock.Local(b.WasSince, zone)
		for _, s := range []int{slot, -1} {
			out.add(1, "time", day, s, f.Place, f.Subject, b.Was, b.WasReason, "times")
		}
	}
	for at.UnixMilli() < end {
		next := time.Date(at.Year(), at.Month(), at.Day(), at.Hour(), at.Minute()/15*15+15, 0, 0, zone)
		ms := min(next.UnixMilli(), end) - at.UnixMilli()
		day := at.Format("2006-01-02")
		for _, s := range []int{at.Hour()*4 + at.Minute()/15, -1} {
			out.add(ms, "time", day, s, f.Place, f.Subject, b.Was, b.WasReason, "ms")
		}
		at = next
	}
}

func recountContact(t *testing.T, out figures, subject string, facts []ledger.Fact, wraps []wrapFact, callers map[string]*recountedCaller, zone *time.Location) {
	t.Helper()
	start := facts[0]
	number := string(bodyOf[event.ContactStarted](t, start).Number)
	entry := func(n int64, column string) {
		for _, s := range []int{start.Slot, -1} {
			out.add(n, "entry", start.Day, s, start.Place, number, "phone", column)
		}
	}
	entry(1, "started")
	var topic, tax, district string
	asked, reached, served, over := false, false, false, false
	answeredBy := map[string]string{} // agent → the queue visit answered last, as key
	key := func(q any, entered int64) string { return fmt.Sprint(q, "@", entered) }
	type stay struct {
		site   string
		counts map[string]int64
		agents map[string]map[string]int64
		winner string
		at     int64
		queue  string
	}
	stays := map[string]*stay{}
	at := func(q any, entered int64) *stay {
		k := key(q, entered)
		if stays[k] == nil {
			stays[k] = &stay{counts: map[string]int64{}, agents: map[string]map[string]int64{}, at: entered, queue: fmt.Sprint(q)}
		}
		return stays[k]
	}
	offers := map[string]*stay{}
	own := func(s *stay, agent any, column string, n int64) {
		a := fmt.Sprint(agent)
		if s.agents[a] == nil {
			s.agents[a] = map[string]int64{}
		}
		s.agents[a][column] += n
	}
	var mine *recountedCaller
	for _, f := range facts {
		switch f.Kind {
		case "contact.queued":
			b := bodyOf[event.ContactQueued](t, f)
			s := at(b.Queue, b.EnteredAt)
			s.site = f.Place
			s.counts["entered"]++
			asked = true
			if !b.First {
				s.counts["transferred_in"]++
				break
			}
			s.counts["entered_first"]++
			who := b.Caller
			if who == "" {
				who = subject
			}
			day, slot := clock.Local(b.EnteredAt, zone)
			k := day + who
			if callers[k] == nil {
				callers[k] = &recountedCaller{at: b.EnteredAt, contact: subject, day: day, slot: slot, site: f.Place, queue: string(b.Queue)}
			} else if c := callers[k]; b.EnteredAt < c.at || b.EnteredAt == c.at && subject < c.contact {
				c.at, c.contact, c.slot, c.site, c.queue = b.EnteredAt, subject, slot, f.Place, string(b.Queue)
			}
			mine = callers[k]
		case "contact.offered":
			b := bodyOf[event.ContactOffered](t, f)
			offers[string(b.Offer)] = at(b.Queue, b.EnteredAt)
			own(at(b.Queue, b.EnteredAt), b.Agent, "offered", 1)
		case "contact.missed":
			b := bodyOf[event.ContactMissed](t, f)
			switch b.Why {
			case "missed":
				own(offers[string(b.Offer)], b.Agent, "missed", 1)
			case "refused":
				own(offers[string(b.Offer)], b.Agent, "refused", 1)
			}
		case "contact.answered":
			b := bodyOf[event.ContactAnswered](t, f)
			s := at(b.Queue, b.EnteredAt)
			s.winner = string(b.Agent)
			reached = true
			answeredBy[string(b.Agent)] = key(b.Queue, b.EnteredAt)
			s.counts["answered"]++
			s.counts["wait_ms"] += b.WaitMs
			s.counts["max_wait_ms"] = b.WaitMs
			if b.WaitMs <= 15000 {
				s.counts["within15"]++
			}
			if b.WaitMs <= 20000 {
				s.counts["within20"]++
			}
		case "contact.abandoned":
			b := bodyOf[event.ContactAbandoned](t, f)
			s := at(b.Queue, b.EnteredAt)
			s.counts["abandoned"]++
			s.counts["lost_wait_ms"] += b.WaitMs
			s.counts["max_wait_ms"] = b.WaitMs
			if b.WaitMs <= 5000 {
				s.counts["abandoned5"]++
			}
			if b.WaitMs > 20000 {
				s.counts["abandoned20"]++
			}
		case "contact.exited":
			b := bodyOf[event.ContactExited](t, f)
			s := at(b.Queue, b.EnteredAt)
			s.counts["exit_"+b.Why]++
			if b.Rule == "callback" {
				s.counts["callback"]++
			} else { // who is to be called may yet be answered, and a longest wait is never taken back
				s.counts["max_wait_ms"] = b.WaitMs
			}
		case "contact.transferred":
			stays[answeredBy[string(bodyOf[event.ContactTransferred](t, f).Agent)]].counts["transferred_out"]++
		case "contact.served":
			served = true
		case "leg.ended":
			b := bodyOf[event.LegEnded](t, f)
			if b.Role == "agent" {
				own(at(b.Queue, b.EnteredAt), b.Agent, "talk_ms", b.TalkMs)
				own(at(b.Queue, b.EnteredAt), b.Agent, "hold_ms", b.HoldMs)
			}
		case "wrapup.saved":
			b := bodyOf[event.WrapupSaved](t, f)
			topic, tax, district = b.Topic, b.TaxType, b.District
		case "contact.ended":
			b := bodyOf[event.ContactEnded](t, f)
			over = true
			entry(1, "ended")
			entry(b.Ms, "length_ms")
			switch b.Outcome {
			case "abandoned":
				entry(1, "gave_up")
			case "left":
				entry(1, "left_flow")
			case "turned":
				entry(1, "turned")
			case "served":
				if served && !asked {
					entry(1, "served")
				}
			}
		case "contact.lost":
			over = true
			entry(1, "ended")
			entry(1, "failed")
			entry(bodyOf[event.ContactLost](t, f).Ms, "length_ms")
		}
	}
	for _, s := range stays {
		if s.counts["entered"] > 0 && !over && s.counts["answered"]+s.counts["abandoned"]+s.counts["exit_full"]+s.counts["exit_max_wait"]+
			s.counts["exit_closing"]+s.counts["exit_no_agents"]+s.counts["exit_other"] == 0 {
			s.counts["undecided"]++
		}
	}
	for _, b := range wraps {
		own(at(b.Queue, b.EnteredAt), b.agent, "wrap_ms", b.WasMs)
	}
	if mine != nil && reached {
		mine.answered = true
	}
	if asked {
		entry(1, "asked")
	}
	if reached {
		entry(1, "reached")
	}
	for _, s := range stays {
		day, slot := clock.Local(s.at, zone)
		for _, slot := range []int{slot, -1} {
			for column, n := range s.counts {
				if column == "max_wait_ms" {
					out.most(n, "queue", day, slot, s.site, s.queue, "phone", column)
					out.most(n, "agent", day, slot, s.site, s.queue, "phone", s.winner, column)
					continue
				}
				out.add(n, "queue", day, slot, s.site, s.queue, "phone", column)
				out.add(n, "agent", day, slot, s.site, s.queue, "phone", s.winner, column)
			}
			for agent, columns := range s.agents {
				for column, n := range columns {
					out.add(n, "queue", day, slot, s.site, s.queue, "phone", column)
					out.add(n, "agent", day, slot, s.site, s.queue, "phone", agent, column)
				}
			}
		}
		for column, n := range s.counts {
			if column != "max_wait_ms" {
				out.add(n, "topic", day, s.site, s.queue, "phone", topic, tax, district, column)
			}
		}
		for _, columns := range s.agents {
			for _, column := range []string{"talk_ms", "hold_ms", "wrap_ms"} {
				out.add(columns[column], "topic", day, s.site, s.queue, "phone", topic, tax, district, column)
			}
		}
	}
}
