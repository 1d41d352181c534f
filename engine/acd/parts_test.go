package acd

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// The small parts, each against the simplest thing that does the same.

func TestWheelAgainstASortedList(t *testing.T) {
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 1))
		w := wheel{at: start}
		w.grow(200)
		set := map[int32]int64{}
		now := start
		span := []int64{10, 5000, Hour, 400 * 24 * Hour}[seed%4]
		for range 5000 {
			timer := int32(r.IntN(200))
			switch r.IntN(4) {
			case 0:
				w.set(timer, never)
				delete(set, timer)
			case 1, 2:
				set[timer] = now + 1 + r.Int64N(span)
				w.set(timer, set[timer])
			default:
				now += r.Int64N(span / 4)
				var want, got []int32
				for k, at := range set {
					if at <= now {
						want = append(want, k)
					}
				}
				slices.SortFunc(want, func(x, y int32) int { return cmp.Or(cmp.Compare(set[x], set[y]), cmp.Compare(x, y)) })
				for batch := w.due(now, cmp.Compare[int32]); len(batch) > 0; batch = w.due(now, cmp.Compare[int32]) {
					for _, k := range batch {
						if w.take(k) {
							got = append(got, k)
						}
					}
				}
				if !slices.Equal(want, got) {
					t.Fatalf("fired %v, want %v", got, want)
				}
				for _, k := range got {
					delete(set, k)
				}
			}
			least := never
			for _, at := range set {
				least = min(least, at)
			}
			if at, ok := w.next(); ok != (len(set) > 0) || ok && at != least {
				t.Fatalf("next %d %v, want %d", at, ok, least)
			}
			if w.n != len(set) {
				t.Fatalf("%d timers, want %d", w.n, len(set))
			}
		}
	}
}

func TestTableAgainstAMap(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	table, want := newTable[caller](), map[caller]int32{}
	var free []int32
	for i := range int32(500) {
		free = append(free, i)
	}
	for range 200_000 {
		key := caller(fmt.Sprint(r.IntN(900)))
		slot, ok := want[key]
		switch {
		case ok && r.IntN(2) == 0:
			table.drop(slot)
			delete(want, key)
			free = append(free, slot)
		case !ok && len(free) > 0:
			slot, free = free[len(free)-1], free[:len(free)-1]
			table.put(key, slot)
			want[key] = slot
		}
		if got := table.find(key); (got != none) != func() bool { _, in := want[key]; return in }() || got != none && got != want[key] {
			t.Fatalf("%s is at %d, want %d", key, got, want[key])
		}
	}
	for key, slot := range want {
		if table.find(key) != slot {
			t.Fatalf("%s was lost", key)
		}
	}
}

func TestHeapAgainstASort(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	p := places{first: func(a, b int32) bool { return a < b }}
	p.grow(300)
	var h heap
	in := map[int32]int64{}
	for range 5_000 {
		slot := int32(r.IntN(300))
		if _, ok := in[slot]; ok {
			h.remove(&p, slot)
			delete(in, slot)
		} else {
			in[slot] = r.Int64N(50)
			h.push(&p, item{in[slot], slot})
		}
		sorted := slices.SortedFunc(func(yield func(item) bool) {
			for s, k := range in {
				if !yield(item{k, s}) {
					return
				}
			}
		}, func(x, y item) int { return cmp.Or(cmp.Compare(x.key, y.key), cmp.Compare(x.slot, y.slot)) })
		if len(sorted) == 0 {
			continue
		}
		if h.items[0] != sorted[0] {
			t.Fatalf("first is %v, want %v", h.items[0], sorted[0])
		}
		skip := r.IntN(len(sorted))
		if skip > 8 {
			continue
		}
		got, _ := h.best(&p, func(s int32) bool { return slices.Contains(sorted[:skip], item{in[s], s}) })
		if got != sorted[skip] {
			t.Fatalf("best without the first %d is %v, want %v", skip, got, sorted[skip])
		}
	}
}
