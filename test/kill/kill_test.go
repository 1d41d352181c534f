package kill

import (
	"testing"

	"github.com/kapok-hotline/kapok/platform/store/storetest"
	"github.com/kapok-hotline/kapok/test/house"
)

// The process that decides is killed twice, once each of the two that can: everybody who waited keeps their place,
// hears music all the time and is answered. How fast and how gapless is the bench's row kill.
func TestTheBrainsProcessIsKilled(t *testing.T) {
	dir := t.TempDir()
	program, err := house.Build(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	y, err := Open(t.Context(), program, dir, storetest.PostgresAddress(t))
	if err != nil {
		t.Fatal(err)
	}
	defer y.Close()
	defer func() {
		if t.Failed() {
			t.Log(y.Log())
		}
	}()
	y.Callers = 4
	for range 2 {
		k, err := y.Kill(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%d waited, %d kept their place, %d were cut off; offered again after %v, the longest gap of music %v", k.Waiting, k.Kept, k.Cut, k.Offer, k.Gap)
		if k.Kept != k.Waiting || k.Cut != 0 {
			t.Errorf("%d of %d kept their place, %d were cut off", k.Kept, k.Waiting, k.Cut)
		}
	}
	if err := y.Doctor(t.Context()); err != nil {
		t.Error(err)
	}
}
