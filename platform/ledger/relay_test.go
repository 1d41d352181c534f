package ledger_test

import (
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/kapok-hotline/kapok/platform/ledger"
	"github.com/kapok-hotline/kapok/platform/ledger/ledgertest"
	"github.com/kapok-hotline/kapok/platform/store"
)

// deafBus is a bus that takes nothing until it is mended.
type deafBus struct {
	mu       sync.Mutex
	deaf     bool
	accepted int // facts taken before it went deaf
	heard    []int64
}

func (b *deafBus) Publish(_ string, v any) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	f, ok := v.(ledger.Fact)
	if b.deaf && len(b.heard) >= b.accepted {
		return errors.New("nobody hears")
	}
	if ok {
		b.heard = append(b.heard, f.Seq)
	}
	return nil
}

func (*deafBus) Hear(string, func(string, []byte)) (func(), error) { return func() {}, nil }

func (b *deafBus) all() []int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.heard)
}

// A bus that fails holds up no fact; when it works again everything is published, in order, from the table.
func TestABusThatFailsLosesNothing(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		b := &deafBus{deaf: true, accepted: 3}
		l := ledgertest.Open(t, ledger.Config{DB: db, Node: "node-1", Bus: b, Log: quiet()})
		for range 10 {
			appendAll(t, l, fact("contact.ended", "x"), fact("contact.rated", "x"))
		}
		eventually(t, "three are heard", func() bool { return len(b.all()) == 3 })
		b.mu.Lock()
		b.deaf = false
		b.mu.Unlock()
		appendAll(t, l, fact("contact.ended", "y"))
		eventually(t, "all are heard", func() bool { return len(b.all()) == 21 })
		for i, seq := range b.all() {
			if seq != int64(i)+1 {
				t.Fatalf("heard %v", b.all())
			}
		}
	})
}
