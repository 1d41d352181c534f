package acd

import (
	"math/bits"
	"slices"
)

// wheel holds the timers: a hierarchical timing wheel (Varghese and Lauck, SOSP 1987) of 64 slots a level, one ms
// to a slot on the lowest. A timer stands on the level of the highest digit (base 64) in which it differs from the
// wheel's moment; so a slot of level 0 is one moment, everything on a level comes before everything on the next,
// and setting, moving and stopping cost no search.
type wheel struct {
	at    int64 // moment up to which everything has fired
	nodes []node
	slots [wheelLevels * 64]int32 // first node, as number+1; 0 = empty
	full  [wheelLevels]uint64     // slots with nodes
	batch []int32                 // timers of one moment, in order
	n     int
}

const wheelLevels = 9 // 64^9 ms: more than any moment this century

// node is a timer: its moment, its neighbours in the slot (number+1) and the slot (+1; 0 = not set).
type node struct {
	at         int64
	next, prev int32
	slot       int32
}

func (w *wheel) grow(n int) {
	for len(w.nodes) < n {
		w.nodes = append(w.nodes, node{})
	}
}

// set sets or moves timer t; never stops it. The moment must be later than the wheel's.
func (w *wheel) set(t int32, at int64) {
	n := &w.nodes[t]
	if n.slot != 0 {
		if n.at == at {
			return
		}
		w.stop(t)
	}
	if at == never {
		return
	}
	n.at = at
	w.link(t)
	w.n++
}

func (w *wheel) link(t int32) {
	n := &w.nodes[t]
	level := 0
	if d := uint64(n.at ^ w.at); d != 0 {
		level = (bits.Len64(d) - 1) / 6
	}
	digit := n.at >> (6 * level) & 63
	s := int32(level)<<6 | int32(digit)
	head := w.slots[s]
	n.slot, n.prev, n.next = s+1, 0, head
	if head != 0 {
		w.nodes[head-1].prev = t + 1
	}
	w.slots[s] = t + 1
	w.full[level] |= 1 << digit
}

func (w *wheel) stop(t int32) {
	n := &w.nodes[t]
	if n.slot == 0 {
		return
	}
	s := n.slot - 1
	if n.prev != 0 {
		w.nodes[n.prev-1].next = n.next
	} else {
		w.slots[s] = n.next
		if n.next == 0 {
			w.full[s>>6] &^= 1 << (s & 63)
		}
	}
	if n.next != 0 {
		w.nodes[n.next-1].prev = n.prev
	}
	n.slot = 0
	w.n--
}

// first returns the first slot that has timers and the moment it begins.
func (w *wheel) first() (s int32, begin int64, ok bool) {
	for level, full := range w.full {
		if full != 0 {
			digit := bits.TrailingZeros64(full)
			shift := 6 * level
			above := w.at &^ (1<<(shift+6) - 1)
			return int32(level<<6 | digit), above | int64(digit)<<shift, true
		}
	}
	return 0, 0, false
}

// next returns the moment of the first timer. On a higher level it looks at every timer of one slot, which happens
// only when the near future is empty.
func (w *wheel) next() (int64, bool) {
	s, begin, ok := w.first()
	if !ok || s < 64 {
		return begin, ok
	}
	least := never
	for t := w.slots[s]; t != 0; t = w.nodes[t-1].next {
		least = min(least, w.nodes[t-1].at)
	}
	return least, true
}

// due moves on to the first moment not after now that has timers and returns them in the given order; none when
// the wheel stands at now. The slice is valid until the next call; a timer in it may meanwhile have been stopped or
// moved, so ask take for each.
func (w *wheel) due(now int64, order func(a, b int32) int) []int32 {
	for {
		s, begin, ok := w.first()
		if !ok || begin > now {
			w.at = max(w.at, now)
			return nil
		}
		w.at = max(w.at, begin)
		if s < 64 {
			w.batch = w.batch[:0]
			for t := w.slots[s]; t != 0; t = w.nodes[t-1].next {
				w.batch = append(w.batch, t-1)
			}
			if len(w.batch) > 1 {
				slices.SortFunc(w.batch, order)
			}
			return w.batch
		}
		t := w.slots[s]
		w.slots[s] = 0
		w.full[s>>6] &^= 1 << (s & 63)
		for t != 0 {
			next := w.nodes[t-1].next
			w.link(t - 1)
			t = next
		}
	}
}

// take stops a timer of the batch of this moment; false when it no longer belongs to it.
func (w *wheel) take(t int32) bool {
	if n := &w.nodes[t]; n.slot == 0 || n.at != w.at {
		return false
	}
	w.stop(t)
	return true
}
