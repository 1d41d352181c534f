package bus

import "testing"

// BenchmarkBucket prints what one write of live state costs: what a call pays nine times.
func BenchmarkBucket(b *testing.B) {
	bus, err := Open(b.Context(), Config{Node: "n"})
	if err != nil {
		b.Fatal(err)
	}
	defer bus.Close()
	k, err := bus.Bucket(b.Context(), "live", BucketConfig{})
	if err != nil {
		b.Fatal(err)
	}
	revision, err := k.Create(b.Context(), "agent.1", map[string]any{"state": "ready"})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if revision, err = k.Update(b.Context(), "agent.1", map[string]any{"state": "ready", "since": 1795460873912}, revision); err != nil {
			b.Fatal(err)
		}
	}
}
