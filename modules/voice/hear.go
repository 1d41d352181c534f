package voice

import (
	"bytes"
	"context"
	"encoding/binary"
	"strings"
	"time"

	"github.com/kapok-hotline/kapok/engine/flow"
	"github.com/kapok-hotline/kapok/platform/audio"
	"github.com/kapok-hotline/kapok/platform/speech"
)

// hearing is a question that may be answered by speech: an ear on the caller's line until something was said, then the
// engine's work on it. A key ends it at any time.
type hearing struct {
	by   *mouth
	lang string
	hint string
	ear  *audio.Ear
	stop context.CancelFunc // of the engine's work; nil: nothing has been said yet
}

// canHear says whether a question may be answered by speech now.
func (c *call) canHear() bool { return c.m.mouth.Load().listens(c.m.now()) }

// openEar listens to the caller, the prompts having been played.
func (c *call) openEar(lang string, q *flow.Gather) {
	g := c.gather
	k := c.m.mouth.Load()
	h := &hearing{by: k, lang: lang, hint: strings.Join(q.Speech.Words, " ")}
	h.ear = audio.NewEar(audio.EarConfig{
		Longest: k.longest(), Pause: k.pause(),
		Began: func() { c.post(func() { c.speaking(g) }) },
		Ended: func(clip *audio.Clip) { c.post(func() { c.saidIt(g, clip) }) },
	})
	g.hear = h
	c.caller.leg.SetSink(h.ear)
}

// speaking: the caller has begun to speak. The silence of a first key is no silence any more; the limit is that of an
// answer, should the line fall silent without another packet.
func (c *call) speaking(g *gathering) {
	if c.gather != g || g.hear == nil || g.hear.stop != nil || g.keys != "" {
		return
	}
	c.after(g.hear.by.longest()+g.hear.by.pause()+time.Second, func() {
		if clip := g.hear.ear.Take(); clip != nil {
			c.saidIt(g, clip)
			return
		}
		c.unheard(g, flow.Unheard)
	})
}

// saidIt has an answer written down. Whoever presses a key meanwhile is not kept waiting.
func (c *call) saidIt(g *gathering, clip *audio.Clip) {
	if c.gather != g || g.hear == nil || g.hear.stop != nil || g.keys != "" {
		return
	}
	h := g.hear
	c.caller.leg.SetSink(nil)
	ctx, stop := context.WithTimeout(c.ctx, h.by.deadline())
	h.stop = stop
	c.after(h.by.deadline()+time.Second, func() { c.unheard(g, flow.Deaf) }) // should even the work's own end not come
	c.m.crew.Do(func() {
		text, err := h.by.engine.Transcribe(ctx, speech.Listen{
			Model: h.by.ListenModel, WAV: speechWAV(clip), Language: h.by.name(h.lang), Hint: h.hint,
		})
		c.post(func() { c.written(g, text, err) })
	})
}

// written takes what the engine made of an answer.
func (c *call) written(g *gathering, text speech.Heard, err error) {
	if g.hear == nil {
		return
	}
	k := g.hear.by
	if c.ctx.Err() == nil && c.gather == g { // who has pressed a key or hung up has ended the work: no fault of the engine
		if k.noteHearing(c.m.now(), err == nil) {
			c.m.deps.Log.Warn("the speech engine is left alone for a while: callers are asked for keys", "for", deafFor, "err", err)
		}
	}
	if c.gather != g {
		return
	}
	switch {
	case err != nil:
		c.log.Warn("an answer could not be written down; the caller is asked for keys", "err", err)
		c.unheard(g, flow.Deaf)
	case text.Text == "" || text.Sure >= 0 && text.Sure < k.least():
		c.unheard(g, flow.Unheard)
	default:
		c.next(flow.Input{Kind: flow.Heard, Text: text.Text})
	}
}

func (c *call) unheard(g *gathering, why string) {
	if c.gather == g {
		c.next(flow.Input{Kind: flow.Failed, Why: why})
	}
}

// shut takes the ear off the line; the engine's work, if any, is given up.
func (g *gathering) shut(c *call) {
	if g == nil || g.hear == nil {
		return
	}
	if g.hear.stop != nil {
		g.hear.stop()
	} else {
		c.caller.leg.SetSink(nil)
	}
	g.hear = nil
}

// speechWAV makes what recognisers are made for of telephone sound: 16 kHz, 16 bits.
func speechWAV(clip *audio.Clip) []byte {
	const rate = 16000
	pcm := make([]int16, len(clip.Bytes()))
	audio.Decode(pcm, clip.Bytes(), audio.PCMA)
	s := audio.Resample(audio.Sound{Rate: audio.Rate, Samples: pcm}, rate)
	var b bytes.Buffer
	b.Write(audio.WaveHeader(audio.WavePCM16, 1, rate, uint32(2*len(s.Samples))))
	_ = binary.Write(&b, binary.LittleEndian, s.Samples) // into memory
	return b.Bytes()
}
