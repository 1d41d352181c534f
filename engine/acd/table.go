package acd

import "hash/maphash"

// table finds the slot of an identifier: open addressing with linear probing and backward-shift deletion
// (Knuth, TAOCP 3, 6.4 R), so that coming and going for ever neither allocates nor leaves tombstones. It is
// never iterated, so the random seed cannot reach a decision.
type table[K ~string] struct {
	seed  maphash.Seed
	cells []cell[K]
	n     int
}

type cell[K ~string] struct {
	key  K
	hash uint32
	slot int32 // slot+1; 0 = empty
}

func newTable[K ~string]() table[K] {
	return table[K]{seed: maphash.MakeSeed(), cells: make([]cell[K], 64)}
}

func (t *table[K]) hash(key K) uint32 { return uint32(maphash.String(t.seed, string(key))) }

// find returns the slot of the key, or none.
func (t *table[K]) find(key K) int32 {
	h, mask := t.hash(key), uint32(len(t.cells)-1)
	for i := h & mask; ; i = (i + 1) & mask {
		c := &t.cells[i]
		if c.slot == 0 {
			return none
		}
		if c.hash == h && c.key == key {
			return c.slot - 1
		}
	}
}

// put adds a key that is not in the table.
func (t *table[K]) put(key K, slot int32) {
	if 2*(t.n+1) > len(t.cells) {
		old := t.cells
		t.cells = make([]cell[K], 2*len(old))
		for _, c := range old {
			if c.slot != 0 {
				t.place(c)
			}
		}
	}
	t.n++
	t.place(cell[K]{key, t.hash(key), slot + 1})
}

func (t *table[K]) place(c cell[K]) {
	mask := uint32(len(t.cells) - 1)
	i := c.hash & mask
	for t.cells[i].slot != 0 {
		i = (i + 1) & mask
	}
	t.cells[i] = c
}

// drop removes the key if it is there.
func (t *table[K]) drop(key K) {
	h, mask := t.hash(key), uint32(len(t.cells)-1)
	i := h & mask
	for ; ; i = (i + 1) & mask {
		if t.cells[i].slot == 0 {
			return
		}
		if t.cells[i].hash == h && t.cells[i].key == key {
			break
		}
	}
	t.n--
	for j := (i + 1) & mask; t.cells[j].slot != 0; j = (j + 1) & mask {
		if home := t.cells[j].hash & mask; (j-home)&mask >= (j-i)&mask { // may move back to i without passing its home
			t.cells[i] = t.cells[j]
			i = j
		}
	}
	t.cells[i] = cell[K]{}
}
