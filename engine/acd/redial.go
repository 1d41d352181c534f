package acd

// caller is the key of who calls, the same for every attempt.
type caller string

// redial remembers the callers of late: a ring of fixed size in which the oldest makes room.
type redial struct {
	by    table[caller]
	ring  []attempts
	write int
}

type attempts struct {
	caller caller
	count  int
	last   int64
}

// countAttempt notes a new approach and returns the points of priority it earns: from the n-th attempt within the
// window, while none was answered. An approach that was known before (a transfer, a take-over) is not counted.
func (b *Brain) countAttempt(key string, known bool) int {
	if key == "" || b.set.RedialWindow < 0 || known {
		return 0
	}
	r := &b.redial
	i := r.by.find(caller(key))
	if i == none {
		i = r.take(caller(key), b.set.RedialMemory)
	}
	a := &r.ring[i]
	if b.now-a.last > b.set.RedialWindow {
		a.count = 0
	}
	a.count, a.last = a.count+1, b.now
	if a.count >= b.set.RedialAttempts {
		return b.set.RedialBonus
	}
	return 0
}

// redialBonus is what a bonus of the house is worth in this queue.
func (q *Queue) redialBonus(bonus int) int {
	switch {
	case bonus == 0 || q.RedialBonus == 0:
		return bonus
	case q.RedialBonus < 0:
		return 0
	}
	return q.RedialBonus
}

// take gives the caller a cell of the ring.
func (r *redial) take(key caller, size int) int32 {
	if len(r.ring) < size {
		r.ring = append(r.ring, attempts{})
		r.write = len(r.ring) - 1
	} else {
		r.write = (r.write + 1) % len(r.ring)
		if old := r.ring[r.write].caller; old != "" {
			r.by.drop(int32(r.write))
		}
	}
	i := int32(r.write)
	r.ring[i] = attempts{caller: key}
	r.by.put(key, i)
	return i
}

// answered ends a caller's row of vain attempts.
func (b *Brain) answered(key string) {
	if key == "" {
		return
	}
	if i := b.redial.by.find(caller(key)); i != none {
		b.redial.ring[i].count = 0
	}
}
