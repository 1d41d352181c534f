// Package bustest gives tests a bus of their own.
package bustest

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"sync"
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
	routes := addresses(t, n)
	out := make([]*bus.Bus, n)
	var wg sync.WaitGroup
	for i := range n { // together: each waits for the others
		config := bus.Config{
			Node: fmt.Sprintf("node-%d", i+1), Dir: t.TempDir(),
			ClusterListen: routes[i], Routes: routes, Secret: "test", Replicas: min(n, 3), Log: logger(t),
		}
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
			defer cancel()
			b, err := bus.Open(ctx, config)
			if err != nil {
				t.Error(err)
				return
			}
			out[i] = b
			t.Cleanup(b.Close)
		})
	}
	wg.Wait()
	for _, b := range out {
		if b == nil || !b.Settled(20*time.Second) {
			t.Fatal("the cluster does not settle")
		}
	}
	return out
}

// addresses finds free ports. Routes must be known before any node starts, so the ports are let go again first.
func addresses(t testing.TB, n int) []string {
	t.Helper()
	var out []string
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = l.Close() }()
		out = append(out, l.Addr().String())
	}
	return out
}

func open(t testing.TB, c bus.Config) *bus.Bus {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	c.Log = logger(t)
	b, err := bus.Open(ctx, c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b
}

// logger writes to the test's own output, which shows when it fails.
func logger(t testing.TB) *slog.Logger { return slog.New(slog.NewTextHandler(t.Output(), nil)) }
