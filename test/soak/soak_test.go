package main

import "testing"

// TestSoak is the soak in small, a thousand calls at the full rate with a power cut; `make soak` runs ten thousand.
func TestSoak(t *testing.T) {
	p := plan{calls: 1000, rate: 50, agents: 33, kill: true, say: t.Logf}
	if err := p.run(t.Context()); err != nil {
		t.Fatal(err)
	}
}
