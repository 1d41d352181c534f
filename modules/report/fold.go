package report

import (
	"context"
	"log/slog"
	"slices"

	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/modules/report/tally"
	"github.com/kapok-hotline/kapok/platform/clock"
	"github.com/kapok-hotline/kapok/platform/store"
)

// fold keeps the report tables in the ledger's own transaction. It reads the contacts a batch touches (or
// remembers them), applies the facts, and books the difference of their figures before and after: see tally.
type fold struct {
	zone  tally.Zone
	clock clock.Clock
	write *statements
	log   *slog.Logger
	shelf shelf
}

// lateAfter is how much older than the newest fact a fact must be to re-state intervals that are over. Nodes'
// clocks and queues differ by less.
const lateAfter = 2 * 60 * 1000

// batch is one run of the fold.
type batch struct {
	*fold
	mem      *memory
	was      int64 // newest fact time before this batch
	now      int64
	contacts map[id.Contact]*touched
	figures  tally.Figures
	restated map[tally.Key]int64
	callers  map[tally.CallerKey]*callerChange
	times    tally.Times
	lateTime map[tally.Spent]bool
	legs     legs
	presence map[id.User]*tally.Presence
}

// touched is a contact of the batch and what it had said before.
type touched struct {
	*tally.Contact
	before  []tally.Row
	request *tally.Request
	row     []any // as it was written, when it has one
	late    bool
	visits  []tally.Visit
}

type callerChange struct {
	*tally.Caller
	before []tally.Row
	late   bool
}

// apply folds facts, each of which must be given once in the life of the tables; their order is free. first and
// last are the seqs the facts span: every fact of the ledger passes through some process's fold, so a memory that
// ends just before first is up to date.
func (f *fold) apply(ctx context.Context, tx *store.Tx, first, last int64, facts []tally.Fact) (err error) {
	mem, err := f.recall(ctx, tx, first)
	if err != nil {
		return err
	}
	mem.seq = last
	defer func() {
		if err != nil {
			mem.seq = -1 // what it holds is not in the tables
		}
	}()
	was := mem.high
	for i := range facts {
		mem.high = max(mem.high, facts[i].At)
	}
	if len(facts) == 0 {
		return nil
	}
	b := &batch{
		fold: f, mem: mem, was: was, now: f.clock.Now().UnixMilli(), contacts: map[id.Contact]*touched{},
		figures: tally.Figures{}, restated: map[tally.Key]int64{}, callers: map[tally.CallerKey]*callerChange{},
		times: tally.Times{}, lateTime: map[tally.Spent]bool{}, legs: legs{}, presence: map[id.User]*tally.Presence{},
	}
	if err := b.load(ctx, tx, facts); err != nil {
		return err
	}
	if err := b.loadPresence(ctx, tx, facts); err != nil {
		return err
	}
	for i := range facts {
		b.take(facts[i])
	}
	if err := b.compare(ctx, tx); err != nil {
		return err
	}
	if err := b.save(ctx, tx); err != nil {
		return err
	}
	return f.mark(ctx, tx, mem)
}

// contactOf gives the contact a fact changes, "" when none.
func contactOf(f tally.Fact) id.Contact {
	switch b := f.Body.(type) {
	case event.AgentSignedIn, event.AgentSignedOut, event.LegStarted:
		return ""
	case event.AgentChanged:
		if b.Was == event.Wrapup {
			return b.Contact
		}
		return ""
	}
	return id.Contact(f.Subject)
}

// load brings the batch's contacts to memory, with what they say before the batch.
func (b *batch) load(ctx context.Context, tx *store.Tx, facts []tally.Fact) error {
	var missing []id.Contact
	for i := range facts {
		of := contactOf(facts[i])
		if _, ok := b.contacts[of]; ok || of == "" {
			continue
		}
		c, ok := b.mem.contacts.get(of)
		if !ok {
			missing = append(missing, of)
		}
		b.contacts[of] = &touched{Contact: c}
	}
	found, err := loadContacts(ctx, tx, missing)
	if err != nil {
		return err
	}
	for of, t := range b.contacts {
		if t.Contact == nil {
			if t.Contact = found[of]; t.Contact == nil {
				t.Contact = &tally.Contact{Head: tally.Head{ID: of}}
			}
			b.mem.contacts.put(of, t.Contact)
		}
		t.before, t.request = t.Figures(), t.Request()
		t.visits = cloneVisits(t.Visits)
		if t.Head != (tally.Head{ID: of}) || len(t.Visits) > 0 {
			t.row = contactArgs(make([]any, 0, len(contactColumns)), t.Contact)
		}
	}
	return nil
}

// take applies one fact to everything it changes.
func (b *batch) take(f tally.Fact) {
	late := f.At < b.was-lateAfter
	if of := contactOf(f); of != "" {
		t := b.contacts[of]
		t.Apply(f, b.zone)
		t.late = t.late || late
	}
	b.legs.apply(f)
	switch body := f.Body.(type) {
	case event.AgentChanged:
		b.presence[id.User(f.Subject)].Apply(f)
		b.spend(f, body, late)
	case event.AgentSignedIn, event.AgentSignedOut:
		b.presence[id.User(f.Subject)].Apply(f)
	}
}

func (b *batch) spend(f tally.Fact, body event.AgentChanged, late bool) {
	one := tally.Times{}
	one.Book(id.User(f.Subject), f.Place, body, b.zone(f.Place))
	for s, t := range one {
		whole := s
		whole.Slot = tally.WholeDay
		for _, k := range []tally.Spent{s, whole} {
			if k.Slot == tally.WholeDay && k.Day > b.mem.rolled {
				continue
			}
			at := b.times[k]
			if at == nil {
				at = &tally.Time{}
				b.times[k] = at
			}
			at.Ms += t.Ms
			at.Times += t.Times
			if late && b.over(k.Day, k.Slot, k.Site) {
				b.lateTime[k] = true
			}
		}
	}
}

// compare books what the contacts and callers say now against what they said before.
func (b *batch) compare(ctx context.Context, tx *store.Tx) error {
	for _, t := range b.contacts {
		b.book(t.before, t.Figures(), t.late)
	}
	if err := b.loadCallers(ctx, tx); err != nil {
		return err
	}
	for _, t := range b.contacts {
		b.ask(t.request, t.Request(), t.late)
	}
	for _, c := range b.callers {
		b.book(c.before, c.Row(), c.late)
	}
	b.addDays()
	return nil
}

// book books the difference of two lists of rows; late ones mark the intervals that were over. A list may hold the same
// row twice: who comes back to a queue within a quarter-hour may be refused by the same agent again.
func (b *batch) book(before, after []tally.Row, late bool) {
	differ := func(rows, others []tally.Row, sign int) {
		for i := range rows {
			if copies(others, &rows[i]) > copies(rows[:i], &rows[i]) {
				continue
			}
			b.figures.Book(rows[i:i+1], sign)
			if late {
				b.restate(rows[i].Key)
			}
		}
	}
	differ(before, after, -1)
	differ(after, before, +1)
}

// copies counts how often a row stands in a list.
func copies(rows []tally.Row, r *tally.Row) (n int) {
	for i := range rows {
		if rows[i] == *r {
			n++
		}
	}
	return n
}

func (b *batch) restate(k tally.Key) {
	whole := k
	whole.Slot = tally.WholeDay
	if k.Table == tally.ByTopic {
		whole.Slot, k.Slot = 0, tally.WholeDay
	}
	if b.over(k.Day, k.Slot, k.Site) && k.Slot != tally.WholeDay {
		b.restated[k] = b.now
	}
	if b.over(k.Day, tally.WholeDay, k.Site) && (k.Day <= b.mem.rolled || k.Table == tally.ByTopic) {
		b.restated[whole] = b.now
	}
}

// over reports whether the interval had ended, by lateAfter, before this batch.
func (b *batch) over(day string, slot int, site id.Site) bool {
	if slot == tally.WholeDay {
		slot = clock.Slots - 1
	}
	end, err := clock.SlotStart(day, slot+1, b.zone(site))
	return err == nil && end <= b.was-lateAfter
}

// ask books the change of a contact's request with its caller.
func (b *batch) ask(before, after *tally.Request, late bool) {
	if before != nil && after != nil && *before == *after {
		return
	}
	if before != nil && after != nil && before.Key() == after.Key() {
		c := b.callers[after.Key()]
		c.Book(before, after)
		c.late = c.late || late
		return
	}
	if before != nil {
		b.callers[before.Key()].Book(before, nil)
	}
	if after != nil {
		c := b.callers[after.Key()]
		c.Book(nil, after)
		c.late = c.late || late
	}
}

// addDays sums the slots' changes up to whole days, where these are kept: see roll.
func (b *batch) addDays() {
	days := tally.Figures{}
	for k, n := range b.figures {
		if k.Table != tally.ByTopic && k.Day <= b.mem.rolled {
			k.Slot = tally.WholeDay
			days.At(k).Add(n)
		}
	}
	for k, n := range days {
		b.figures[k] = n
	}
}

func cloneVisits(in []tally.Visit) []tally.Visit {
	out := slices.Clone(in)
	for i := range out {
		out[i].Offers, out[i].Parts = slices.Clone(out[i].Offers), slices.Clone(out[i].Parts)
	}
	return out
}
