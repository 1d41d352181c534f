package routing

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/bus"
	"github.com/kapok-hotline/kapok/platform/bus/bustest"
	"github.com/kapok-hotline/kapok/platform/clock"
	"github.com/kapok-hotline/kapok/platform/ledger"
	"github.com/kapok-hotline/kapok/platform/store/storetest"
)

// atOnce answers every offer at once.
type atOnce struct{ answered chan id.User }

func (a atOnce) Connect(_ context.Context, o contact.Offer, confirm func() bool) error {
	if !confirm() {
		return fault.New(fault.Conflict, "contact.void")
	}
	a.answered <- o.Endpoint.Agent
	return nil
}
func (atOnce) Move(context.Context, id.Contact, id.User, contact.Target) error { return nil }
func (atOnce) End(context.Context, id.Contact, contact.Party) error            { return nil }
func (atOnce) Post(time.Time, id.Site, string, string, event.Body)             {}

// BenchmarkCall is what routing itself does for a call, from the entry to the end of the wrap-up, without and with
// live state in a process alone: the difference is the price of being able to be taken over.
func BenchmarkCall(b *testing.B) {
	for name, live := range map[string]bool{"without": false, "live": true} {
		b.Run(name, func(b *testing.B) { benchCall(b, live) })
	}
}

func benchCall(b *testing.B, live bool) {
	ctx, cancel := context.WithCancel(b.Context())
	db := storetest.SQLite(b)
	ch := atOnce{make(chan id.User, 1)}
	d := Deps{DB: db, Clock: clock.System(), Facts: ch, Log: slog.New(slog.DiscardHandler), Channels: func(contact.Medium) contact.Channel { return ch }}
	if live {
		k, err := bustest.New(b).Bucket(ctx, "live", bus.BucketConfig{})
		if err != nil {
			b.Fatal(err)
		}
		d.Live = k
	}
	m := New(d)
	if err := db.Migrate(ctx, "routing", m.Migrations()); err != nil {
		b.Fatal(err)
	}
	l, err := ledger.Open(ctx, ledger.Config{DB: db, Node: "n"})
	if err != nil {
		b.Fatal(err)
	}
	if err := queueTable.Put(ctx, db, "vat", Queue{Code: "vat", Name: "VAT", Site: "gz", RingS: 20, WrapupS: 30}); err != nil {
		b.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- m.Start(ctx) }()
	<-m.Ready()
	must := func(err error) {
		if err != nil {
			b.Fatal(err)
		}
	}
	must(m.SignIn(ctx, "a", "gz", contact.Endpoint{Agent: "a"}, "", func() bool { return true }))
	must(m.Want(ctx, "a", true, ""))
	n := 0
	for b.Loop() {
		n++
		c := id.Contact(fmt.Sprintf("c%d", n))
		must(m.Enter(ctx, "vat", Entry{Contact: c, Medium: contact.Phone, Site: "gz", Caller: string(c), First: true}))
		<-ch.answered
		must(m.Done(ctx, c, "a"))
		must(m.WrapUpDone(ctx, "a"))
	}
	cancel()
	<-done
	must(l.Close(context.WithoutCancel(ctx)))
}
