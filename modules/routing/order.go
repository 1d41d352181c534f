package routing

import (
	"context"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/engine/acd"
)

// Order is a request to the brain as it travels between processes. Verb says which of the others are read.
type Order struct {
	Verb     Verb             `json:"verb"`
	User     id.User          `json:"user,omitempty"`
	Site     id.Site          `json:"site,omitempty"`
	Endpoint contact.Endpoint `json:"endpoint"`
	Seat     id.Seat          `json:"seat,omitempty"`
	Contact  id.Contact       `json:"contact,omitempty"`
	Medium   contact.Medium   `json:"medium,omitempty"`
	Queue    id.Queue         `json:"queue,omitempty"`
	Ready    bool             `json:"ready,omitempty"` // wants ready; the endpoint is up
	Reason   string           `json:"reason,omitempty"`
	Until    int64            `json:"until,omitempty"` // unix ms
	At       int64            `json:"at,omitempty"`    // unix ms: when it happened, of what may be told late
	Offer    id.Offer         `json:"offer,omitempty"`
	WrapMs   int64            `json:"wrap_ms,omitempty"` // of what comes through no queue; less than 0: until the agent is done
}

// Reply is the brain's answer.
type Reply struct {
	Endpoint contact.Endpoint `json:"endpoint"`
	Agent    id.User          `json:"agent,omitempty"`
	OK       bool             `json:"ok,omitempty"`
	Ahead    int              `json:"ahead,omitempty"`
	Standing Standing         `json:"standing"`
	Contacts []id.Contact     `json:"contacts,omitempty"`
	Idle     []Idle           `json:"idle,omitempty"`
}

// Verb is what is asked of the brain.
type Verb string

// What can be asked.
const (
	verbSignIn         Verb = "sign_in"
	verbSignOut        Verb = "sign_out"
	verbLapsed         Verb = "lapsed"
	verbReturned       Verb = "returned"
	verbWant           Verb = "want"
	verbWrapUpDone     Verb = "wrap_up_done"
	verbWrapUpExtended Verb = "wrap_up_extended"
	verbTake           Verb = "take"
	verbTaken          Verb = "taken"
	verbDone           Verb = "done"
	verbSignedIn       Verb = "signed_in"
	verbEndpoint       Verb = "endpoint"
	verbWaiting        Verb = "waiting"
	verbPlace          Verb = "place"
	verbLeave          Verb = "leave"
	verbPromise        Verb = "promise"
	verbConfirm        Verb = "confirm"
	verbSpare          Verb = "spare"
)

// Peers are the other processes of the house.
type Peers interface {
	// Ask puts an order to the process that decides. A fault of kind Unavailable: nobody does just now.
	Ask(ctx context.Context, o Order) (Reply, error)
	// Decide has orders answered here until stop.
	Decide(answer func(ctx context.Context, o Order) (Reply, error)) (stop func(), err error)
	// Channel gives the channel of a contact that the process holds.
	Channel(node id.Node, medium contact.Medium) contact.Channel
}

// errVacant says that this process does not decide, or not any more.
var errVacant = error(fault.New(fault.Unavailable, "routing.vacant"))

const (
	vacantRetry = 100 * time.Millisecond
	// insistBound is how long the brain is sought for what it must learn: longer than any change of brain takes.
	insistBound = time.Minute
)

// tell is order for what is answered by yes or a fault; alone it is carried out at once.
func (m *Module) tell(ctx context.Context, o Order) error {
	if m.deps.Peers == nil {
		_, err := m.carryOut(ctx, o)
		return err
	}
	_, err := m.order(ctx, o)
	return err
}

// insist is tell for what has happened, whether the brain likes it or not: while nobody decides it is told again and
// again, behind the caller's back when the caller cannot wait.
func (m *Module) insist(ctx context.Context, o Order) error {
	if m.deps.Peers == nil {
		_, err := m.carryOut(ctx, o)
		return err
	}
	done := make(chan error, 1)
	m.offers.running.Go(func() {
		long, cancel := context.WithTimeout(m.life, insistBound)
		defer cancel()
		_, err := m.order(long, o)
		if err != nil {
			m.deps.Log.Error("the brain was not told", "what", o.Verb, "contact", o.Contact, "agent", o.User, "err", err)
		}
		done <- err
	})
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return nil // it is being told
	}
}

// order has an order carried out by the process that decides, this one or another. While none does it is asked again
// as long as ctx allows.
func (m *Module) order(ctx context.Context, o Order) (r Reply, err error) {
	for {
		if m.leads.Load() {
			r, err = m.carryOut(ctx, o)
		} else {
			r, err = m.askPeers(ctx, o)
		}
		if fault.KindOf(err) != fault.Unavailable {
			return r, err
		}
		timer := m.deps.Clock.NewTimer(vacantRetry)
		select {
		case <-timer.C():
		case <-m.life.Done():
			timer.Stop()
			return r, err
		case <-ctx.Done():
			timer.Stop()
			return r, err
		}
	}
}

// farewell lets what is still to be told to the brain of another process be told, for a moment.
func (m *Module) farewell() {
	if m.deps.Peers == nil {
		return
	}
	told := make(chan struct{})
	go func() {
		m.offers.wait()
		close(told)
	}()
	timer := m.deps.Clock.NewTimer(orderBound)
	defer timer.Stop()
	select {
	case <-told:
	case <-timer.C():
	}
	m.endLife()
	<-told
}

// orderBound is how long one asking may take; then it is asked again, perhaps of another.
const orderBound = 3 * time.Second

// askPeers puts the order to another process. What was posted here before is on the disk first: facts of one contact
// come from two processes, and their order in the ledger is that of what happened.
func (m *Module) askPeers(ctx context.Context, o Order) (Reply, error) {
	ctx, cancel := context.WithTimeout(ctx, orderBound)
	defer cancel()
	if err := m.deps.Flush(ctx); err != nil {
		return Reply{}, fault.New(fault.Unavailable, "routing.vacant").Because(err)
	}
	return m.deps.Peers.Ask(ctx, o)
}

// answer carries out the order of another process. What it has to say is on the disk before it is answered.
func (m *Module) answer(ctx context.Context, o Order) (Reply, error) {
	r, err := m.carryOut(ctx, o)
	if ferr := m.deps.Flush(ctx); ferr != nil && err == nil {
		m.deps.Log.Warn("an answer goes out before its facts are on the disk", "what", o.Verb, "err", ferr)
	}
	return r, err
}

// carryOut does here what an order says.
func (m *Module) carryOut(ctx context.Context, o Order) (r Reply, err error) {
	switch o.Verb {
	case verbSignIn:
		if err = m.signIn(ctx, o.User, o.Site, o.Endpoint, o.Seat, func() bool { return m.deps.Up(o.Endpoint) }); err == nil {
			err = m.kept(ctx, o.User)
		}
	case verbSignOut:
		err = m.signOut(ctx, o.User, o.Reason)
	case verbLapsed:
		err = m.lapsed(ctx, o.User)
	case verbReturned:
		err = m.returned(ctx, o.User)
	case verbWant:
		err = m.want(ctx, o.User, o.Ready, o.Reason)
	case verbWrapUpDone:
		err = m.wrapUpDone(ctx, o.User)
	case verbWrapUpExtended:
		err = m.wrapUpExtended(ctx, o.User, time.UnixMilli(o.Until))
	case verbTake:
		r.Endpoint, err = m.take(ctx, o)
	case verbTaken:
		err = m.taken(ctx, o.Contact, o.User)
	case verbDone:
		err = m.done(ctx, o)
	case verbSignedIn:
		r.Endpoint, r.OK, err = m.signedIn(ctx, o.User)
	case verbEndpoint:
		r.Agent, err = m.endpointChanged(ctx, o.Endpoint, o.Ready)
	case verbWaiting:
		all, werr := m.waitingHere(ctx)
		for c := range all {
			r.Contacts = append(r.Contacts, c)
		}
		err = werr
	case verbPlace:
		r.Standing, r.OK, err = m.placeHere(ctx, o.Contact)
	case verbLeave:
		err = m.do(ctx, request{leaves: o.Contact, event: acd.Event{Kind: acd.ContactLeft, Contact: o.Contact}})
	case verbPromise:
		err = m.do(ctx, request{leaves: o.Contact, promised: true, event: acd.Event{Kind: acd.ContactLeft, Contact: o.Contact}})
	case verbSpare:
		r.Idle, r.Ahead, err = m.spareHere(ctx, o.Queue)
	case verbConfirm:
		r.OK, err = m.confirmFor(ctx, o)
	default:
		var ours bool
		if r, ours, err = m.forced(ctx, o); !ours {
			err = fault.New(fault.Invalid, "routing.order.unknown", "verb", string(o.Verb))
		}
	}
	return r, err
}

// kept returns when an agent is written down as the last request left it.
func (m *Module) kept(ctx context.Context, user id.User) error {
	var written <-chan error
	if err := m.do(ctx, request{look: func(t *thinker) { written = t.ticket(user) }}); err != nil {
		return err
	}
	select {
	case err := <-written:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// confirmFor asks whether an offer made to another process's contact still stands, once its agent is written down as
// talking: what is granted no later brain takes back.
func (m *Module) confirmFor(ctx context.Context, o Order) (bool, error) {
	n, err := acd.ParseOffer(o.Offer)
	if err != nil {
		return false, fault.New(fault.Invalid, "routing.offer.invalid", "offer", string(o.Offer)).Because(err)
	}
	granted, written := false, (<-chan error)(nil)
	err = m.do(ctx, request{
		event: acd.Event{Kind: acd.OfferAccepted, Agent: o.User, Offer: n, Contact: o.Contact}, by: "agent",
		look: func(t *thinker) {
			p := t.agents[o.User]
			again := p != nil && p.took == n && p.now.contact == o.Contact && p.now.state == event.Talking
			granted, written = t.granted || again, t.ticket(o.User)
		},
	})
	if err != nil || !granted {
		return false, err
	}
	select {
	case err := <-written:
		return grants(err), nil
	case <-ctx.Done():
		return false, nil
	}
}

// Confirm asks the brain, from the process that holds the contact, whether an offer to it still stands.
func (m *Module) Confirm(ctx context.Context, offer id.Offer, c id.Contact, agent id.User) bool {
	r, err := m.order(ctx, Order{Verb: verbConfirm, Offer: offer, Contact: c, User: agent})
	return err == nil && r.OK
}

// channel gives the channel a waiting contact came by, in whatever process.
func (m *Module) channel(w *waiting) contact.Channel {
	if m.deps.Peers != nil && w.node != m.deps.Node {
		return m.deps.Peers.Channel(w.node, w.Medium)
	}
	return m.deps.Channels(w.Medium)
}
