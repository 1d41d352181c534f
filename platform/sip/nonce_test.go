package sip

import (
	"testing"
	"time"
)

func TestNonceCounts(t *testing.T) {
	b := newNonceBox(time.Minute)
	now := time.UnixMilli(1_700_000_000_000)
	n := b.make(now)
	if ours, fresh := b.fresh(n, now.Add(59*time.Second)); !ours || !fresh {
		t.Error("a young nonce is refused")
	}
	if ours, fresh := b.fresh(n, now.Add(61*time.Second)); !ours || fresh {
		t.Error("an old nonce is taken")
	}
	if ours, _ := newNonceBox(time.Minute).fresh(n, now); ours {
		t.Error("a stranger's nonce is taken for ours")
	}
	for _, c := range []struct {
		nc uint32
		ok bool
	}{{1, true}, {1, false}, {3, true}, {2, true}, {2, false}, {100, true}, {36, false}, {37, true}, {99, true}, {1000, true}, {100, false}} {
		if got := b.use(n, c.nc, now); got != c.ok {
			t.Errorf("count %d: %v", c.nc, got)
		}
	}
}
