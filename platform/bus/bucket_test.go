package bus

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// each runs a test on both kinds of bucket: a map in a process alone, a stream in a cluster.
func each(t *testing.T, f func(t *testing.T, b *Bus)) {
	t.Helper()
	for name, streams := range map[string]bool{"alone": false, "stream": true} {
		t.Run(name, func(t *testing.T) { f(t, opened(t, Config{Node: "n", streams: streams})) })
	}
}

func alone(t *testing.T) *Bus {
	t.Helper()
	return opened(t, Config{Node: "n"})
}

func opened(t *testing.T, c Config) *Bus {
	t.Helper()
	b, err := Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b
}

func bucket(t *testing.T, b *Bus, name string, c BucketConfig) *Bucket {
	t.Helper()
	k, err := b.Bucket(t.Context(), name, c)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func soon[T any](t *testing.T, c <-chan T) T {
	t.Helper()
	select {
	case v, ok := <-c:
		if ok {
			return v
		}
		t.Fatal("the channel ended")
	case <-time.After(10 * time.Second):
		t.Fatal("nothing came in 10 s")
	}
	panic("not reached")
}

func TestBucketIsCompareAndSet(t *testing.T) { each(t, bucketIsCompareAndSet) }

func bucketIsCompareAndSet(t *testing.T, b *Bus) {
	ctx := t.Context()
	k := bucket(t, b, "live", BucketConfig{})
	var got string
	if _, err := k.Get(ctx, "agent.1", &got); !errors.Is(err, ErrMissing) {
		t.Error(err)
	}
	r1, err := k.Create(ctx, "agent.1", "ready")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := k.Create(ctx, "agent.1", "again"); !errors.Is(err, ErrChanged) {
		t.Error(err)
	}
	r2, err := k.Update(ctx, "agent.1", "reserved", r1)
	if err != nil || r2 <= r1 {
		t.Error(r2, err)
	}
	if _, err := k.Update(ctx, "agent.1", "late", r1); !errors.Is(err, ErrChanged) {
		t.Error(err)
	}
	if err := k.Delete(ctx, "agent.1", r1); !errors.Is(err, ErrChanged) {
		t.Error(err)
	}
	if r, err := k.Get(ctx, "agent.1", &got); err != nil || r != r2 || got != "reserved" {
		t.Error(r, got, err)
	}
	if err := k.Delete(ctx, "agent.1", r2); err != nil {
		t.Error(err)
	}
	if _, err := k.Update(ctx, "agent.1", "dead", r2); !errors.Is(err, ErrChanged) {
		t.Error(err)
	}
	if err := k.Delete(ctx, "agent.9", 0); err != nil {
		t.Error(err)
	}
	if r3, err := k.Create(ctx, "agent.1", "back"); err != nil || r3 <= r2 {
		t.Error(r3, err)
	}
	if _, err := k.Put(ctx, "a b", 1); err == nil {
		t.Error("a key with a space was taken")
	}
}

func TestOneOfManyRivalsWins(t *testing.T) { each(t, oneOfManyRivalsWins) }

func oneOfManyRivalsWins(t *testing.T, b *Bus) {
	ctx := t.Context()
	k := bucket(t, b, "live", BucketConfig{})
	revision, err := k.Put(ctx, "agent.1", "ready")
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var wg sync.WaitGroup
	won := 0
	for i := range 20 {
		wg.Go(func() {
			_, err := k.Update(ctx, "agent.1", i, revision)
			if err != nil && !errors.Is(err, ErrChanged) {
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
}

func TestWatch(t *testing.T) { each(t, watch) }

func watch(t *testing.T, b *Bus) {
	k := bucket(t, b, "live", BucketConfig{})
	ctx, cancel := context.WithCancel(t.Context())
	put := func(key string, v int) {
		t.Helper()
		if _, err := k.Put(ctx, key, v); err != nil {
			t.Fatal(err)
		}
	}
	put("contact.1", 1)
	put("contact.1", 2)
	put("contact.2", 3)
	put("agent.1", 4)
	changes, err := k.Watch(ctx, "contact.")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	read := func(n int) {
		for range n {
			c := soon(t, changes)
			got = append(got, fmt.Sprintf("%s=%s gone:%t current:%t", c.Key, c.Value, c.Gone, c.Current))
		}
	}
	read(3)
	put("agent.2", 5)
	put("contact.3", 6)
	if err := k.Delete(ctx, "contact.1", 0); err != nil {
		t.Fatal(err)
	}
	read(2)
	want := []string{
		"contact.1=2 gone:false current:false", "contact.2=3 gone:false current:false", "= gone:false current:true",
		"contact.3=6 gone:false current:false", "contact.1= gone:true current:false",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	keys, err := k.Keys(ctx, "")
	slices.Sort(keys)
	if err != nil || !cmp.Equal(keys, []string{"agent.1", "agent.2", "contact.2", "contact.3"}) {
		t.Error(keys, err)
	}
	cancel()
	for range changes { // it ends
	}
}

// A key lives as long as it is renewed by Update, then expires, and the watcher is told. This is what per-key
// lifetimes do not do (Update drops them) and what a bucket without marks does not tell.
func TestExpiry(t *testing.T) { each(t, expiry) }

func expiry(t *testing.T, b *Bus) {
	ctx := t.Context()
	k := bucket(t, b, "presence", BucketConfig{TTL: time.Second})
	changes, err := k.Watch(ctx, "")
	if err != nil {
		t.Fatal(err)
	}
	if c := soon(t, changes); !c.Current {
		t.Fatal(c)
	}
	begin := time.Now()
	revision, err := k.Create(ctx, "contact.1", 0)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 6 { // three lifetimes
		time.Sleep(500 * time.Millisecond)
		if revision, err = k.Update(ctx, "contact.1", i, revision); err != nil {
			t.Fatalf("renewal after %v: %v", time.Since(begin), err)
		}
	}
	last := time.Now()
	for c := soon(t, changes); !c.Gone; c = soon(t, changes) {
		if c.Key != "contact.1" {
			t.Error(c)
		}
	}
	if lived := time.Since(last); lived < 900*time.Millisecond || lived > 3*time.Second {
		t.Errorf("expired %v after the last renewal, want about 1 s", lived)
	}
	if _, err := k.Get(ctx, "contact.1", nil); !errors.Is(err, ErrMissing) {
		t.Error(err)
	}
	if _, err := k.Update(ctx, "contact.1", 9, revision); !errors.Is(err, ErrChanged) {
		t.Errorf("an expired key was renewed: %v", err)
	}
	if _, err := k.Create(ctx, "contact.1", 9); err != nil {
		t.Error(err)
	}
}

// What is deleted leaves a mark for a while and then nothing: keys are never used again.
func TestDeletedKeysLeaveNothing(t *testing.T) {
	b := opened(t, Config{Node: "n", streams: true})
	ctx := t.Context()
	k, err := b.bucket(ctx, "live", BucketConfig{}, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 100 {
		key := fmt.Sprintf("contact.%d", i)
		if _, err := k.Put(ctx, key, i); err != nil {
			t.Fatal(err)
		}
		if err := k.Delete(ctx, key, 0); err != nil {
			t.Fatal(err)
		}
	}
	end := time.Now().Add(10 * time.Second)
	for {
		s, err := k.kv.Status(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if s.Values() == 0 {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%d marks are left", s.Values())
		}
		time.Sleep(100 * time.Millisecond)
	}
}
