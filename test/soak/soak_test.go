package main

import "testing"

// TestSoak is the soak in small: two thousand calls with a power cut; `make soak` plays fifty thousand.
func TestSoak(t *testing.T) {
	p := plan{calls: 2000, rate: 25, kill: true, say: t.Logf}
	if err := p.run(t.Context()); err != nil {
		t.Fatal(err)
	}
}
