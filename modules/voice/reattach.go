package voice

import (
	"context"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/sip"
)

// keepCall is how long a call waits for an agent whose browser lost its line.
const keepCall = 15 * time.Second

// lostAgent keeps the call while the agent's browser is away; the caller hears music meanwhile. When the time is
// over the caller goes back to the queue, at the old place.
func (c *call) lostAgent() {
	if c.lost != nil || c.agent == nil {
		return
	}
	c.log.Warn("the agent's browser is away; the call is kept", "agent", c.agent.agent)
	c.unbridge()
	c.lost = time.AfterFunc(keepCall, func() {
		c.post(func() {
			if c.lost != nil && c.agent != nil {
				c.requeue("browser lost")
			}
		})
	})
	if len(c.parties) == 0 {
		c.soothe()
	} else {
		c.lay()
	}
}

func (c *call) stopLost() {
	if c.lost != nil {
		c.lost.Stop()
		c.lost = nil
	}
}

// reattach brings the call to the browser that came back: a new leg of media for the same leg of the contact. It
// also serves a page that was reloaded so fast that its loss was never seen.
func (c *call) reattach() {
	old := c.agent
	fresh := old.again()
	c.m.gone.Go(func() {
		ctx, cancel := context.WithTimeout(c.ctx, keepCall)
		defer cancel()
		if err := c.m.openLeg(c, fresh); err != nil {
			c.log.Error("no media for a browser that came back", "err", err)
			return
		}
		dialog, answer, err := c.m.dial(ctx, c, fresh, "reattach")
		if err == nil {
			fresh.dialog = dialog
			err = fresh.leg.Accept(answer)
		}
		if err != nil {
			c.log.Warn("a browser came back and did not take its call", "agent", old.agent, "err", err)
			drop(fresh)
			return
		}
		if !c.ask(ctx, func() { c.takeUp(old, fresh) }) {
			drop(fresh)
		}
	})
}

// takeUp puts the fresh side in the place of the old one. The old dialog ends without ending the call.
func (c *call) takeUp(old, fresh *side) {
	if c.over || c.agent != old {
		drop(fresh)
		return
	}
	c.stopLost()
	c.unbridge()
	fresh.heldAt, fresh.held = old.heldAt, old.held
	c.agent = fresh
	c.talkingLeg.Store(&fresh.leg)
	if fresh.heldAt.IsZero() {
		c.player.Stop()
	}
	c.lay()
	drop(old)
	c.log.Info("the agent's browser is back in the call", "agent", fresh.agent)
}

// drop ends a side's dialog and media without a word in the ledger: it is not the leg that ends.
func drop(s *side) {
	if s.dialog != nil {
		go func(d *sip.Dialog) {
			ctx, cancel := context.WithTimeout(context.Background(), goodbye)
			defer cancel()
			_ = d.Bye(ctx) // its connection is gone already, or goes now
		}(s.dialog)
	}
	_ = s.leg.Close() // it may be closed already
}

// Echo calls an endpoint and plays back what it says: the last test before being ready.
func (m *Module) Echo(ctx context.Context, at contact.Endpoint) error {
	c := &call{m: m, id: id.Contact(id.New(m.now())), inbox: make(chan func(), inboxLength), done: make(chan struct{}), log: m.deps.Log}
	c.caller = &side{}
	s := &side{role: "agent", agent: at.Agent, endpoint: at}
	if err := m.openLeg(c, s); err != nil {
		return err
	}
	dialog, answer, err := m.dial(ctx, c, s, "echo")
	if err == nil {
		s.dialog = dialog
		err = s.leg.Accept(answer)
	}
	if err != nil {
		drop(s)
		return err
	}
	m.gone.Go(func() { m.echo(c, s) })
	return nil
}

const echoLength = 60 * time.Second

func (m *Module) echo(c *call, s *side) {
	defer close(c.done)
	defer drop(s)
	player := m.tick.NewPlayer(s.leg)
	defer player.Stop()
	player.Play(func() { s.leg.SetSink(s.leg) }, m.sounds.clips(m.snap.Load().settings.Language, []string{"echo"})...)
	limit := time.NewTimer(echoLength)
	defer limit.Stop()
	select {
	case <-s.dialog.Done():
	case <-limit.C:
	case <-m.life.Done():
	}
}
