package app

import (
	"context"
	"log/slog"
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/platform/section"
)

// openTest opens a house in a new folder, configured as the demo bureau, and runs it until the test ends.
func openTest(t *testing.T) *House {
	t.Helper()
	level := slog.LevelWarn
	if testing.Verbose() {
		level = slog.LevelInfo
	}
	h, err := Open(t.Context(), Options{
		Data: t.TempDir(), HTTP: "127.0.0.1:0", SIP: []string{"127.0.0.1:0"}, Advertise: netip.MustParseAddr("127.0.0.1"),
		Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level})), Demo: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	bureau, err := os.ReadFile("demo/bureau.yaml")
	if err != nil {
		t.Fatal(err)
	}
	r, err := h.book.Apply(t.Context(), bureau, section.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range r.Problems {
		t.Errorf("line %d: %s: %s %v", p.Line, p.Path, p.Code, p.Params)
	}
	if t.Failed() {
		t.FailNow()
	}
	ctx, cancel := context.WithCancel(context.Background())
	ready, done := make(chan struct{}), make(chan error, 1)
	go func() { done <- h.Run(ctx, func() { close(ready) }) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	select {
	case <-ready:
	case err := <-done:
		done <- nil
		t.Fatal(err)
	case <-time.After(30 * time.Second):
		t.Fatal("the house did not come up")
	}
	return h
}

func TestHouseOpens(t *testing.T) {
	h := openTest(t)
	http, _ := h.web.Addrs()
	t.Log(http, h.voice.SIP().Addr("udp"))
}
