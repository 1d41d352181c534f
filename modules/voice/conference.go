package voice

import (
	"slices"

	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/platform/audio"
	"github.com/kapok-hotline/kapok/platform/rtp"
)

// Who hears whom in a call is laid anew, by lay, whenever something changes: a hold, a transfer, a browser that went, a
// guest that came. Two who talk are a bridge, which costs a relayed packet; more, or a guest, are a conference, which
// mixes. Everything here runs on the call's actor.

// guest is a leg beside those who talk: a supervisor, or whoever else is let in. hears and heardBy may be changed at
// any time, with a lay after it.
type guest struct {
	side    *side
	hears   func(speaker *side) bool  // nil: everybody
	heardBy func(listener *side) bool // nil: everybody
}

// admit lets a guest in, whose leg has been answered.
func (c *call) admit(g *guest) {
	c.guests = append(c.guests, g)
	c.lay()
}

// dismiss takes a guest out; hanging up is the asker's. What remains of the call talks on.
func (c *call) dismiss(g *guest) {
	c.guests = slices.DeleteFunc(c.guests, func(x *guest) bool { return x == g })
	c.lay()
}

// circle gives those who hear each other: caller and agent, or who is left of them while the caller hears music.
func (c *call) circle() []*side {
	k := c.consult
	switch {
	case c.phase != talking || c.agent == nil || c.lost != nil:
		return nil
	case k != nil && k.with == event.WithAsked:
		return []*side{c.agent, k.other}
	case k != nil && k.with == event.WithBoth:
		return []*side{c.caller, c.agent, k.other}
	case !c.agent.heldAt.IsZero():
		return []*side{c.agent}
	}
	return []*side{c.caller, c.agent}
}

// lay connects the media as the call stands.
func (c *call) lay() {
	circle := c.circle()
	if len(c.guests) == 0 && len(circle) <= 2 {
		c.unbridge()
		if len(circle) == 2 {
			c.bridge = rtp.Join(circle[0].leg, circle[1].leg)
			if circle[0] == c.caller { // what an agent asks is not the caller's talk
				c.tap()
			}
		}
		return
	}
	if c.bridge != nil {
		c.bridge.Cut()
		c.bridge = nil
	}
	if c.conference == nil {
		c.conference = newConference(c.m.tick)
	}
	all := slices.Clone(circle)
	for _, g := range c.guests {
		all = append(all, g.side)
	}
	c.conference.seat(all, func(listener, speaker *side) bool {
		for _, g := range c.guests {
			if g.side == listener && g.hears != nil && !g.hears(speaker) || g.side == speaker && g.heardBy != nil && !g.heardBy(listener) {
				return false
			}
		}
		return true
	})
	if c.rec != nil && slices.Contains(circle, c.caller) {
		c.conference.tape(c.caller, c.rec.rec.Left(), c.rec.rec.Right())
	} else {
		c.conference.untape()
	}
}

// unbridge lets nobody hear anybody.
func (c *call) unbridge() {
	if c.bridge != nil {
		c.bridge.Cut()
		c.bridge = nil
	}
	if c.conference != nil {
		c.conference.close()
		c.conference = nil
	}
}

// conference mixes legs, each of which hears those it is said to hear.
type conference struct {
	mixer *audio.Mixer
	of    map[*side]*audio.Member
	legs  map[*side]rtp.Leg // as they were seated: a side's leg may be another by now
	hears func(listener, speaker *side) bool
	reel  *audio.Member // the recorder's right side: what the caller hears
	taped *side
}

func newConference(t *audio.Tick) *conference {
	return &conference{mixer: t.NewMixer(), of: map[*side]*audio.Member{}, legs: map[*side]rtp.Leg{}}
}

// seat makes exactly these the members. hears says for each pair whether the first hears the second.
func (k *conference) seat(all []*side, hears func(listener, speaker *side) bool) {
	k.hears = hears
	for s := range k.of {
		if !slices.Contains(all, s) || k.legs[s] != s.leg {
			k.leave(s)
		}
	}
	for _, s := range all {
		if k.of[s] == nil {
			k.of[s], k.legs[s] = k.mixer.Join(s.leg), s.leg
			s.leg.SetSink(k.of[s])
		}
	}
	for _, listener := range all {
		for _, speaker := range all {
			if listener != speaker {
				k.mixer.Hear(k.of[listener], k.of[speaker], hears(listener, speaker))
			}
		}
	}
}

func (k *conference) leave(s *side) {
	if s == k.taped {
		k.untape()
	}
	k.legs[s].SetSink(nil)
	k.mixer.Leave(k.of[s])
	delete(k.of, s)
	delete(k.legs, s)
}

// tape records a member: left what it says, right what it hears.
func (k *conference) tape(s *side, left, right audio.Sink) {
	k.untape()
	k.taped, k.reel = s, k.mixer.Join(right)
	k.legs[s].SetSink(audio.Tee(k.of[s], left))
	for x, member := range k.of {
		k.mixer.Hear(k.reel, member, x != s && k.hears(s, x))
	}
}

func (k *conference) untape() {
	if k.taped == nil {
		return
	}
	k.mixer.Leave(k.reel)
	k.legs[k.taped].SetSink(k.of[k.taped])
	k.taped, k.reel = nil, nil
}

func (k *conference) close() {
	for s := range k.of {
		k.leave(s)
	}
	k.mixer.Close()
}
