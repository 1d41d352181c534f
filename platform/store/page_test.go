package store

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kapok-hotline/kapok/core/fault"
)

func TestPages(t *testing.T) {
	all := []int64{9, 8, 7, 6, 5, 4, 3, 2, 1}
	read := func(p Page) []int64 { // SELECT … WHERE n < after ORDER BY n DESC LIMIT Rows()+1
		var after int64
		more, err := p.Key(&after)
		if err != nil {
			t.Fatal(err)
		}
		var out []int64
		for _, n := range all {
			if (!more || n < after) && len(out) <= p.Rows() {
				out = append(out, n)
			}
		}
		return out
	}
	var got [][]int64
	p := Page{Limit: 4}
	for {
		s, err := Cut(p, read(p), func(n int64) []any { return []any{n} })
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, s.Rows)
		if s.Next == "" {
			break
		}
		p.After = s.Next
	}
	if want := [][]int64{{9, 8, 7, 6}, {5, 4, 3, 2}, {1}}; !cmp.Equal(got, want) {
		t.Error(cmp.Diff(want, got))
	}
}

func TestPageBounds(t *testing.T) {
	for limit, want := range map[int]int{0: 50, -1: 50, 10: 10, 100_000: PageLimit} {
		if got := (Page{Limit: limit}).Rows(); got != want {
			t.Errorf("limit %d gives %d rows, want %d", limit, got, want)
		}
	}
}

func FuzzPageKey(f *testing.F) {
	f.Add("WzEsImEiXQ")
	f.Add("not one of ours")
	f.Fuzz(func(t *testing.T, after string) {
		var n int64
		var s string
		ok, err := Page{After: after}.Key(&n, &s)
		if err != nil && fault.CodeOf(err) != "store.page.invalid" {
			t.Error(err)
		}
		if after == "" && ok {
			t.Error("a first page with a key")
		}
	})
}
