package acd

// never is later than every moment and every order key.
const never = int64(1<<63 - 1)

// none stands for no slot.
const none int32 = -1

// item is an entry of a heap: the slot of a record and the key it is ordered by, kept inline so that sifting
// does not touch the records.
type item struct {
	key  int64
	slot int32
}

// places tells where in its heap each slot stands (none = in no heap), and how equal keys are ordered, so that
// the order never depends on how the heap grew.
type places struct {
	at    []int32
	first func(a, b int32) bool // a goes before b although their keys are equal
}

// grow makes room for n slots.
func (p *places) grow(n int) {
	for len(p.at) < n {
		p.at = append(p.at, none)
	}
}

func (p *places) less(a, b item) bool {
	return a.key < b.key || a.key == b.key && a.slot != b.slot && p.first(a.slot, b.slot)
}

// heap is a 4-ary min-heap whose positions live in a places shared by all heaps of one sort of record.
type heap struct{ items []item }

func (h *heap) push(p *places, it item) {
	h.items = append(h.items, it)
	h.up(p, len(h.items)-1)
}

// remove takes the slot out of the heap it stands in.
func (h *heap) remove(p *places, slot int32) {
	i, last := int(p.at[slot]), len(h.items)-1
	moved := h.items[last]
	h.items = h.items[:last]
	p.at[slot] = none
	if i == last {
		return
	}
	h.items[i] = moved
	h.down(p, h.up(p, i))
}

func (h *heap) up(p *places, i int) int {
	it := h.items[i]
	for i > 0 {
		parent := (i - 1) / 4
		if !p.less(it, h.items[parent]) {
			break
		}
		h.items[i] = h.items[parent]
		p.at[h.items[i].slot] = int32(i)
		i = parent
	}
	h.items[i] = it
	p.at[it.slot] = int32(i)
	return i
}

func (h *heap) down(p *places, i int) {
	it, n := h.items[i], len(h.items)
	for {
		child := 4*i + 1
		if child >= n {
			break
		}
		least := child
		for j := child + 1; j < min(child+4, n); j++ {
			if p.less(h.items[j], h.items[least]) {
				least = j
			}
		}
		if !p.less(h.items[least], it) {
			break
		}
		h.items[i] = h.items[least]
		p.at[h.items[i].slot] = int32(i)
		i = least
	}
	h.items[i] = it
	p.at[it.slot] = int32(i)
}

// best returns the first item that is not passed over. It looks below an item only when that one is passed over,
// so it costs as much as there are such items at the top.
func (h *heap) best(p *places, over func(slot int32) bool) (item, bool) {
	return h.bestBelow(p, 0, over)
}

func (h *heap) bestBelow(p *places, i int, over func(slot int32) bool) (item, bool) {
	if i >= len(h.items) {
		return item{}, false
	}
	if !over(h.items[i].slot) {
		return h.items[i], true
	}
	var found item
	ok := false
	for j := 4*i + 1; j < min(4*i+5, len(h.items)); j++ {
		if it, has := h.bestBelow(p, j, over); has && (!ok || p.less(it, found)) {
			found, ok = it, true
		}
	}
	return found, ok
}
