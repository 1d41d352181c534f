// Package bustest gives tests a bus of their own.
package bustest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/platform/bus"
)

// New gives a bus of one process, closed when the test ends. It is the real thing: it starts in milliseconds.
func New(t testing.TB) *bus.Bus {
	t.Helper()
	return open(t, bus.Config{Node: "node-1"})
}

// Cluster gives the buses of n processes that are connected over loopback and have elected a leader.
func Cluster(t testing.TB, n int) []*bus.Bus {
	t.Helper()
	var out []*bus.Bus
	var routes []string
	for i := range n {
		b := open(t, bus.Config{
			Node: fmt.Sprintf("node-%d", i+1), Dir: t.TempDir(),
			ClusterListen: "127.0.0.1:0", Routes: routes, Secret: "test", Replicas: min(n, 3),
		})
		routes = append(routes, b.ClusterAddress())
		out = append(out, b)
	}
	for _, b := range out {
		if !b.Settled(20 * time.Second) {
			t.Fatalf("%s: the cluster does not settle; it sees %d others", b.Node(), b.Peers())
		}
	}
	return out
}

func open(t testing.TB, c bus.Config) *bus.Bus {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	b, err := bus.Open(ctx, c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b
}
