package voice

import (
	"context"
	"strings"
	"time"

	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/engine/flow"
	"github.com/kapok-hotline/kapok/platform/audio"
)

// What is played in place of words that have no sound: nobody is left in silence.
const (
	promptUnspoken = "unspoken"  // this announcement cannot be played
	promptPressKey = "press_key" // you can press …
)

// say plays prompts in a language and then does what comes next. A missing prompt is skipped: silence is no way to
// tell a person of our mistake.
func (c *call) say(lang string, prompts []string, then func()) {
	c.sayClips(c.m.sounds.clips(lang, prompts), then)
}

// sayWords plays the prompts of a node or, where none of them has a sound, its text as the speech engine speaks it: at
// once when it was spoken before, else within the engine's deadline. What cannot be spoken is replaced by a shipped
// prompt; a question names its keys.
func (c *call) sayWords(lang string, prompts []string, text string, q *flow.Gather, then func()) {
	clips := c.m.sounds.clips(lang, prompts)
	words := text
	if len(clips) == 0 && words == "" {
		words = c.m.snap.Load().wordsOf(lang, prompts)
	}
	if len(clips) > 0 || words == "" && len(prompts) == 0 {
		c.sayClips(clips, then)
		return
	}
	if clip := c.m.maker.spoken(lang, words); clip != nil {
		c.sayClips([]*audio.Clip{clip}, then)
		return
	}
	instead := c.instead(lang, q)
	k := c.m.mouth.Load()
	if words == "" || !k.speaks() {
		c.log.Warn("words without a sound are replaced by a shipped prompt", "node", c.cursor.Node)
		c.sayClips(instead, then)
		return
	}
	c.play++
	n, limit := c.play, k.deadline()
	play := func(clip *audio.Clip) {
		if c.play != n {
			return
		}
		if clip != nil {
			instead = []*audio.Clip{clip}
		}
		c.sayClips(instead, then)
	}
	c.after(limit+time.Second, func() { play(nil) })
	c.m.crew.Do(func() {
		ctx, stop := context.WithTimeout(c.ctx, limit)
		defer stop()
		clip, err := c.m.maker.speak(ctx, lang, words)
		if err != nil {
			c.log.Warn("words could not be spoken in time and are replaced by a shipped prompt", "err", err)
		}
		c.post(func() { play(clip) })
	})
}

// instead gives what is played where words cannot be spoken.
func (c *call) instead(lang string, q *flow.Gather) []*audio.Clip {
	if q == nil || q.Keys == "" {
		return c.m.sounds.clips(lang, []string{promptUnspoken})
	}
	prompts := []string{promptPressKey}
	for _, key := range q.Keys {
		if key >= '0' && key <= '9' {
			prompts = append(prompts, "digit_"+string(key))
		}
	}
	return c.m.sounds.clips(lang, prompts)
}

// wordsOf joins the words of prompts in a language, or in the first one that has any.
func (s *snapshot) wordsOf(lang string, prompts []string) string {
	var all []string
	for _, p := range prompts {
		text := s.prompts[id.Prompt(p)].Text
		for _, l := range append([]string{lang}, languages...) {
			if text[l] != "" {
				all = append(all, text[l])
				break
			}
		}
	}
	return strings.Join(all, " ")
}
