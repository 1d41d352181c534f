package identity

import (
	"slices"
	"testing"

	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/core/right"
)

func TestUpAndHolds(t *testing.T) {
	m := &Module{}
	m.snap.Store(newSnapshot(
		[]Person{{Code: "a", Site: "sg", Roles: []string{"caller"}, Active: true}, {Code: "gone", Site: "sg", Roles: []string{"caller"}}},
		[]Site{{Code: "gd"}, {Code: "sg", Parent: "gd"}, {Code: "sg-east", Parent: "sg"}, {Code: "gz", Parent: "gd"}}, nil,
		[]Role{{Code: "caller", Rights: []right.Right{"voice.call.abroad"}}}, Bureau{}, []right.Right{"voice.call.abroad"}))
	for site, want := range map[id.Site][]id.Site{"sg-east": {"sg-east", "sg", "gd"}, "gd": {"gd"}, "nowhere": {"nowhere"}} {
		if got := m.Up(site); !slices.Equal(got, want) {
			t.Errorf("above %s are %v, want %v", site, got, want)
		}
	}
	for _, c := range []struct {
		user id.User
		at   id.Site
		want bool
	}{{"a", "sg", true}, {"a", "sg-east", true}, {"a", "gz", false}, {"gone", "sg", false}, {"nobody", "sg", false}} {
		if got := m.Holds(c.user, "voice.call.abroad", c.at); got != c.want {
			t.Errorf("%s holds it at %s: %v", c.user, c.at, got)
		}
	}
	if m.Holds("a", "voice.trunk.manage", "sg") {
		t.Error("a right nobody gave is held")
	}
	if m.SiteOf("a") != "sg" || m.SiteOf("nobody") != "" {
		t.Error("people are looked for at other sites")
	}
}
