package bus_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/platform/bus"
	"github.com/kapok-hotline/kapok/platform/bus/bustest"
)

func TestCluster(t *testing.T) {
	nodes := bustest.Cluster(t, 3)
	ctx, cancel := context.WithTimeout(t.Context(), 80*time.Second)
	defer cancel()
	t.Run("what one publishes all hear", func(t *testing.T) {
		heard := make(chan string, 3)
		for _, b := range nodes {
			if _, err := bus.On(b, "news", func(_ string, s string) { heard <- s }); err != nil {
				t.Fatal(err)
			}
		}
		retry(t, ctx, func() error { // interest takes a moment to reach the others
			if err := nodes[0].Publish("news", "good"); err != nil {
				return err
			}
			for range 3 {
				select {
				case <-heard:
				case <-time.After(200 * time.Millisecond):
					return errors.New("not all hear")
				}
			}
			return nil
		})
	})
	t.Run("one answers for all", func(t *testing.T) {
		if _, err := bus.Answer(nodes[2], "who", func(context.Context, int) (string, error) { return "node-3", nil }); err != nil {
			t.Fatal(err)
		}
		var got string
		retry(t, ctx, func() error { return nodes[0].Ask(ctx, "who", 1, &got) })
		if got != "node-3" {
			t.Error(got)
		}
	})
	t.Run("a bucket is one, and rivals on all nodes are refused but one", func(t *testing.T) {
		var revision uint64
		k, err := nodes[0].Bucket(ctx, "live", bus.BucketConfig{})
		if err != nil {
			t.Fatal(err)
		}
		retry(t, ctx, func() (err error) { revision, err = k.Put(ctx, "agent.1", "ready"); return err })
		var mu sync.Mutex
		var wg sync.WaitGroup
		won := 0
		for i, b := range nodes {
			wg.Go(func() {
				k, err := b.Bucket(ctx, "live", bus.BucketConfig{})
				if err != nil {
					t.Error(err)
					return
				}
				_, err = k.Update(ctx, "agent.1", fmt.Sprint(i), revision)
				if err != nil && !errors.Is(err, bus.ErrChanged) {
					t.Error(err)
				}
				if err == nil {
					mu.Lock()
					won++
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		if won != 1 {
			t.Errorf("%d won", won)
		}
	})
	t.Run("a lease passes to another node when its holder's goes down", func(t *testing.T) {
		var first *bus.Lease
		retry(t, ctx, func() (err error) { first, err = nodes[0].Claim(ctx, "brain", "node-1"); return err })
		if _, err := nodes[1].Claim(ctx, "brain", "node-2"); !errors.Is(err, bus.ErrHeld) {
			t.Error(err)
		}
		begin := time.Now()
		nodes[0].Close()
		<-first.Lost()
		second, err := nodes[1].Lease(ctx, "brain", "node-2")
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("passed on after %v", time.Since(begin))
		if second.Fence <= first.Fence {
			t.Errorf("fence %d after %d", second.Fence, first.Fence)
		}
	})
}

func retry(t *testing.T, ctx context.Context, f func() error) {
	t.Helper()
	for {
		err := f()
		if err == nil {
			return
		}
		if ctx.Err() != nil {
			t.Fatal(err)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func TestStrangersStayOutOfACluster(t *testing.T) {
	nodes := bustest.Cluster(t, 2)
	b, err := bus.Open(t.Context(), bus.Config{
		Node: "stranger", Dir: t.TempDir(), ClusterListen: "127.0.0.1:0", Routes: []string{nodes[0].ClusterAddress()}, Secret: "guess",
	})
	if err == nil {
		defer b.Close()
		time.Sleep(300 * time.Millisecond)
	}
	for _, n := range nodes {
		if n.Peers() != 1 {
			t.Errorf("%s sees %d others", n.Node(), n.Peers())
		}
	}
}

func TestConfig(t *testing.T) {
	for name, c := range map[string]bus.Config{
		"no name":                 {},
		"a cluster open to all":   {Node: "n", ClusterListen: "127.0.0.1:0", Dir: "x"},
		"a cluster without a dir": {Node: "n", ClusterListen: "127.0.0.1:0", Secret: "x"},
	} {
		if _, err := bus.Open(t.Context(), c); fault.CodeOf(err) != "bus.config.invalid" {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, address := range []string{"nowhere", "host:port", "host:99999"} {
		if _, err := bus.Open(t.Context(), bus.Config{Node: "n", ClusterListen: address, Dir: t.TempDir(), Secret: "x"}); fault.CodeOf(err) != "bus.start.failed" {
			t.Errorf("%s: %v", address, err)
		}
	}
}

func TestAloneLeavesNothingBehind(t *testing.T) {
	dir := t.TempDir()
	left := filepath.Join(dir, "alone", "of-a-killed-process")
	if err := os.MkdirAll(left, 0o700); err != nil {
		t.Fatal(err)
	}
	b, err := bus.Open(t.Context(), bus.Config{Node: "n", Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(left); !errors.Is(err, os.ErrNotExist) {
		t.Error("what a killed process left is still there")
	}
	if _, err := b.Bucket(t.Context(), "live", bus.BucketConfig{}); err != nil {
		t.Error(err)
	}
	b.Close()
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
		t.Error(entries, err)
	}
}
