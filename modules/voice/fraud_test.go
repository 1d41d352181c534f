package voice

import (
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/core/phone"
	"github.com/kapok-hotline/kapok/core/right"
)

// Who may call where: the rule of the nearest site, a right's before all's.
func TestCallRules(t *testing.T) {
	rules := []CallRule{
		{Code: "house", Classes: []string{"service", "local", "mobile", "domestic"}},
		{Code: "abroad", Right: "voice.call.abroad", Classes: []string{"service", "local", "mobile", "domestic", "abroad"}, Denied: []string{"00881"}},
		{Code: "sg", Site: "sg", Classes: []string{"local"}, Prefixes: []string{"020"}, NightFrom: "20:00", NightTo: "07:30", Night: []string{"service"}},
	}
	none := func(right.Right) bool { return false }
	abroad := func(r right.Right) bool { return r == "voice.call.abroad" }
	const noon, midnight = 12 * 60, 23 * 60
	for _, c := range []struct {
		site   id.Site
		holds  func(right.Right) bool
		number string
		minute int
		want   string // code of the fault; "" is allowed
	}{
		{"gz", none, "13900000137", noon, ""},
		{"gz", none, "01065000000", noon, ""},
		{"gz", none, "0085221234567", noon, "voice.callout.class"},
		{"gz", none, "16888888", noon, "voice.callout.class"},
		{"gz", none, "17401234567", noon, "voice.callout.class"},
		{"gz", none, "120", midnight, ""},
		{"gz", abroad, "0085221234567", noon, ""},
		{"gz", abroad, "008811234567", noon, "voice.callout.denied"},
		{"sg", none, "07518333000", noon, ""},
		{"sg", none, "02083330000", noon, ""},
		{"sg", none, "13900000137", noon, "voice.callout.class"},
		{"sg", none, "07518333000", midnight, "voice.callout.night"},
		{"sg", none, "12366", midnight, ""},
		{"sg", none, "110", 3 * 60, ""},
		{"sg", none, "07518333000", 7*60 + 30, ""},
		{"sg", abroad, "0085221234567", noon, "voice.callout.class"}, // the nearer site's rule holds
	} {
		r := ruleFor(rules, []id.Site{c.site, "gd"}, c.holds)
		home := map[id.Site]string{"gz": "020", "sg": "0751"}[c.site]
		n := phone.Parse(c.number, home)
		if got := fault.CodeOf(r.allows(n, n.Class(home), c.minute)); got != c.want {
			t.Errorf("from %s to %s at minute %d: %q, want %q (rule %s)", c.site, c.number, c.minute, got, c.want, r.Code)
		}
	}
	if r := ruleFor(nil, []id.Site{"gz"}, none); fault.CodeOf(r.allows(phone.Parse("+8613900000137", ""), phone.Cellular, noon)) != "" ||
		r.allows(phone.Parse("+12025550143", ""), phone.Abroad, noon) == nil {
		t.Error("without rules, calls within the country are allowed and no others")
	}
}

func TestCallsAnHour(t *testing.T) {
	var times callTimes
	at := time.Unix(0, 0)
	for i, want := range []bool{true, true, false} {
		if got := times.count("a1", 2, at.Add(time.Duration(i)*time.Minute)); got != want {
			t.Errorf("call %d: %v", i+1, got)
		}
	}
	if !times.count("a2", 2, at) {
		t.Error("one person's calls count against another")
	}
	if !times.count("a1", 2, at.Add(time.Hour)) {
		t.Error("an hour later the first call still counts")
	}
	if !times.count("a1", 0, at) {
		t.Error("no limit is a limit")
	}
}

func TestCheckRule(t *testing.T) {
	for _, c := range []struct {
		r    CallRule
		want string
	}{
		{CallRule{Classes: []string{"moon"}}, "voice.rule.class"},
		{CallRule{Night: []string{"moon"}}, "voice.rule.class"},
		{CallRule{Prefixes: []string{"+852"}}, "voice.rule.prefix"},
		{CallRule{Denied: []string{""}}, "voice.rule.prefix"},
		{CallRule{NightFrom: "20:00"}, "voice.rule.night"},
		{CallRule{NightFrom: "20:00", NightTo: "20:00"}, "voice.rule.night"},
		{CallRule{Right: "Not A Right"}, "voice.rule.right"},
	} {
		if got := checkRule(c.r); len(got) != 1 || got[0].Code != c.want {
			t.Errorf("%+v: %v, want %s", c.r, got, c.want)
		}
	}
	if got := checkRule(CallRule{Classes: []string{"local"}, NightFrom: "20:00", NightTo: "07:30", Prefixes: []string{"00852"}}); len(got) != 0 {
		t.Errorf("a sound rule is refused: %v", got)
	}
}

// An agent's call out is refused by their site's rule before anything is dialled.
func TestMayCallOut(t *testing.T) {
	h := province(t, nil)
	must(t, ruleTable.Put(t.Context(), h.deps.DB, "sg", CallRule{Code: "sg", Site: "sg", Classes: []string{"local", "mobile"}, PerHour: 2}))
	must(t, h.reload(t.Context()))
	for _, c := range []struct{ number, want string }{
		{"0085221234567", "voice.callout.class"},
		{"02083330000", "voice.callout.class"},
		{"x", "voice.trunk.none"},
		{"8333000", ""},
		{"13900000137", ""},
		{"13900000137", "voice.callout.often"},
		{"110", ""},
	} {
		if got := fault.CodeOf(h.mayCallOut("a1", c.number)); got != c.want {
			t.Errorf("a1 calls %s: %q, want %q", c.number, got, c.want)
		}
	}
	if err := h.mayCallOut("", "0085221234567"); err != nil {
		t.Errorf("a flow's own transfer: %v", err)
	}
}
