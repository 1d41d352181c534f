package report

import (
	"context"
	"slices"
	"strings"

	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/modules/report/tally"
	"github.com/kapok-hotline/kapok/platform/clock"
	"github.com/kapok-hotline/kapok/platform/ledger"
	"github.com/kapok-hotline/kapok/platform/store"
)

// stateDays is how many days after its interval a state may have ended to be found: the fact is of the day it
// ended.
const stateDays = 2

// times finds the stretches of agents' time behind a figure in the facts themselves.
func (s *search) times(ctx context.Context) error {
	sites, err := s.m.deps.subtree(ctx, s.d.Site)
	if err != nil {
		return err
	}
	until, err := clock.AddDays(s.d.To, stateDays)
	if err != nil {
		return fault.New(fault.Invalid, "report.day.invalid", "day", s.d.To).At("to")
	}
	span := ledger.Span{From: s.d.From, To: until, Kinds: []string{event.AgentChanged{}.Kind()}}
	err = s.m.deps.Ledger.Range(ctx, span, func(raw ledger.Fact) error {
		f, _, _ := decode(&raw) // what cannot be read the fold has left out, too
		body, ok := f.Body.(event.AgentChanged)
		if !ok || body.Was == event.SignedOut {
			return nil
		}
		return s.stretch(ctx, sites, tally.Presence{
			Agent: id.User(f.Subject), Site: f.Place, State: body.Was, Reason: body.WasReason, Since: body.WasSince,
		}, body.WasMs)
	})
	if err != nil {
		return err
	}
	open, err := store.All(ctx, s.m.db, presenceQuery+` WHERE signed_in > 0`, scanPresence)
	if err != nil {
		return err
	}
	now := s.m.clock.Now().UnixMilli()
	for _, p := range open {
		if err := s.stretch(ctx, sites, p, now-p.Since); err != nil {
			return err
		}
	}
	slices.SortFunc(s.found, func(a, b Behind) int {
		if a.Entered != b.Entered {
			return int(a.Entered - b.Entered)
		}
		return strings.Compare(a.sortID(), b.sortID())
	})
	s.found = slices.DeleteFunc(s.found, func(b Behind) bool {
		return b.Entered < s.at || b.Entered == s.at && b.sortID() <= s.last
	})
	s.found = s.found[:min(len(s.found), s.want)]
	return nil
}

// stretch keeps a state's time when part of it lies in the drilled row and counts in the measure.
func (s *search) stretch(ctx context.Context, sites []id.Site, p tally.Presence, ms int64) error {
	q := &s.d.Query
	key := ""
	switch q.By {
	case ByAgent:
		key = string(p.Agent)
	case BySite:
		key = string(p.Site)
	}
	if q.Agent != "" && p.Agent != q.Agent || sites != nil && !slices.Contains(sites, p.Site) || s.d.Key != nil && *s.d.Key != key {
		return nil
	}
	var sum tally.Sums
	part := int64(0)
	tally.Split(p.Since, max(ms, 0), s.m.fold.zone(p.Site), func(day string, slot int, ms int64) {
		if day >= q.From && day <= q.To && (s.d.Slot == "" || q.label(day, slot) == s.d.Slot) {
			sum.Spend(p.State, s.m.deps.work(ctx, p.Reason), ms)
			part += ms
		}
	})
	if s.measure.Num(&sum) == 0 && (s.measure.Den == nil || s.measure.Den(&sum) == 0) {
		return nil
	}
	if len(s.found) >= maxRows {
		return tooMany(len(s.found))
	}
	s.found = append(s.found, Behind{
		Contact: Contact{Agent: p.Agent, Site: p.Site}, Entered: p.Since, State: string(p.State), Reason: p.Reason, Ms: part,
		Figure: s.measure.Num(&sum), kind: behindTime,
	})
	return nil
}
