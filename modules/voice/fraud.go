package voice

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/core/phone"
	"github.com/kapok-hotline/kapok/core/right"
	"github.com/kapok-hotline/kapok/platform/clock"
	"github.com/kapok-hotline/kapok/platform/section"
	"github.com/kapok-hotline/kapok/platform/store"
)

// CallRule says where the people of a site may call. Of the rules that fit a person the one of the nearest site holds;
// of two at one site the one that asks for a right. Emergency numbers are never refused.
type CallRule struct {
	Code      string   `json:"code" minLength:"1" maxLength:"32"`
	Name      string   `json:"name,omitempty" maxLength:"64"`
	Site      id.Site  `json:"site,omitempty" ref:"sites" doc:"holds there and below; empty: everywhere"`
	Right     string   `json:"right,omitempty" maxLength:"64" doc:"only for people who hold this right; empty: for all"`
	Classes   []string `json:"classes,omitempty" doc:"kinds of number that may be called: service, local, mobile, domestic, abroad, premium, inside"`
	Prefixes  []string `json:"prefixes,omitempty" doc:"numbers that may be called besides, by how they begin in national form: 00852, 0755"`
	Denied    []string `json:"denied,omitempty" doc:"numbers that may not be called whatever else is allowed, by how they begin"`
	NightFrom string   `json:"night_from,omitempty" pattern:"^([01][0-9]|2[0-3]):[0-5][0-9]$" doc:"from then on only the night's kinds: 20:00"`
	NightTo   string   `json:"night_to,omitempty" pattern:"^([01][0-9]|2[0-3]):[0-5][0-9]$" doc:"until then: 07:30"`
	Night     []string `json:"night,omitempty" doc:"kinds of number that may be called at night; none: nobody is called at night"`
	PerHour   int      `json:"per_hour,omitempty" minimum:"0" maximum:"1000" doc:"most calls out of one person within an hour; 0: as many as they like"`
}

// defaultRule holds where no rule fits: calls within the country, and nothing that is dear.
func defaultRule() CallRule {
	return CallRule{Classes: []string{"service", "local", "mobile", "domestic", "inside"}, PerHour: 120}
}

// Staff tells where a user belongs and what they may; identity fills it.
type Staff interface {
	SiteOf(u id.User) id.Site
	Holds(u id.User, r right.Right, at id.Site) bool
}

var ruleTable = store.Docs[CallRule]{Table: "voice_call_rule"}

func ruleSection() section.Spec[CallRule] {
	return section.Spec[CallRule]{
		Key: "call_rules", Order: 56, Right: ManageTrunks,
		ID:    func(r CallRule) string { return r.Code },
		Site:  func(r CallRule) id.Site { return r.Site },
		Load:  func(ctx context.Context, tx *store.Tx) ([]CallRule, error) { return ruleTable.Load(ctx, tx) },
		Put:   func(ctx context.Context, tx *store.Tx, r CallRule) error { return ruleTable.Put(ctx, tx, r.Code, r) },
		Drop:  func(ctx context.Context, tx *store.Tx, code string) error { return ruleTable.Drop(ctx, tx, code) },
		Check: func(_ section.Lookup, r CallRule) []section.Problem { return checkRule(r) },
	}
}

func checkRule(r CallRule) []section.Problem {
	var out []section.Problem
	for field, list := range map[string][]string{"classes": r.Classes, "night": r.Night} {
		for i, c := range list {
			if !slices.Contains(phone.Classes(), phone.Class(c)) {
				out = append(out, section.Complaint(field+"["+strconv.Itoa(i)+"]", "voice.rule.class", "class", c))
			}
		}
	}
	for field, list := range map[string][]string{"prefixes": r.Prefixes, "denied": r.Denied} {
		for i, p := range list {
			if p == "" || len(p) > 20 || strings.Trim(p, "0123456789") != "" {
				out = append(out, section.Complaint(field+"["+strconv.Itoa(i)+"]", "voice.rule.prefix", "prefix", p))
			}
		}
	}
	if (r.NightFrom == "") != (r.NightTo == "") || r.NightFrom != "" && r.NightFrom == r.NightTo {
		out = append(out, section.Complaint("night_to", "voice.rule.night"))
	}
	if r.Right != "" && !right.Right(r.Right).Valid() {
		out = append(out, section.Complaint("right", "voice.rule.right", "right", r.Right))
	}
	slices.SortFunc(out, func(a, b section.Problem) int { return strings.Compare(a.Path, b.Path) })
	return out
}

// ruleFor chooses the rule of a person: up is their site and those above it.
func ruleFor(rules []CallRule, up []id.Site, holds func(right.Right) bool) CallRule {
	best, near := defaultRule(), -1
	for _, r := range rules {
		depth := len(up) // of the whole house: farther than any site
		if r.Site != "" {
			if depth = slices.Index(up, r.Site); depth < 0 {
				continue
			}
		}
		if r.Right != "" && !holds(right.Right(r.Right)) {
			continue
		}
		if near < 0 || depth < near || depth == near && r.Right != "" && best.Right == "" {
			best, near = r, depth
		}
	}
	return best
}

// night tells whether it is night for the rule at a local time of day (minutes).
func (r CallRule) night(minute int) bool {
	if r.NightFrom == "" {
		return false
	}
	from, to := minuteOf(r.NightFrom), minuteOf(r.NightTo)
	if from < to {
		return minute >= from && minute < to
	}
	return minute >= from || minute < to
}

// minuteOf reads 20:30 as 1230.
func minuteOf(s string) int {
	h, m, _ := strings.Cut(s, ":")
	hour, _ := strconv.Atoi(h)
	minute, _ := strconv.Atoi(m)
	return hour*60 + minute
}

// allows says nothing when the number may be called at that minute of the day, else the fault that says why not.
func (r CallRule) allows(n phone.Number, class phone.Class, minute int) error {
	begins := func(p string) bool { return strings.HasPrefix(n.National, p) }
	switch {
	case class == phone.Emergency:
		return nil
	case slices.ContainsFunc(r.Denied, begins):
		return fault.New(fault.Forbidden, "voice.callout.denied", "class", string(class))
	case r.night(minute) && slices.Contains(r.Night, string(class)):
		return nil
	case r.night(minute):
		return fault.New(fault.Forbidden, "voice.callout.night", "from", r.NightFrom, "to", r.NightTo)
	case slices.Contains(r.Classes, string(class)), slices.ContainsFunc(r.Prefixes, begins):
		return nil
	}
	return fault.New(fault.Forbidden, "voice.callout.class", "class", string(class))
}

// mayCallOut asks whether a user may call an outside number now, and counts the call against their hour. Whoever
// sets up a call to an outside number asks it first: desk, transfer, consult, lists. by empty is the house itself
// (a flow's own transfer), which is bound by nothing but the dialling form.
func (m *Module) mayCallOut(by id.User, number string) error {
	if !dialable(number) {
		return fault.New(fault.Unavailable, "voice.trunk.none", "number", number)
	}
	if by == "" {
		return nil
	}
	most, err := m.callRule(by, number)
	if err == nil && most > 0 && !m.out.calls.count(by, most, m.now()) {
		err = fault.New(fault.TooMany, "voice.callout.often", "most", most)
		m.deps.Log.Warn("a call out is refused", "agent", by, "err", err)
	}
	return err
}

// callRule asks the rules whether an outside number may be called for a user at this hour. It counts nothing: a call
// that is brought to an agent's own phone outside is not of their will. most is how often an hour they may call out
// there, 0: as they like.
func (m *Module) callRule(by id.User, number string) (most int, err error) {
	var site id.Site
	holds := func(right.Right) bool { return false }
	if s := m.deps.Staff; s != nil {
		site = s.SiteOf(by)
		holds = func(r right.Right) bool { return s.Holds(by, r, site) }
	}
	snap, up := m.snap.Load(), m.up(site)
	home := homeArea
	if city, ok := snap.atlas.of(up); ok {
		home = city.Area
	}
	n := phone.Parse(number, home)
	class := n.Class(home)
	rule := ruleFor(snap.rules, up, holds)
	zone, err := clock.Zone("")
	if err != nil {
		return 0, err
	}
	local := m.now().In(zone)
	if err = rule.allows(n, class, local.Hour()*60+local.Minute()); err != nil {
		m.deps.Log.Warn("a call out is refused", "agent", by, "class", class, "rule", rule.Code, "err", err)
	}
	if class == phone.Emergency {
		return 0, err
	}
	return rule.PerHour, err
}

// callTimes keeps when each user called out within the last hour. The zero value is ready.
type callTimes struct {
	mu sync.Mutex
	of map[id.User][]time.Time
}

// count books a call of the user unless they have made the most allowed within the hour; most 0 is no limit.
func (t *callTimes) count(u id.User, most int, now time.Time) bool {
	if most == 0 {
		return true
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.of == nil {
		t.of = map[id.User][]time.Time{}
	}
	made := slices.DeleteFunc(t.of[u], func(at time.Time) bool { return now.Sub(at) >= time.Hour })
	if len(made) < most {
		t.of[u] = append(made, now)
		return true
	}
	t.of[u] = made
	return false
}

// mayGive asks whether a user may bring a call to a target: to an outside number only where the rules for calls out let
// them call it. A phone of ours is no outside number.
func (m *Module) mayGive(by id.User, to contact.Target) error {
	if _, ours := m.snap.Load().phones[id.Phone(to.Code)]; to.Kind != contact.ToNumber || ours {
		return nil
	}
	return m.mayCallOut(by, to.Code)
}

// talksTo gives the agent of the call, to whoever looks from outside; "" when there is none.
func (c *call) talksTo() id.User {
	if a := c.talkingTo.Load(); a != nil {
		return *a
	}
	return ""
}
