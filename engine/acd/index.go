package acd

// index knows for many groups (classes of contacts, profiles of agents) the head of each: who comes first in it,
// and its key. Groups stand 64 to a word with the least key of the word beside it, so that a search for the first
// head among the groups of a bit set skips empty words and those that cannot be better.
type index struct {
	has   []uint64 // groups with a head
	least []int64  // per word: least key
	key   []int64  // per group
	head  []int32  // per group: slot of the head
	n     int      // groups with a head
}

// grow makes room for n groups.
func (x *index) grow(n int) {
	for len(x.has)*64 < n {
		x.has = append(x.has, 0)
		x.least = append(x.least, never)
		for range 64 {
			x.key = append(x.key, never)
			x.head = append(x.head, none)
		}
	}
}

// sync takes the head of the group from its heap.
func (x *index) sync(group int32, h *heap) {
	w, bit := group>>6, uint64(1)<<(group&63)
	if len(h.items) == 0 {
		if x.has[w]&bit != 0 {
			x.has[w] &^= bit
			x.n--
			x.set(w, group, never, none)
		}
		return
	}
	if x.has[w]&bit == 0 {
		x.has[w] |= bit
		x.n++
	}
	x.set(w, group, h.items[0].key, h.items[0].slot)
}

func (x *index) set(w, group int32, key int64, head int32) {
	old := x.key[group]
	x.key[group], x.head[group] = key, head
	switch {
	case key <= x.least[w]:
		x.least[w] = key
	case old == x.least[w]:
		least := never
		for _, k := range x.key[w<<6 : w<<6+64] {
			least = min(least, k)
		}
		x.least[w] = least
	}
}

// bitset is a set of small numbers.
type bitset []uint64

func (s *bitset) add(i int32) {
	for int(i>>6) >= len(*s) {
		*s = append(*s, 0)
	}
	(*s)[i>>6] |= 1 << (i & 63)
}

func (s bitset) remove(i int32) {
	if int(i>>6) < len(s) {
		s[i>>6] &^= 1 << (i & 63)
	}
}

func (s bitset) has(i int32) bool { return int(i>>6) < len(s) && s[i>>6]&(1<<(i&63)) != 0 }
