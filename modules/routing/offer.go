package routing

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/engine/acd"
)

// offers are the endpoints being rung: one goroutine each, ended by its answer, its deadline or a withdrawal.
type offers struct {
	mu      sync.Mutex
	cancels map[acd.OfferNo]context.CancelFunc
	running sync.WaitGroup
}

func (o *offers) add(n acd.OfferNo, cancel context.CancelFunc) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.cancels == nil {
		o.cancels = map[acd.OfferNo]context.CancelFunc{}
	}
	o.cancels[n] = cancel
}

func (o *offers) cancel(n acd.OfferNo) {
	o.mu.Lock()
	cancel := o.cancels[n]
	delete(o.cancels, n)
	o.mu.Unlock()
	if cancel != nil {
		cancel()
	}
}

// run starts a side errand of the brain with a bound of its own.
func (o *offers) run(f func(context.Context)) {
	o.running.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		f(ctx)
	})
}

func (o *offers) wait() {
	o.mu.Lock()
	for _, cancel := range o.cancels {
		cancel()
	}
	o.mu.Unlock()
	o.running.Wait()
}

// offer rings the agent's endpoint. The brain's deadline is the ring timeout; whoever rings stops there.
func (t *thinker) offer(c acd.Command) {
	w, p := t.contacts[c.Contact], t.agents[c.Agent]
	if w == nil || p == nil {
		return // cannot be: the brain offers only what was entered and who signed in
	}
	m := t.m
	w.offer, w.agent = c.Offer, c.Agent
	now := m.deps.Clock.Now()
	m.deps.Facts.Post(now, w.Site, string(c.Contact), string(c.Agent), event.ContactOffered{
		Offer: c.Offer.ID(), Queue: w.queue, Agent: c.Agent, EnteredAt: w.enteredAt,
		Relax: int(c.Relax), Ring: int(c.Ring), Trace: t.decisions[c.Offer],
	})
	ring := max(time.UnixMilli(c.Deadline).Sub(now), time.Second)
	ctx, cancel := context.WithTimeout(context.Background(), ring)
	m.offers.add(c.Offer, cancel)
	o := contact.Offer{ID: c.Offer.ID(), Contact: c.Contact, Queue: w.queue, Endpoint: p.endpoint}
	ch := m.channel(w)
	written := t.ticket(c.Agent)
	m.offers.running.Go(func() {
		defer m.offers.cancel(c.Offer)
		if !m.may(ctx, written) {
			return
		}
		var accepted atomic.Bool
		err := ch.Connect(ctx, o, func() bool {
			yes := m.confirm(ctx, c)
			accepted.Store(yes)
			return yes
		})
		if !accepted.Load() {
			m.unanswered(c, ctx.Err(), err)
		}
	})
}

// may waits until the agent is written down as rung: by compare-and-set, so that of two brains one alone can ring an
// agent. Where it is not, the offer was never made: another brain decides, or this one finds out by the deadline.
func (m *Module) may(ctx context.Context, written <-chan error) bool {
	select {
	case err := <-written:
		return err == nil
	case <-ctx.Done():
		return false
	}
}

// confirm tells the brain the endpoint accepted and asks whether the offer still stands.
func (m *Module) confirm(ctx context.Context, c acd.Command) bool {
	if m.deps.Peers != nil {
		return m.Confirm(context.WithoutCancel(ctx), c.Offer.ID(), c.Contact, c.Agent)
	}
	granted := false
	err := m.do(context.WithoutCancel(ctx), request{
		event: acd.Event{Kind: acd.OfferAccepted, Agent: c.Agent, Offer: c.Offer, Contact: c.Contact}, by: "agent",
		look: func(t *thinker) { granted = t.granted },
	})
	return err == nil && granted
}

// unanswered tells the brain how an offer failed. When its time ran out or it was withdrawn the brain knows.
func (m *Module) unanswered(c acd.Command, ended, err error) {
	if ended != nil && errors.Is(err, ended) {
		return
	}
	kind := acd.OfferFailed
	if code := fault.CodeOf(err); code == "contact.refused" || code == "contact.busy" {
		kind = acd.OfferRefused
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	ev := acd.Event{Kind: kind, Agent: c.Agent, Offer: c.Offer, Contact: c.Contact, Reason: fault.CodeOf(err)}
	if ours(ev.Reason) {
		ev.Reason = acd.ReasonHouse
	}
	if derr := m.do(ctx, request{event: ev, by: "brain"}); derr != nil {
		m.deps.Log.Warn("the brain was not told of a failed offer; its deadline will do it", "offer", c.Offer.ID(), "err", derr)
	}
}

// ours says whether an offer failed by the house, before any phone rang: no port or socket was free, or the process
// that has the call is dead or has lost it. Until that call is given up it is offered on, and nobody is to be sent
// away for having missed it.
func ours(code string) bool {
	switch code {
	case "voice.media.none", "voice.call.gone", "platform.process.gone", "bus.subject.unanswered", "bus.closed":
		return true
	}
	return false
}
