package network

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/test/house"
)

// Row A5: an agent answers in a browser on a wireless network. Five times the network changes in the middle of the call
// (another source address, another socket, the old one silent), and each time both hear each other again. How long it
// takes is measured by the bench, 100 times: here it says nothing.
func TestRowA5(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	dir := t.TempDir()
	program, err := house.Build(ctx, dir)
	if err != nil {
		t.Fatal(err)
	}
	h, err := house.New(program, filepath.Join(dir, "data"))
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Start(ctx); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := h.Stop(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Log(h.Log())
		}
	}()
	bureau, err := house.Bureau(1)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Apply(ctx, bureau); err != nil {
		t.Fatal(err)
	}
	desk, err := Of(ctx, h, "1001")
	if err != nil {
		t.Fatal(err)
	}
	talk, err := Begin(ctx, desk, h.SIP, "12367")
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		try, end := context.WithTimeout(ctx, 20*time.Second)
		took, err := talk.Change(try)
		end()
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("speech is back after %v", took.Round(time.Millisecond))
	}
	talk.Close(ctx)
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(200 * time.Millisecond) {
		if err = h.Doctor(ctx); err == nil || time.Now().After(end) {
			break
		}
	}
	if err != nil {
		t.Error(err)
	}
}
