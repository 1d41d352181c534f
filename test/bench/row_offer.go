package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/modules/routing"
	"github.com/kapok-hotline/kapok/platform/clock"
	"github.com/kapok-hotline/kapok/platform/store"
)

// Row offer: an agent becomes free with a thousand people waiting, and the next offer goes out. It is measured in the
// routing module itself, facts written as JSON included, telephone and disk left out: what the queue costs, whatever
// the channel. One turn is the end of the last contact, the decision and its explanation, the offer, the answer, and
// one arrival that keeps the number waiting.
const (
	offerWaiting = 1000
	offerTurns   = 5000
	offerGoal    = 0.2 // ms
	offerQueue   = id.Queue("general")
	offerSite    = id.Site("gz")
)

func measureOffer(ctx context.Context, b *bench, r *row) error {
	var costs, few []float64
	for range b.times(3) {
		for _, x := range []struct {
			waiting int
			into    *[]float64
		}{{20, &few}, {offerWaiting, &costs}} {
			cost, err := offers(ctx, b.dir, x.waiting)
			if err != nil {
				return err
			}
			*x.into = append(*x.into, cost)
		}
	}
	r.of(costs, "%.3f ms")
	low, _, _ := median(few)
	r.Met = r.Value <= offerGoal
	r.notef("with 20 waiting %.3f ms", low)
	return nil
}

// offers gives the processor time in ms of one turn.
func offers(ctx context.Context, dir string, waiting int) (float64, error) {
	ctx, stop := context.WithCancel(ctx)
	o, err := newOffice(ctx, filepath.Join(dir, fmt.Sprintf("offers-%d.db", time.Now().UnixNano())))
	if err != nil {
		stop()
		return 0, err
	}
	defer o.db.Close() //nolint:errcheck // a temporary file
	ended := make(chan error, 1)
	go func() { ended <- o.m.Start(ctx) }()
	defer func() {
		stop()
		<-ended
	}()
	select {
	case <-o.m.Ready():
	case err := <-ended:
		ended <- nil
		return 0, errors.Join(errors.New("routing did not start"), err)
	}
	for range waiting {
		if err := o.arrive(ctx); err != nil {
			return 0, err
		}
	}
	for i := range agents {
		u := id.User(userCode(i))
		if err := o.m.SignIn(ctx, u, offerSite, contact.Endpoint{Agent: u, Phone: id.Phone(phoneCode(i))}, "", func() bool { return true }); err != nil {
			return 0, err
		}
		if err := o.m.Want(ctx, u, true, ""); err != nil {
			return 0, err
		}
	}
	if err := o.turn(ctx, offerTurns/10); err != nil { // warm
		return 0, err
	}
	before := ownTime()
	if err := o.turn(ctx, offerTurns); err != nil {
		return 0, err
	}
	cost := float64((ownTime() - before).Microseconds()) / 1000 / offerTurns
	return cost, o.goHome(ctx)
}

// goHome ends everything, so that routing need not wait for it.
func (o *office) goHome(ctx context.Context) error {
	for i := range agents {
		if err := o.m.Want(ctx, id.User(userCode(i)), false, "MEAL"); err != nil {
			return err
		}
	}
	for _, c := range o.came {
		if err := o.m.Leave(ctx, c); err != nil {
			return err
		}
	}
	for {
		select {
		case won := <-o.won:
			if err := o.m.Done(ctx, won.Contact, won.Endpoint.Agent); err != nil {
				return err
			}
		case <-time.After(200 * time.Millisecond): // an offer under way takes no longer
			return nil
		}
	}
}

// office is routing with agents who answer at once, on a channel that is none.
type office struct {
	db      *store.DB
	m       *routing.Module
	next    int
	came    []id.Contact
	won     chan contact.Offer
	written atomic.Int64 // bytes of facts
}

func newOffice(ctx context.Context, file string) (*office, error) {
	db, err := store.Open(ctx, "sqlite:"+file)
	if err != nil {
		return nil, err
	}
	o := &office{db: db, won: make(chan contact.Offer, agents)}
	o.m = routing.New(routing.Deps{
		DB: db, Clock: clock.System(), Facts: o, Channels: func(contact.Medium) contact.Channel { return o }, Log: slog.New(slog.DiscardHandler),
	})
	if err := db.Migrate(ctx, o.m.Name(), o.m.Migrations()); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	put := func(table, code string, body any) error {
		text, err := json.Marshal(body)
		if err == nil {
			_, err = store.Exec(ctx, db, `INSERT INTO `+table+` (code, body) VALUES (?, ?)`, code, string(text))
		}
		return err
	}
	err = put("routing_queue", string(offerQueue), routing.Queue{
		Code: offerQueue, Name: "general", Site: offerSite, Needs: []routing.Need{{Skill: "general", Level: 1}}, RingS: 15, RelaxAfterS: 20,
	})
	for i := range agents {
		err = errors.Join(err, put("routing_agent", userCode(i), routing.Agent{User: id.User(userCode(i)), Skills: map[id.Skill]int{"general": 1 + i%4}}))
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return o, nil
}

// Post is routing's Facts: written down as the house does, and thrown away.
func (o *office) Post(_ time.Time, _ id.Site, _, _ string, body event.Body) {
	text, err := json.Marshal(body)
	if err == nil {
		o.written.Add(int64(len(text)))
	}
}

// Connect is contact.Channel's: the agent answers at once.
func (o *office) Connect(_ context.Context, offer contact.Offer, confirm func() bool) error {
	if confirm() {
		o.won <- offer
	}
	return nil
}

// Move is contact.Channel's; nobody is moved here.
func (o *office) Move(context.Context, id.Contact, id.User, contact.Target) error { return nil }

// End is contact.Channel's; nobody is sent away here.
func (o *office) End(context.Context, id.Contact, contact.Party) error { return nil }

func (o *office) arrive(ctx context.Context) error {
	o.next++
	c := id.Contact(id.New(time.Now()))
	o.came = append(o.came, c)
	return o.m.Enter(ctx, offerQueue, routing.Entry{Contact: c, Medium: contact.Phone, Site: offerSite, Caller: fmt.Sprint(13800000000 + o.next), First: true})
}

// turn has n contacts served one after another.
func (o *office) turn(ctx context.Context, n int) error {
	for range n {
		select {
		case won := <-o.won:
			if err := o.m.Done(ctx, won.Contact, won.Endpoint.Agent); err != nil {
				return err
			}
			if err := o.arrive(ctx); err != nil {
				return err
			}
		case <-time.After(patience):
			return errors.New("no offer came")
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}
