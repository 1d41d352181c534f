package right

import "testing"

func TestShippedRolesAreWellFormed(t *testing.T) {
	codes := map[string]bool{}
	for _, role := range Shipped() {
		if codes[role.Code] || role.Name == "" || role.NameEN == "" || len(role.Rights) == 0 {
			t.Errorf("role %q is twice, nameless or empty", role.Code)
		}
		codes[role.Code] = true
		seen := map[Right]bool{}
		for _, r := range role.Rights {
			if seen[r] || r != All && !r.Valid() {
				t.Errorf("role %s: right %q is twice or malformed", role.Code, r)
			}
			seen[r] = true
		}
	}
	for _, want := range []string{"admin", "leader", "agent", "quality", "manager", "integrator"} {
		if !codes[want] {
			t.Errorf("the role %s is missing", want)
		}
	}
}

func TestGrant(t *testing.T) {
	all := []Right{"a.b.c", "d.e.f"}
	if got := Grant("admin", all); len(got) != 2 || !got["a.b.c"] || got[All] {
		t.Errorf("the administrator holds %v", got)
	}
	if got := Grant("agent", all); got["a.b.c"] || !got["desk.self.use"] {
		t.Errorf("the agent holds %v", got)
	}
	if Grant("nobody", all) != nil {
		t.Error("an unknown role holds rights")
	}
}
