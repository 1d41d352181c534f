package voice

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/engine/flow"
	"github.com/kapok-hotline/kapok/platform/audio"
	"github.com/kapok-hotline/kapok/platform/rtp"
	"github.com/kapok-hotline/kapok/platform/sip"
)

// call is one contact on the telephone: an actor. Everything about it happens on its own goroutine, in run; others
// hand it work by post and ask. What would block (ringing, answering, re-INVITE) runs elsewhere and comes back.
type call struct {
	m         *Module
	id        id.Contact
	site      id.Site
	number    id.Number
	from      string // national form, "" when withheld
	callID    string
	startedAt time.Time
	log       *slog.Logger

	trial      *trial // it is a test call; nil: a real one
	leaveTrunk func() // gives the trunk's channel back; nil: it came by none
	atlas      *atlas // as it was when the caller's city was found out; nil: it was not asked for
	place      place  // where the caller belongs

	inbox chan func()
	done  chan struct{}
	ctx   context.Context //nolint:containedctx // the call's own life: ended with it
	stop  context.CancelFunc

	caller  *side
	agent   *side
	parties []*party // they talk with caller and agent
	consult *consult // the agent asks somebody while the caller is on hold
	bridge  *rtp.Bridge
	player  *audio.Player
	rec     *recording
	ask5    *asking  // the person is asked how it was
	message *message // the person leaves one

	owed     *owed    // it is a call of ours to a person
	tended   *tended  // what is said to a person who waits
	promises *promise // this person is to be called back
	entry    Waiting  // how it entered its queue

	parked     *parked // the person is in a slot
	gaveAway   id.User // who transferred last
	guests     []*guest
	conference *conference
	reminder   *reminder // the caller is on hold, and there is a limit to that
	leaders    map[id.User]*leader
	tipOff     bool // it is, or was, at a number or in a queue that is secret

	rings    rings
	referral *referral // whoever transferred by key and has left hears how it went

	phase   phase
	timer   *time.Timer // the deadline of the phase
	onTimer func()

	flow     *flow.Flow
	cursor   flow.Cursor
	gather   *gathering
	play     int // number of the thing being played: an old one's end is not the new one's
	queue    id.Queue
	since    time.Time      // when the place in the queue counts from
	entered  time.Time      // when this stay in the queue began: later than since for who comes back
	direct   *side          // being rung past the queues
	sorted   *sorted        // nil: no line with a screening
	limit    *contact.Limit // a rule about callers holds; nil: none
	spoken   bool           // an agent has spoken with the person
	outcome  contact.Outcome
	lost     *time.Timer // the agent's browser is away
	over     bool
	disowned atomic.Bool // closed as lost by another process

	talkingLeg atomic.Pointer[rtp.Leg] // the agent's, for those who look from outside
	talkingTo  atomic.Pointer[id.User] // the agent
	talkingAt  atomic.Pointer[id.Phone]
}

// phase is where a call stands.
type phase string

const (
	guided  phase = "guided"  // in a flow
	queued  phase = "queued"  // waiting for an agent
	talking phase = "talking" // with an agent or an outside party
)

// side is one leg of the call.
type side struct {
	id         id.Leg
	role       string // caller, agent, party (an outside number, or a phone where nobody is signed in), consult
	agent      id.User
	queue      id.Queue
	enteredAt  int64
	endpoint   contact.Endpoint
	number     string   // of an outside party
	out        *outWay  // by which an outside number is called; nil before that
	line       *outline // the agent's phone is outside the house; nil: it is not
	leg        rtp.Leg
	dialog     *sip.Dialog
	own        bool      // the agent asked to be rung
	ringing    func()    // called when the phone says that it rings; may be nil
	referral   *referral // the agent waits to hear how a transfer by key went
	startedAt  time.Time
	answeredAt time.Time
	heldAt     time.Time
	held       time.Duration
	plainToo   bool // an offer of encrypted media that is refused may be followed by one in the clear
	phoneHeld  bool // what the phone's own hold key last said
}

const inboxLength = 256

// run is the call's life.
func (c *call) run() {
	defer c.close()
	for !c.over {
		select {
		case f := <-c.inbox:
			f()
		case <-c.callerDone():
			c.callerGone()
		case <-c.agentDone():
			c.agentGone()
		case <-c.consult.ownDone():
			c.endConsult(string(c.consult.own.dialog.End().Cause))
		case <-c.consult.otherDone():
			c.endConsult(string(c.consult.other.dialog.End().Cause))
		case <-c.timer.C:
			if f := c.onTimer; f != nil {
				c.onTimer = nil
				f()
			}
		case <-c.ctx.Done():
			c.end(contact.BySystem, "shutdown")
		}
	}
}

func (c *call) agentDone() <-chan struct{} {
	if c.agent == nil {
		return nil
	}
	return c.agent.dialog.Done()
}

// post hands the actor work without waiting; false when the call is over or drowned in messages.
func (c *call) post(f func()) bool {
	select {
	case c.inbox <- f:
		return true
	case <-c.done:
	default:
		c.log.Warn("a call has more to do than it can take")
	}
	return false
}

// ask has the actor do something and waits for it. False when the call was over first; what ended the call itself
// was still done, and is told so: served is closed before done is.
func (c *call) ask(ctx context.Context, f func()) bool {
	served := make(chan struct{})
	select {
	case c.inbox <- func() { f(); close(served) }:
	case <-c.done:
		return false
	case <-ctx.Done():
		return false
	}
	select {
	case <-served:
		return true
	case <-c.done:
	}
	select {
	case <-served:
		return true
	default:
		return false
	}
}

// after sets the phase's deadline; the earlier one is dropped.
func (c *call) after(d time.Duration, f func()) {
	c.timer.Stop()
	c.onTimer = f
	c.timer.Reset(d)
}

func (c *call) noDeadline() {
	c.timer.Stop()
	c.onTimer = nil
}

func (c *call) fact(actor id.User, b event.Body) { c.factAt(c.m.now(), actor, b) }

// factAt writes down what happened at a moment that is reckoned with elsewhere too.
func (c *call) factAt(at time.Time, actor id.User, b event.Body) {
	if c.trial != nil || c.disowned.Load() {
		return // a test call is no contact; of a disowned one another process has told the end
	}
	c.m.deps.Facts.Post(at, c.site, string(c.id), string(actor), b)
}

// callerGone ends a call whose caller hung up.
func (c *call) callerGone() {
	end := c.caller.dialog.End()
	if c.phase == surveying {
		c.surveyed() // the agent had hung up before
		return
	}
	if c.phase == dialing && c.seeking() && c.owed.why == "" {
		c.owed.why = "contact.refused" // hung up before it was known who answered
	}
	c.end(contact.ByCaller, string(end.Cause))
}

// agentGone ends a call whose agent hung up. When the agent's line was lost instead, the person goes back to the
// queue, at the old place.
func (c *call) agentGone() {
	end := c.agent.dialog.End()
	if k := c.consult; end.Cause == sip.CauseRemote && k != nil && k.own == nil && k.other != nil {
		c.complete(k) // who puts the handset down while the two are there has handed over
		return
	}
	if len(c.parties) > 0 {
		c.passOn(string(end.Cause))
		return
	}
	if end.Cause == sip.CauseRemote || end.Cause == sip.CauseLocal {
		c.endByAgent(string(end.Cause))
		return
	}
	c.requeue(string(end.Cause))
}
