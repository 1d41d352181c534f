package voice

import (
	"cmp"
	"context"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
)

// waitsParked is the phase of a call whose person is in a slot.
const waitsParked phase = "parked"

// parked is a person's stay in a slot.
type parked struct {
	slot  int
	by    id.User
	since time.Time
	tries int // of ringing who parked
	how   string
}

const (
	parkLimit = 2 * time.Minute  // where the settings say nothing
	parkAgain = 10 * time.Second // between two tries to ring who parked
	parkTries = 3                // then a call that came from a queue goes back to it
)

// Park leaves the person in the lowest free slot with music, for whoever may to take back, and lets the agent go. At the
// limit the agent is rung; who then has no time, three times, gives the person back to the queue they came from, at the
// place they had. Tip-offs are not parked: anybody could take them.
func (m *Module) Park(ctx context.Context, cid id.Contact, by id.User) (slot int, err error) {
	may := func(c *call) error {
		switch {
		case c.secret():
			return fault.New(fault.Forbidden, "voice.park.secret")
		case c.consult != nil || len(c.parties) > 0:
			return fault.New(fault.Conflict, "voice.park.asking")
		}
		return nil
	}
	if err := m.withAgent(ctx, cid, by, may); err != nil {
		return 0, err
	}
	if slot, err = m.takeSlot(ctx, cid); err != nil {
		return 0, err
	}
	err = m.withAgent(ctx, cid, by, func(c *call) error {
		if err := may(c); err != nil {
			return err
		}
		end, cancel := context.WithTimeout(c.ctx, goodbye)
		defer cancel()
		c.park(slot, by, c.m.parkLimit(), func() { c.dropAgent(end, "park") })
		return nil
	})
	if err != nil {
		m.freeSlot(cid, slot)
	}
	return slot, err
}

func (m *Module) parkLimit() time.Duration {
	return cmp.Or(time.Duration(m.snap.Load().settings.ParkLimitS)*time.Second, parkLimit)
}

// park puts the person into a slot; letGo ends whoever they talked with.
func (c *call) park(slot int, by id.User, limit time.Duration, letGo func()) {
	now := c.m.now()
	c.parked = &parked{slot: slot, by: by, since: now}
	c.factAt(now, by, event.ContactParked{Agent: by, Slot: slot, Queue: c.queue, Until: now.Add(limit).UnixMilli()})
	letGo()
	c.phase, c.direct, c.gather = waitsParked, nil, nil
	if clips := c.m.sounds.clips(c.lang(), []string{string(c.holdMusic())}); len(clips) > 0 {
		c.player.Music(clips[0])
	}
	c.player.Play(nil)
	c.after(limit, c.parkOver)
}

// parkOver rings who parked, if they are free; who is not is tried again a little later.
func (c *call) parkOver() {
	p := c.parked
	if p.tries++; p.tries > parkTries && c.queue != "" {
		c.unparked("", event.ParkQueue)
		c.wait(c.queue, Waiting{Since: c.since})
		return
	}
	ctx, cancel := context.WithTimeout(c.ctx, brainBound)
	defer cancel()
	at, err := c.m.deps.Queues.Take(ctx, c.id, p.by, c.queue)
	if err != nil {
		c.after(parkAgain, c.parkOver)
		return
	}
	c.ringParked(&side{role: "agent", agent: p.by, endpoint: at}, event.ParkRecalled)
}

// Unpark brings a parked person to an agent who asks for them: ready, away or in wrap-up. It returns when the agent's own
// phone rings; a browser takes the call by itself.
func (m *Module) Unpark(ctx context.Context, cid id.Contact, by id.User) error {
	c := m.find(cid)
	if c == nil {
		return notHere(cid)
	}
	err := notHere(cid)
	c.ask(ctx, func() {
		switch {
		case c.phase != waitsParked:
			err = fault.New(fault.Conflict, "voice.park.gone")
		case c.direct != nil:
			err = fault.New(fault.Conflict, "voice.park.rings")
		default:
			var at contact.Endpoint
			if at, err = m.deps.Queues.Dial(ctx, c.id, by, c.queue, m.calloutWrapup()); err == nil {
				c.ringParked(&side{role: "agent", agent: by, endpoint: at, own: true}, event.ParkTaken)
			}
		}
	})
	return err
}

// ringParked rings an agent for a parked person, who hears music all the while and stays parked when nobody answers.
func (c *call) ringParked(s *side, how string) {
	c.noDeadline()
	c.direct, c.parked.how = s, how
	c.m.gone.Go(func() {
		ctx, cancel := context.WithTimeout(c.ctx, directRing)
		defer cancel()
		err := c.ring(ctx, s, func() bool {
			if c.phase != waitsParked || c.direct != s {
				return false
			}
			ctx, cancel := context.WithTimeout(c.ctx, brainBound)
			defer cancel()
			return c.m.deps.Queues.Taken(ctx, c.id, s.agent) == nil
		})
		if err == nil {
			return
		}
		c.log.Info("a parked person's agent did not answer", "agent", s.agent, "err", err)
		c.doneAsking(s)
		c.post(func() {
			if c.phase == waitsParked && c.direct == s {
				c.direct = nil
				c.after(parkAgain, c.parkOver)
			}
		})
	})
}

// unparked closes the stay in a slot, if there is one.
func (c *call) unparked(agent id.User, how string) {
	p := c.parked
	if p == nil {
		return
	}
	c.parked = nil
	now := c.m.now()
	c.factAt(now, agent, event.ContactUnparked{Slot: p.slot, Agent: agent, How: how, Ms: now.Sub(p.since).Milliseconds()})
	c.m.freeSlot(c.id, p.slot)
}

// parkFor keeps a person whom an agent gave away in vain, and who has no queue to go back to: parked for that agent, who
// is rung at once.
func (c *call) parkFor(by id.User, why string) {
	c.phase = guided
	c.m.gone.Go(func() {
		ctx, cancel := context.WithTimeout(c.ctx, goodbye)
		defer cancel()
		slot, err := c.m.takeSlot(ctx, c.id)
		if !c.post(func() {
			if err != nil || by == "" {
				c.end(contact.BySystem, "transfer "+why)
				return
			}
			c.park(slot, by, time.Second, func() {})
		}) && err == nil {
			c.m.freeSlot(c.id, slot)
		}
	})
}
