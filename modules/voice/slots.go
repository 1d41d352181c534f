package voice

import (
	"context"
	"slices"

	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/ledger"
	"github.com/kapok-hotline/kapok/platform/store"
)

// slotsMost is how many people can be parked at once: numbers of two digits are said and remembered easily.
const slotsMost = 99

// takeSlot gives a contact the lowest free slot.
func (m *Module) takeSlot(ctx context.Context, c id.Contact) (int, error) {
	for {
		used, err := store.All(ctx, m.deps.DB, `SELECT slot FROM voice_park ORDER BY slot`, store.Col[int])
		if err != nil {
			return 0, err
		}
		slot := 1
		for slices.Contains(used, slot) {
			slot++
		}
		if slot > slotsMost {
			return 0, fault.New(fault.Unavailable, "voice.park.full", "most", slotsMost)
		}
		n, err := store.Exec(ctx, m.deps.DB, `INSERT INTO voice_park (slot, contact, node, at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING`,
			slot, string(c), string(m.deps.Node), m.now().UnixMilli())
		if err != nil || n == 1 {
			return slot, err
		}
	}
}

// freeSlot gives a slot back, behind the caller's back.
func (m *Module) freeSlot(c id.Contact, slot int) {
	m.gone.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), goodbye)
		defer cancel()
		if _, err := store.Exec(ctx, m.deps.DB, `DELETE FROM voice_park WHERE slot = ? AND contact = ?`, slot, string(c)); err != nil {
			m.deps.Log.Error("a slot is not given back before the next start", "slot", slot, "contact", c, "err", err)
		}
	})
}

// clearSlots gives back what an earlier process of this name held: its calls ended with it.
func (m *Module) clearSlots(ctx context.Context) error {
	_, err := store.Exec(ctx, m.deps.DB, `DELETE FROM voice_park WHERE node = ?`, string(m.deps.Node))
	return err
}

// checkSlots: whoever has a slot of this process is parked in it. Before calls are taken there is nothing to compare.
func (m *Module) checkSlots(ctx context.Context, db *store.DB) ([]ledger.Breach, error) {
	select {
	case <-m.ready:
	default:
		return nil, nil
	}
	type row struct {
		slot    int
		contact id.Contact
	}
	all, err := store.All(ctx, db, `SELECT slot, contact FROM voice_park WHERE node = ? AND at < ?`,
		func(r store.Scanner) (v row, err error) { return v, r.Scan(&v.slot, &v.contact) }, string(m.deps.Node), m.now().Add(-2*goodbye).UnixMilli())
	var out []ledger.Breach
	for _, r := range all {
		slot := 0
		if c := m.find(r.contact); c != nil {
			c.ask(ctx, func() {
				if c.parked != nil {
					slot = c.parked.slot
				}
			})
		}
		if slot == r.slot {
			continue
		}
		// It may have ended between the two questions.
		left, err := store.All(ctx, db, `SELECT slot FROM voice_park WHERE contact = ?`, store.Col[int], string(r.contact))
		if err != nil {
			return nil, err
		}
		if slices.Contains(left, r.slot) {
			out = append(out, ledger.Breach{Subject: string(r.contact), Params: map[string]any{"slot": r.slot}})
		}
	}
	return out, err
}
