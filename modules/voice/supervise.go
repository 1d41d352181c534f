package voice

import (
	"context"
	"errors"
	"math"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/core/right"
	"github.com/kapok-hotline/kapok/engine/flow"
	"github.com/kapok-hotline/kapok/platform/store"
	"github.com/kapok-hotline/kapok/platform/web"
)

// PlaySecret is the right to hear recordings of calls nobody may listen to: tip-offs.
const PlaySecret right.Right = "voice.secret.play"

// supervisor is the role of a leader's leg that takes part in a call without serving the caller.
const supervisor = "supervisor"

// leaderRing is how long a leader's endpoint rings: they sit in front of it and have just asked for it.
const leaderRing = 15 * time.Second

// maxLeaders is how many leaders take part in one call at once.
const maxLeaders = 3

// Leader is who takes part in a call, and where they are rung. SignedIn: the brain knows them at that endpoint.
type Leader struct {
	User     id.User          `json:"user"`
	Endpoint contact.Endpoint `json:"endpoint"`
	SignedIn bool             `json:"signed_in,omitempty"`
}

// leader is one who takes part, on the call's actor; guest is nil while the endpoint rings.
type leader struct {
	by    Leader
	agent id.User // who served the caller when it began
	mode  event.Force
	since time.Time // of the mode
	side  *side
	guest *guest
	stop  context.CancelFunc // of the ringing
}

// Supervise lets a leader listen to, whisper into, barge into or take over the call of an agent. The leader's own
// endpoint is rung once; said again, the mode changes. It returns when the leader takes part. Calls of a number or
// queue that is secret are refused, whoever asks.
func (m *Module) Supervise(ctx context.Context, cid id.Contact, agent id.User, by Leader, mode event.Force) error {
	c := m.find(cid)
	if c == nil {
		return notHere(cid)
	}
	ctx, cancel := context.WithTimeout(ctx, leaderRing)
	defer cancel()
	l, fresh, err := (*leader)(nil), false, notHere(cid)
	c.ask(ctx, func() { l, fresh, err = c.letIn(ctx, agent, by, mode, cancel) })
	if err != nil || !fresh {
		return err
	}
	err = c.ringLeader(ctx, l)
	if err == nil {
		return nil
	}
	c.ask(context.WithoutCancel(ctx), func() {
		if c.leaders[by.User] == l {
			delete(c.leaders, by.User)
		}
	})
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return fault.New(fault.Unavailable, "voice.supervise.unanswered")
	case errors.Is(err, context.Canceled):
		return fault.New(fault.Conflict, "contact.void")
	}
	return err
}

// letIn notes that a leader is being rung, or changes how one takes part who already does.
func (c *call) letIn(ctx context.Context, agent id.User, by Leader, mode event.Force, stop context.CancelFunc) (l *leader, fresh bool, err error) {
	switch {
	case c.secret():
		return nil, false, fault.New(fault.Forbidden, "voice.supervise.secret")
	case c.over || c.phase != talking || c.agent == nil || c.agent.agent == "" || c.agent.agent != agent:
		return nil, false, fault.New(fault.Conflict, "voice.supervise.not_talking", "agent", string(agent))
	case agent == by.User:
		return nil, false, fault.New(fault.Invalid, "voice.supervise.self")
	}
	if l = c.leaders[by.User]; l != nil {
		if l.guest == nil {
			return nil, false, fault.New(fault.Conflict, "voice.supervise.ringing")
		}
		c.setMode(ctx, l, mode)
		return l, false, nil
	}
	if len(c.leaders) >= maxLeaders {
		return nil, false, fault.New(fault.Conflict, "voice.supervise.full", "most", maxLeaders)
	}
	if c.leaders == nil {
		c.leaders = map[id.User]*leader{}
	}
	l = &leader{by: by, agent: agent, mode: mode, stop: stop}
	c.leaders[by.User] = l
	return l, true, nil
}

// ringLeader rings a leader's endpoint; the brain is told first, so that nobody is offered to who listens.
func (c *call) ringLeader(ctx context.Context, l *leader) error {
	queues := c.m.deps.Queues
	if l.by.SignedIn {
		at, err := queues.Seize(ctx, c.id, l.by.User)
		if err != nil {
			return err
		}
		l.by.Endpoint = at
	}
	l.side = &side{role: supervisor, agent: l.by.User, endpoint: l.by.Endpoint}
	err := c.ring(ctx, l.side, func() bool {
		ok := c.leaders[l.by.User] == l && c.phase == talking && c.agent != nil && c.agent.agent == l.agent && !c.secret()
		if ok && l.by.SignedIn {
			c.told("taken", queues.Taken(c.ctx, c.id, l.by.User))
		}
		return ok
	})
	if err != nil {
		c.doneSupervising(l)
	}
	return err
}

// doneSupervising gives a leader back to the brain.
func (c *call) doneSupervising(l *leader) {
	if l.by.SignedIn {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(c.ctx), brainBound)
		defer cancel()
		c.told("done", c.m.deps.Queues.Done(ctx, c.id, l.by.User))
	}
}

// attend lets a leader in whose endpoint has answered.
func (c *call) attend(s *side) {
	l := c.leaders[s.agent]
	s.answeredAt = c.m.now()
	c.rings.joined(s)
	c.factAt(s.answeredAt, s.agent, event.LegAnswered{Leg: s.id})
	mode := l.mode
	l.mode, l.since = event.ForceListen, s.answeredAt
	l.guest = &guest{side: s, heardBy: func(listener *side) bool {
		switch l.mode {
		case event.ForceBarge:
			return true
		case event.ForceWhisper:
			return listener == c.agent
		}
		return false
	}}
	c.admit(l.guest)
	c.factAt(l.since, s.agent, event.ContactSupervised{Leg: s.id, By: s.agent, Agent: l.agent, Mode: event.ForceListen})
	if mode != event.ForceListen {
		c.setMode(c.ctx, l, mode)
	}
	c.m.gone.Go(func() {
		select {
		case <-s.dialog.Done():
			c.post(func() {
				if c.leaders[s.agent] == l {
					c.leave(l, string(s.dialog.End().Cause))
				}
			})
		case <-c.done:
		}
	})
}

// setMode changes how a leader takes part.
func (c *call) setMode(ctx context.Context, l *leader, mode event.Force) {
	if l.mode == mode {
		return
	}
	now := c.m.now()
	was, ms := l.mode, now.Sub(l.since).Milliseconds()
	l.mode, l.since = mode, now
	c.factAt(now, l.by.User, event.ContactSupervised{Leg: l.side.id, By: l.by.User, Agent: l.agent, Mode: mode, Was: was, Ms: ms})
	if mode == event.ForceTakeOver {
		c.takeOver(ctx, l)
		return
	}
	c.lay()
}

// takeOver puts the leader in the agent's place: the agent's talk time stops here, the leader's begins.
func (c *call) takeOver(ctx context.Context, l *leader) {
	s := l.side
	delete(c.leaders, l.by.User)
	c.dismiss(l.guest)
	now := c.legEnded(s, "take over", s.leg.Stats())
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), goodbye)
	defer cancel()
	c.goWithoutParties(func() { c.dropAgent(ctx, "take over") })
	s.role = "agent"
	if !l.by.SignedIn {
		s.role, s.agent, s.number = "party", "", s.peer()
	}
	s.id, s.startedAt, s.answeredAt, s.held = id.Leg(id.New(now)), now, now, 0
	c.factAt(now, s.agent, event.LegStarted{Leg: s.id, Role: s.role, Agent: s.agent, Peer: s.peer()})
	c.factAt(now, s.agent, event.LegAnswered{Leg: s.id})
	c.connect(s)
}

// Unsupervise ends a leader's part in a call; the others talk on.
func (m *Module) Unsupervise(ctx context.Context, cid id.Contact, by id.User) error {
	c := m.find(cid)
	if c == nil {
		return notHere(cid)
	}
	var err error = fault.New(fault.Conflict, "voice.supervise.none")
	c.ask(ctx, func() {
		if l := c.leaders[by]; l != nil {
			err = nil
			c.leave(l, "desk")
		}
	})
	return err
}

// leave ends a leader's part.
func (c *call) leave(l *leader, cause string) {
	delete(c.leaders, l.by.User)
	if l.guest == nil {
		l.stop() // it still rings; the ringing ends itself
		return
	}
	c.dismiss(l.guest)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.ctx), goodbye)
	defer cancel()
	c.closeSide(ctx, l.side, cause)
	c.doneSupervising(l)
}

// leaveAll ends every leader's part: the agent they were with is gone.
func (c *call) leaveAll(cause string) {
	for _, l := range c.leaders {
		c.leave(l, cause)
	}
}

// released is the cause of what a leader ended.
const released = "released"

// Release takes a call from its agent by a leader's word: it ends, or goes back to its queue at the place it had.
func (m *Module) Release(ctx context.Context, cid id.Contact, agent id.User, requeue bool) error {
	return m.withAgent(ctx, cid, agent, func(c *call) error {
		if requeue {
			c.requeue(released)
		} else {
			c.end(contact.BySystem, released)
		}
		return nil
	})
}

// secret says whether nobody may listen: the number, or a queue the call was ever in, is for tip-offs.
func (c *call) secret() bool {
	c.tipOff = c.tipOff || c.m.snap.Load().numbers[c.number].Secret || c.queue != "" && c.m.deps.Queues.Sound(c.queue).Secret
	return c.tipOff
}

// sealRecording notes a recording as one of a secret call as soon as it is: it may be found after a crash.
func (c *call) sealRecording() {
	r := c.rec
	if r == nil || r.secret || !c.secret() {
		return
	}
	r.secret = true
	c.m.gone.Go(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(c.ctx), goodbye)
		defer cancel()
		if err := c.m.seal(ctx, r.id); err != nil {
			c.log.Error("a recording is not noted as secret yet; it is before it is entered", "recording", r.id, "err", err)
		}
	})
}

// Secret says whether nobody may listen to calls of a number.
func (m *Module) Secret(n id.Number) bool { return m.snap.Load().numbers[n].Secret }

// greetCrowd adds what callers are told while a surge plan runs, once: not in the flows a call comes to later.
func (c *call) greetCrowd(e *flow.Entry) {
	if c.m.deps.Surge == nil || e.Again {
		return
	}
	for _, p := range c.m.deps.Surge(c.site) {
		e.Greetings = append(e.Greetings, flow.Greeting{Prompt: string(p), From: 0, Until: math.MaxInt64})
	}
}

// seal notes that a recording is of a secret call.
func (m *Module) seal(ctx context.Context, recording string) error {
	_, err := store.Exec(ctx, m.deps.DB, `INSERT INTO voice_secret (recording) VALUES (?) ON CONFLICT (recording) DO NOTHING`, recording)
	return err
}

// maySecret is a fault when a recording is of a secret call and the caller lacks the right of their own for these.
func (m *Module) maySecret(ctx context.Context, recording string, place id.Site) error {
	n, err := store.One(ctx, m.deps.DB, `SELECT COUNT(*) FROM voice_secret WHERE recording = ?`, store.Col[int], recording)
	if err != nil || n == 0 {
		return err
	}
	return web.May(ctx, PlaySecret, place)
}

// purpose is what an endpoint is told that it is rung for.
func (s *side) purpose() string {
	switch {
	case s.role == supervisor:
		return "supervise"
	case s.own:
		return "own"
	}
	return "offer"
}
