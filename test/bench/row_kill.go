package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/kapok-hotline/kapok/platform/store/storetest"
	"github.com/kapok-hotline/kapok/test/kill"
)

// Row kill: three processes on PostgreSQL, one with the telephones and two with the pages, each of which can decide. The
// one that decides is killed by kill -9 while eight callers wait; the agent says ready at the other one. All processes,
// the database and the load share the machine's cores.
const (
	killTries = 10
	killQuick = 3
	killOffer = 10 * time.Second
	killGap   = time.Second // of music: a caller takes less for a dead line only when it is shorter
)

func measureKill(ctx context.Context, b *bench, r *row) error {
	if err := pin(allCores); err != nil {
		return err
	}
	runtime.GOMAXPROCS(runtime.NumCPU())
	defer func() {
		runtime.GOMAXPROCS(1)
		_ = pin(1) // worked before
	}()
	db, stop := os.Getenv("TEST_POSTGRES"), func() {}
	if db == "" {
		var err error
		if db, stop, err = storetest.Start(); err != nil {
			return err
		}
	}
	defer stop()
	town, err := kill.Open(ctx, b.bin, filepath.Join(b.dir, "kill"), db)
	if err != nil {
		return err
	}
	defer town.Close()
	tries := killTries
	if b.quick {
		tries = killQuick
	}
	var offers, gaps []float64
	waited, kept, cut, within := 0, 0, 0, 0
	for range tries {
		k, err := town.Kill(ctx)
		if err != nil {
			return err
		}
		waited, kept, cut = waited+k.Waiting, kept+k.Kept, cut+k.Cut
		offers, gaps = append(offers, k.Offer.Seconds()), append(gaps, k.Gap.Seconds())
		if k.Offer <= killOffer && k.Gap <= killGap && k.Kept == k.Waiting && k.Cut == 0 {
			within++
		}
	}
	mid, low, high := median(offers)
	_, _, gap := median(gaps)
	r.Value, r.Low, r.High = high, low, high
	r.Measured = fmt.Sprintf("offers again after %.1f s (%.1f … %.1f, n=%d); %d of %d kept their place, %d cut off; longest gap of music %.0f ms",
		mid, low, high, len(offers), kept, waited, cut, gap*1000)
	r.notef("all three processes, the database and the load share the cores; the longest of all tries counts")
	r.Met = within == len(offers)
	return town.Doctor(ctx)
}
