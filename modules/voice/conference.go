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

// rooms gives those who hear each other: mine are the agent and whoever they speak with, others are caller and parties
// while the agent is not with them. A caller who is alone hears music.
func (c *call) rooms() (mine, others []*side) {
	if c.phase != talking || c.agent == nil {
		return nil, nil
	}
	k, away := c.consult, c.lost != nil
	switch {
	case !away && c.agent.heldAt.IsZero():
		mine = []*side{c.caller, c.agent}
		for _, p := range c.parties {
			mine = append(mine, p.side)
		}
		return mine, nil
	case !away && k != nil && k.with == event.WithAsked:
		mine = []*side{c.agent, k.other}
	case !away:
		mine = []*side{c.agent}
	}
	if len(c.parties) > 0 {
		others = []*side{c.caller}
		for _, p := range c.parties {
			others = append(others, p.side)
		}
	}
	return mine, others
}

// lay connects the media as the call stands.
func (c *call) lay() {
	mine, others := c.rooms()
	if len(c.guests) == 0 && len(mine) < 2 { // what they hear alone is played to them
		mine, others = others, nil
	}
	if len(c.guests) == 0 && len(mine) <= 2 && others == nil {
		c.unbridge()
		if len(mine) == 2 {
			c.bridge = rtp.Join(mine[0].leg, mine[1].leg)
			if mine[0] == c.caller { // what an agent asks is not the caller's talk
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
	all := slices.Concat(mine, others)
	talks := slices.Contains(all, c.caller)
	for _, g := range c.guests {
		all = append(all, g.side)
	}
	c.conference.seat(all, func(listener, speaker *side) bool {
		if slices.Contains(others, listener) != slices.Contains(others, speaker) {
			return false
		}
		for _, p := range c.parties {
			if p.side == speaker && p.muted {
				return false
			}
		}
		for _, g := range c.guests {
			if g.side == listener && g.hears != nil && !g.hears(speaker) || g.side == speaker && g.heardBy != nil && !g.heardBy(listener) {
				return false
			}
		}
		return true
	})
	if c.rec != nil && talks {
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
