package voice

import (
	"context"
	"slices"
	"time"

	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/core/phone"
)

// tended is what a waiting person is told, and asked: their place, how long it may take, whether they would rather be
// called back. Times count from the begin of this stay.
type tended struct {
	sound   Sound
	comfort time.Time // when something is to be said next; zero: never
	offer   time.Time // when a callback is offered by the time waited; zero: not so
	offered bool
	asked   bool // by the estimate at the begin
	wish    wish // where the talk about a callback stands
	keys    string
	number  string // to be confirmed
	keyed   bool
}

// Standing is where somebody stands in a queue.
type Standing struct {
	Ahead  int           // who is before
	Wait   time.Duration // what is thought of the rest of the wait; 0: nothing is known yet
	Said   time.Duration // whole minutes that can be told and believed (row B6); 0: none can
	Within time.Duration // whole minutes in which nine of ten at this place are served; 0: not known
}

// wish is a step of the talk about a callback. All keys are taken while the person keeps the place in the queue: an
// agent who is free in the middle of it takes the call.
type wish string

const (
	noWish  wish = ""
	confirm wish = "confirm" // 1: this number, 2: another one
	keying  wish = "keying"  // the digits of a number, then #
	noting  wish = "noting"  // it is being written down
)

// wishBound is how long a key is waited for before the talk about a callback is dropped.
const wishBound = 12 * time.Second

// tend begins to care for a person who waits; it costs nothing where the queue has no such rule.
func (c *call) tend(s Sound) {
	c.tended = nil
	if c.m.deps.Line == nil || !s.Place && !s.Callback.offered() {
		return
	}
	now := c.m.now()
	t := &tended{sound: s}
	if s.Announce > 0 {
		t.comfort = now.Add(s.Announce)
	}
	if s.Callback.After > 0 {
		t.offer = now.Add(s.Callback.After)
	}
	c.tended = t
	if s.Place || s.Callback.Wait > 0 {
		c.tell() // once at the begin, after the word of waiting
		return
	}
	c.tendLater()
}

// tendLater sets the clock for what is to be said next.
func (c *call) tendLater() {
	t := c.tended
	if t == nil || c.phase != queued {
		return
	}
	at := t.comfort
	if !t.offered && !t.offer.IsZero() && (at.IsZero() || t.offer.Before(at)) {
		at = t.offer
	}
	if at.IsZero() {
		c.noDeadline()
		return
	}
	c.after(max(at.Sub(c.m.now()), 0), c.tell)
}

// tell asks for the place and says it, without holding up the call.
func (c *call) tell() {
	t := c.tended
	if t == nil || c.phase != queued || t.wish != noWish {
		return
	}
	c.noDeadline()
	ctx, cancel := context.WithTimeout(c.ctx, brainBound)
	c.m.gone.Go(func() {
		defer cancel()
		s, ok, err := c.m.deps.Line.Place(ctx, c.id)
		if err != nil {
			c.log.Warn("a place in a queue is not known", "err", err)
		}
		c.post(func() {
			if c.tended == t && c.phase == queued && t.wish == noWish {
				c.say4place(s, ok && err == nil)
			}
		})
	})
}

// say4place says where the person stands, and offers a callback when it is time to.
func (c *call) say4place(s Standing, known bool) {
	t := c.tended
	now := c.m.now()
	first := !t.asked
	t.asked = true
	var prompts []string
	if t.sound.Place && known {
		prompts = placePrompts(s)
	}
	if !t.comfort.IsZero() && !now.Before(t.comfort) {
		t.comfort = now.Add(t.sound.Announce)
		prompts = append(prompts, promptComfort)
	}
	rule := t.sound.Callback
	if !t.offered && (!t.offer.IsZero() && !now.Before(t.offer) || rule.Wait > 0 && known && s.Wait >= rule.Wait) {
		t.offered = true
		prompts = append(prompts, "callback_offer")
	}
	clips := c.m.sounds.clips(c.lang(), prompts)
	if first {
		c.player.Queue(nil, clips...) // after the word of waiting
	} else if len(clips) > 0 {
		c.player.Play(nil, clips...)
	}
	c.tendLater()
}

// longestSaid is the longest wait that is said; beyond, only "more than" it would be true.
const longestSaid = 99 * time.Minute

// placePrompts says a place, and a wait where one can be believed: else, with few agents, in what time most at this place
// are served, and when not even that is known nothing beyond the place.
func placePrompts(s Standing) []string {
	out := append([]string{"queue_place"}, number(s.Ahead+1)...)
	word, wait := "queue_estimate", s.Said
	if wait <= 0 {
		word, wait = "queue_within", s.Within
	}
	if wait <= 0 || wait > longestSaid {
		return out
	}
	minutes := int((wait + time.Minute - 1) / time.Minute)
	return append(append(append(out, word), number(minutes)...), "queue_minutes")
}

// number says a whole number by shipped prompts: 0 to 20 are one word each, then tens and ones; larger ones digit by digit.
func number(n int) []string {
	switch {
	case n < 0 || n > 99:
		return digits(decimal(n))
	case n <= 20 || n%10 == 0:
		return []string{"number_" + decimal(n)}
	}
	return []string{"number_" + decimal(n/10*10), "number_" + decimal(n%10)}
}

// tendKey takes a key of a waiting person.
func (c *call) tendKey(key byte) {
	t := c.tended
	if t == nil {
		return
	}
	switch t.wish {
	case noWish:
		if t.offered && key == '1' {
			c.askNumber(c.from)
		}
	case confirm:
		switch key {
		case '1':
			c.promise()
		case '2':
			c.askNumber("")
		case '*':
			c.wishOver()
		}
	case keying:
		switch {
		case key == '*':
			c.wishOver()
		case key != '#':
			if t.keys += string(key); len(t.keys) < phone.MaxDigits {
				c.after(wishBound, c.wishOver)
				return
			}
			fallthrough
		default:
			c.keyedNumber()
		}
	case noting:
	}
}

// askNumber has the person confirm a number, or key one where none is known.
func (c *call) askNumber(number string) {
	t := c.tended
	if !callable(number) {
		t.wish, t.keys, t.keyed = keying, "", true
		c.player.Play(nil, c.m.sounds.clips(c.lang(), []string{"callback_key"})...)
		c.after(wishBound+5*time.Second, c.wishOver)
		return
	}
	t.wish, t.number = confirm, number
	prompts := append(append([]string{"callback_number"}, digits(number)...), "callback_confirm")
	clips := c.m.sounds.clips(c.lang(), prompts)
	length := time.Duration(0)
	for _, clip := range clips {
		length += clip.Duration()
	}
	c.player.Play(nil, clips...)
	c.after(length+wishBound, c.wishOver)
}

// callable says that a number is one a person can be called at: an ordinary one of this country.
func callable(number string) bool {
	k := phone.Parse(number, homeArea).Kind
	return k == phone.Mobile || k == phone.Fixed
}

func (c *call) keyedNumber() {
	t := c.tended
	n := phone.Parse(t.keys, homeArea)
	if !callable(n.National) {
		c.player.Play(nil, c.m.sounds.clips(c.lang(), []string{"invalid"})...)
		t.keys = ""
		c.after(wishBound, c.wishOver)
		return
	}
	c.askNumber(n.National)
}

// wishOver drops the talk about a callback; the person waits on.
func (c *call) wishOver() {
	t := c.tended
	if t == nil || c.phase != queued {
		return
	}
	t.wish, t.keys, t.keyed = noWish, "", false
	c.player.Hush()
	c.tendLater()
}

// promise writes the callback down, then takes the person out of the queue and says goodbye.
func (c *call) promise() {
	t := c.tended
	t.wish = noting
	c.player.Hush()
	c.after(brainBound+goodbye, c.wishOver)
	now := c.m.now()
	rule := t.sound.Callback
	p := &promise{
		id: id.New(now), contact: c.id, queue: c.queue, enteredAt: c.entered.UnixMilli(), since: c.since, site: c.site, line: c.number,
		number: t.number, caller: c.from, lang: c.lang(), priority: c.entry.Priority, needs: slices.Clone(c.entry.Needs),
		askedAt: now, due: now, most: rule.Tries, every: rule.Every,
	}
	if p.most <= 0 {
		p.most = callbackTries
	}
	if p.every <= 0 {
		p.every = callbackEvery
	}
	keyed := t.keyed
	p.call = c // nobody is called before this person has hung up
	c.m.gone.Go(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(c.ctx), goodbye)
		defer cancel()
		err := c.m.callbacks.keep(ctx, p)
		taken := false
		c.ask(ctx, func() { taken = true; c.promised(p, keyed, err) })
		if !taken && err == nil { // they hung up in this very moment
			c.m.callbacks.close(p, event.BackDropped, "")
		}
	})
}

// promised tells the person that it is so, and lets them go.
func (c *call) promised(p *promise, keyed bool, err error) {
	if c.phase != queued || c.tended == nil || c.over { // an agent was faster, or they hung up
		if err == nil {
			c.m.gone.Go(func() { c.m.callbacks.close(p, event.BackDropped, "") })
		}
		return
	}
	if err != nil {
		c.log.Warn("a callback could not be noted; the person waits on", "err", err)
		c.player.Play(nil, c.m.sounds.clips(c.lang(), []string{"callback_failed"})...)
		c.tended.wish = noWish
		c.tendLater()
		return
	}
	c.keepPromise(p, keyed)
}
