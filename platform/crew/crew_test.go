package crew_test

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/kapok-hotline/kapok/platform/crew"
)

func TestCrew(t *testing.T) {
	for _, c := range []struct {
		name   string
		most   int
		jobs   []int // so many at the same time, one bunch after the other
		starts int32
	}{
		{"one after the other is one goroutine's work", 4, []int{1, 1, 1, 1}, 1},
		{"those who wait are taken first", 4, []int{3, 2, 3}, 3},
		{"of many at once only some wait on", 2, []int{5, 5}, 8},
		{"nobody waits", 0, []int{1, 1}, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var all sync.WaitGroup
				var starts, ran atomic.Int32
				end := make(chan struct{})
				k := crew.New(c.most, func(f func()) bool { starts.Add(1); all.Go(f); return true }, end)
				want := int32(0)
				for _, n := range c.jobs {
					hold := make(chan struct{})
					for range n {
						if !k.Do(func() { <-hold; ran.Add(1) }) {
							t.Error("refused")
						}
						synctest.Wait()
					}
					close(hold)
					synctest.Wait()
					want += int32(n)
				}
				if starts.Load() != c.starts || ran.Load() != want {
					t.Errorf("%d goroutines did %d jobs, want %d and %d", starts.Load(), ran.Load(), c.starts, want)
				}
				close(end)
				all.Wait()
			})
		})
	}
}

func TestNobodyToBeHad(t *testing.T) {
	k := crew.New(1, func(func()) bool { return false }, nil)
	if k.Do(func() { t.Error("ran") }) {
		t.Error("said it would run")
	}
	runtime.Gosched()
}
