package acd

import "hash/maphash"

// table finds the slot of an identifier, and keeps the identifier of each slot: open addressing with linear probing
// and backward-shift deletion (Knuth, TAOCP 3, 6.4 R), so that coming and going for ever neither allocates nor
// leaves tombstones. Cells are 8 bytes: what is searched most must stay in the cache. The table is never iterated,
// so its random seed cannot reach a decision.
type table[K ~string] struct {
	seed  maphash.Seed
	cells []cell
	keys  []K // by slot
	n     int
}

type cell struct {
	hash uint32
	slot int32 // slot+1; 0 = empty
}

func newTable[K ~string]() table[K] {
	return table[K]{seed: maphash.MakeSeed(), cells: make([]cell, 64)}
}

func (t *table[K]) hash(key K) uint32 { return uint32(maphash.String(t.seed, string(key))) }

// find returns the slot of the key, or none.
func (t *table[K]) find(key K) int32 {
	h, mask := t.hash(key), uint32(len(t.cells)-1)
	for i := h & mask; ; i = (i + 1) & mask {
		c := t.cells[i]
		if c.slot == 0 {
			return none
		}
		if c.hash == h && t.keys[c.slot-1] == key {
			return c.slot - 1
		}
	}
}

// put gives the slot a key that is not in the table.
func (t *table[K]) put(key K, slot int32) {
	if 2*(t.n+1) > len(t.cells) {
		old := t.cells
		t.cells = make([]cell, 2*len(old))
		for _, c := range old {
			if c.slot != 0 {
				t.place(c)
			}
		}
	}
	for int(slot) >= len(t.keys) {
		t.keys = append(t.keys, "")
	}
	t.keys[slot] = key
	t.n++
	t.place(cell{t.hash(key), slot + 1})
}

func (t *table[K]) place(c cell) {
	mask := uint32(len(t.cells) - 1)
	i := c.hash & mask
	for t.cells[i].slot != 0 {
		i = (i + 1) & mask
	}
	t.cells[i] = c
}

// drop takes the slot's key out; the slot must have one.
func (t *table[K]) drop(slot int32) {
	mask := uint32(len(t.cells) - 1)
	i := t.hash(t.keys[slot]) & mask
	for t.cells[i].slot != slot+1 {
		i = (i + 1) & mask
	}
	t.keys[slot] = ""
	t.n--
	for j := (i + 1) & mask; t.cells[j].slot != 0; j = (j + 1) & mask {
		if home := t.cells[j].hash & mask; (j-home)&mask >= (j-i)&mask { // may move back to i without passing its home
			t.cells[i] = t.cells[j]
			i = j
		}
	}
	t.cells[i] = cell{}
}
