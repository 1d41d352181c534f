package flow

import (
	"slices"
	"testing"
)

func TestKindsAreAllThatCompileKnows(t *testing.T) {
	want := map[Kind][]string{
		PlayKind: {"next"}, ListenKind: {"keys", "timeout", "invalid", "bypass", "heard"}, MenuKind: {"keys", "timeout", "invalid", "bypass"}, GatherKind: {"next", "timeout", "invalid"}, SayKind: {"next"},
		HoursKind: {"open", "closed", "lunch", "holiday"}, SetKind: {"next"}, BranchKind: {"cases", "else"}, QueueKind: {"failed"}, CityKind: {"next", "elsewhere", "unknown"},
		TransferKind: {"failed"}, HangupKind: {}, VoicemailKind: {"next"},
	}
	seen := map[Kind]bool{}
	for _, k := range Kinds() {
		seen[k.Kind] = true
		if len(fields(k.Kind)) != len(k.Fields) {
			t.Errorf("%s: %v of %v", k.Kind, k.Fields, fields(k.Kind))
		}
		ports := want[k.Kind]
		slices.Sort(ports)
		got := slices.Clone(k.Ports)
		slices.Sort(got)
		if ports != nil && !slices.Equal(got, ports) {
			t.Errorf("%s leads on by %v, want %v", k.Kind, got, ports)
		}
		for _, p := range append(slices.Clone(k.Required), k.Ports...) {
			if !slices.Contains(k.Fields, p) {
				t.Errorf("%s: %s is none of its fields", k.Kind, p)
			}
		}
	}
	for k := range want {
		if !seen[k] {
			t.Errorf("%s is not in the list", k)
		}
	}
}
