package voice

import (
	"context"
	"crypto/hmac"
	"strings"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/sip"
)

// An agent's phone may hang on no register of ours: a mobile, or a telephone at home, that is called over the trunks of
// its site as call-outs are. Whoever lifts it takes a call only by a key, so that no answering machine ever does.

// outline is the outside phone of one side that is rung, and the keys pressed there until the call is taken.
type outline struct {
	phoneRow
	keys chan byte
}

// The question for a key: how often it is put again, how long a PIN may be, and how often a wrong one may be keyed.
const (
	outlinePause = 2500 * time.Millisecond
	outlineKeys  = 32
	pinShortest  = 4
	pinLongest   = 8
	pinTries     = 3
)

// outlineOf gives the outside phone of an endpoint, nil when it is none.
func (m *Module) outlineOf(at contact.Endpoint) *outline {
	if at.Phone == "" {
		return nil
	}
	if p, ok := m.snap.Load().phones[at.Phone]; ok && p.Number != "" {
		return &outline{phoneRow: p, keys: make(chan byte, outlineKeys)}
	}
	return nil
}

// Outside says whether an endpoint is a phone outside the house: it asks for a key.
func (m *Module) Outside(at contact.Endpoint) bool {
	return at.Phone != "" && m.snap.Load().phones[at.Phone].Number != ""
}

// outsideUp says whether an outside phone can be rung: one of the trunks that lead there is up, and the rules for calls
// out let the agent, when there is one, be called there at this hour.
func (m *Module) outsideUp(p Phone, agent id.User) bool {
	if agent != "" {
		if _, err := m.callRule(agent, p.Number); err != nil {
			return false
		}
	}
	down := m.downTrunks()
	for _, w := range m.outTrunk(p.Site) {
		if down[w.trunk] == 0 {
			return true
		}
	}
	return false
}

// dialOutside calls an outside phone. It is shown the number of its city, or the caller's where the phone says so; who
// calls to tip off is shown to no carrier.
func (m *Module) dialOutside(ctx context.Context, c *call, s *side, kind string) (*sip.Dialog, []byte, error) {
	if s.agent != "" {
		if _, err := m.callRule(s.agent, s.line.Number); err != nil {
			return nil, nil, err
		}
	}
	shown := ""
	if s.line.ShowCaller && !m.snap.Load().numbers[c.number].Secret && (s.queue == "" || !m.deps.Queues.Sound(s.queue).Secret) {
		shown = c.shownTo(s)
	}
	return m.callOut(ctx, c, s, s.line.Site, shown, kind)
}

// press takes a key of the phone; what nobody asked for is dropped.
func (o *outline) press(key byte) {
	select {
	case o.keys <- key:
	default:
	}
}

// taken asks whoever has lifted an outside phone to take the call by a key; nil when they have. Hanging up, 2 (or * where
// a PIN is asked for) and three wrong PINs refuse it; ctx ends the wait.
func (c *call) taken(ctx context.Context, s *side) error {
	prompt, refused := promptTake, fault.New(fault.Conflict, "contact.refused")
	if s.line.Pin {
		prompt = promptPin
	}
	ear := c.m.tick.NewPlayer(s.leg)
	defer ear.Stop()
	ask := time.NewTimer(0)
	defer ask.Stop()
	typed, wrong := "", 0
	for {
		select {
		case <-ask.C:
			length := outlinePause
			clips := c.m.sounds.clips(c.m.snap.Load().settings.Language, []string{prompt})
			for _, clip := range clips {
				length += clip.Duration()
			}
			ear.Play(nil, clips...)
			ask.Reset(length)
		case key := <-s.line.keys:
			ear.Hush()
			switch s.line.judge(c.m.deps.Realm, &typed, key) {
			case keyTakes:
				return nil
			case keyRefuses:
				return refused
			case keyWrong:
				if wrong++; wrong == pinTries {
					return refused
				}
				ask.Reset(0)
			default:
				ask.Reset(2 * outlinePause) // who is keying is not talked into
			}
		case <-s.dialog.Done():
			return refused
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// Prompts an outside phone hears.
const (
	promptTake = "line_take"
	promptPin  = "line_pin"
)

// What a key at an outside phone means.
const (
	keyNothing = iota
	keyTakes
	keyRefuses
	keyWrong
)

// judge says what a key means; typed collects a PIN, which # ends unless it is right already.
func (o *outline) judge(realm string, typed *string, key byte) int {
	if !o.Pin {
		switch key {
		case '1':
			return keyTakes
		case '2':
			return keyRefuses
		}
		return keyNothing
	}
	if key == '*' {
		return keyRefuses
	}
	if strings.IndexByte("0123456789", key) >= 0 {
		*typed += string(key)
	}
	if len(*typed) >= pinShortest && o.MD5 != "" && hmac.Equal([]byte(digests(string(o.Code), realm, *typed)[sip.MD5]), []byte(o.MD5)) {
		return keyTakes
	}
	if key == '#' || len(*typed) >= pinLongest {
		*typed = ""
		return keyWrong
	}
	return keyNothing
}
