package voice

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/core/phone"
	"github.com/kapok-hotline/kapok/platform/sip"
)

// outWay is one way out of the house for a call: a trunk, and the number the person called sees.
type outWay struct {
	trunk id.Trunk
	shown string // caller id in the form of the configuration; "" leaves it to the caller of the call
}

// outTrunk gives the ways out for a call of somebody at a site, best first: the trunk of the agent's city, then the
// trunks of the site and of those above it, nearest first, so that the province's takes the call when the city's
// does not. The city's number is shown on all of them, but on a trunk that shows its own only. A trunk all of whose
// targets are known to be down stands behind the others. A house whose trunks lie elsewhere in the tree uses
// them all, by code.
func (m *Module) outTrunk(site id.Site) []outWay {
	ways, down := m.waysOut(m.snap.Load(), site), m.downTrunks()
	slices.SortStableFunc(ways, func(a, b outWay) int { return cmp.Compare(down[a.trunk], down[b.trunk]) })
	return ways
}

// waysOut is outTrunk in a configuration, whatever is up.
func (m *Module) waysOut(s *snapshot, site id.Site) []outWay {
	up := m.up(site)
	city, _ := s.atlas.of(up)
	var codes []id.Trunk
	add := func(code id.Trunk) {
		if t, ok := s.trunks[code]; ok && len(t.Peers) > 0 && !slices.Contains(codes, code) {
			codes = append(codes, code)
		}
	}
	add(city.Trunk)
	all := sortedKeys(s.trunks)
	for _, at := range up {
		for _, code := range all {
			if s.trunks[code].Site == at {
				add(code)
			}
		}
	}
	if len(codes) == 0 {
		for _, code := range all {
			add(code)
		}
	}
	ways := make([]outWay, 0, len(codes))
	for _, code := range codes {
		t := s.trunks[code]
		w := outWay{trunk: code, shown: city.CallerID}
		if w.shown == "" || t.OwnIDOnly {
			w.shown = t.CallerID
		}
		ways = append(ways, w)
	}
	return ways
}

// up gives the site and those above it.
func (m *Module) up(site id.Site) []id.Site {
	if m.deps.Sites == nil {
		return []id.Site{site}
	}
	return m.deps.Sites.Up(site)
}

// downTrunks gives 1 for every trunk none of whose targets answers. One that nobody asks is taken to be up.
func (m *Module) downTrunks() map[id.Trunk]int {
	targets, down := map[id.Trunk]int{}, map[id.Trunk]int{}
	for _, h := range m.sip.TrunkStates() {
		t := id.Trunk(h.Trunk)
		if h.Target == "register" {
			continue
		}
		targets[t]++
		if !h.Up && h.Detail != "" {
			down[t]++
		}
	}
	out := map[id.Trunk]int{}
	for t, n := range targets {
		if n > 0 && down[t] == n {
			out[t] = 1
		}
	}
	return out
}

// callOut calls an outside number by the ways of a site, one after the other: a trunk that is full, down or out of
// order gives way to the next; the called person's own no (busy, declined, no such number) ends it. shown, when
// not empty, is shown in place of the way's own number: a caller who is passed on stays visible.
func (m *Module) callOut(ctx context.Context, c *call, s *side, site id.Site, shown, kind string) (*sip.Dialog, []byte, error) {
	number, _ := s.outside()
	if !dialable(number) {
		return nil, nil, fault.New(fault.Unavailable, "voice.trunk.none", "number", number)
	}
	if phone.Parse(shown, homeArea) == phone.Parse(number, homeArea) {
		shown = "" // nobody is called by themselves
	}
	err := error(fault.New(fault.Unavailable, "voice.trunk.none", "number", number))
	for i, w := range m.outTrunk(site) {
		leave, room := m.out.loads.enter(w.trunk, m.snap.Load().trunks[w.trunk], m.now())
		if !room {
			c.log.Warn("a trunk is full: the next is tried", "trunk", w.trunk)
			err = fault.New(fault.Unavailable, "voice.trunk.full", "trunk", string(w.trunk))
			continue
		}
		if i > 0 { // the description of a try that failed is used up
			_ = s.leg.Close() // nothing flowed yet
			if err := m.openLeg(c, s); err != nil {
				leave()
				return nil, nil, err
			}
		}
		s.out = &outWay{trunk: w.trunk, shown: cmp.Or(shown, w.shown)}
		if s.line != nil && m.snap.Load().trunks[w.trunk].OwnIDOnly {
			s.out.shown = w.shown
		}
		dialog, answer, e := m.dialOnce(ctx, c, s, kind)
		if e == nil {
			m.gone.Go(func() { // dialogs end with the house at the latest
				<-dialog.Done()
				leave()
			})
			return dialog, answer, nil
		}
		leave()
		if err = e; ctx.Err() != nil || !trunkFailed(e) {
			return nil, nil, err
		}
		c.log.Warn("a trunk did not take a call: the next is tried", "trunk", w.trunk, "err", e)
	}
	return nil, nil, err
}

// outside gives the number by which a side is called over a trunk; false: it is a phone or a browser of ours.
func (s *side) outside() (number string, ok bool) {
	switch {
	case s.line != nil:
		return s.line.Number, true
	case s.agent == "" && s.endpoint.Phone == "":
		return s.number, true
	}
	return "", false
}

// trunkFailed tells whether a call failed by the trunk rather than by the person called: no answer at all, or an
// error of the network (RFC 3261 §21.5); 404, 484 and the like are answers.
func trunkFailed(err error) bool {
	f, ok := errors.AsType[*fault.Fault](err)
	if !ok || f.Code != "contact.unreachable" {
		return false
	}
	code, known := f.Params["code"].(int)
	return !known || code == 0 || code == 408 || code >= 500 && code < 600
}
