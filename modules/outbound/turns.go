package outbound

// turns says whose turn it is among lists that want the same agents: by stride scheduling (Waldspurger and Weihl, 1995)
// each is dialled in proportion to its weight. It belongs to the goroutine that paces; the zero value is ready.
type turns struct {
	at  map[string]float64 // how far each list is: a dial of a list of weight w takes it on by 1/w
	now float64            // how far the one taken last was
}

// next gives the list whose turn it is: of the highest priority the one that is least far, the first of equals. Lists come
// in falling order of priority, at least one. A list that wanted nobody for a while has saved up nothing.
func (t *turns) next(lists []List) int {
	best := 0
	for i := 1; i < len(lists) && lists[i].Priority == lists[0].Priority; i++ {
		if t.of(lists[i]) < t.of(lists[best]) {
			best = i
		}
	}
	return best
}

func (t *turns) of(l List) float64 {
	if at, ok := t.at[l.Code]; ok {
		return at
	}
	return t.now
}

// took books a dial of a list.
func (t *turns) took(l List) {
	if t.at == nil {
		t.at = map[string]float64{}
	}
	t.now = t.of(l)
	t.at[l.Code] = t.now + 1/float64(max(l.Weight, 1))
}

// pass says that a list can use nobody now: what it did not take is not kept for later.
func (t *turns) pass(l List) {
	if at, ok := t.at[l.Code]; ok && at < t.now {
		delete(t.at, l.Code)
	}
}
