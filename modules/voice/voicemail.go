package voice

import (
	"net/http"
	"os"
	"sync/atomic"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/engine/flow"
	"github.com/kapok-hotline/kapok/platform/audio"
	"github.com/kapok-hotline/kapok/platform/store"
)

// The prompts of a message, shipped.
const (
	promptMessage = "voicemail"
	promptBeep    = "beep"
)

const (
	messageLook = 250 * time.Millisecond // how often a message is looked at: whether it is long enough, or silent
	messageLoud = -45                    // dBFS: above it somebody speaks, below it is the line
)

// kindMessage marks the recording of a message.
const kindMessage = "voicemail"

// message is a spoken message being left: the caller's side alone is recorded.
type message struct {
	ask   *flow.Voicemail
	rec   *recording
	began time.Time
	loud  atomic.Int64 // unix ms somebody was last heard; 0: not yet
	now   func() time.Time
}

// takeMessage asks for a message and records it. Keys during the greeting are dropped.
func (c *call) takeMessage(lang string, q *flow.Voicemail) {
	c.gather = nil
	prompts := q.Prompts
	if len(prompts) == 0 {
		prompts = []string{promptMessage}
	}
	c.say(lang, append(prompts[:len(prompts):len(prompts)], promptBeep), func() { c.recordMessage(q) })
}

func (c *call) recordMessage(q *flow.Voicemail) {
	r := c.m.newRecording(c)
	if r == nil {
		c.next(flow.Input{Kind: flow.Failed, Why: "recording"})
		return
	}
	r.kind = kindMessage
	msg := &message{ask: q, rec: r, began: c.m.now(), now: c.m.now}
	c.message = msg
	c.caller.leg.SetSink(audio.Tee(r.rec.Left(), msg))
	c.lookAtMessage(msg)
}

// Write hears whether somebody speaks, on the media's goroutine.
func (m *message) Write(f *audio.Frame) error {
	if f.Codec == audio.Event || len(f.Payload) == 0 {
		return nil
	}
	b := f.Payload
	if f.Codec == audio.PCMU {
		var pcm [audio.FrameSamples]int16
		n := min(len(b), len(pcm))
		audio.Decode(pcm[:n], b[:n], f.Codec)
		peak := 0
		for _, v := range pcm[:n] {
			peak = max(peak, int(v), -int(v))
		}
		if peak > 400 { // about messageLoud, of speech
			m.loud.Store(m.now().UnixMilli())
		}
		return nil
	}
	if audio.Level(b) > messageLoud {
		m.loud.Store(m.now().UnixMilli())
	}
	return nil
}

// lookAtMessage ends a message that is long enough, or has fallen silent.
func (c *call) lookAtMessage(msg *message) {
	c.after(messageLook, func() {
		if c.message != msg {
			return
		}
		now := c.m.now()
		since := msg.began
		if at := msg.loud.Load(); at > 0 {
			since = time.UnixMilli(at)
		}
		switch {
		case now.Sub(msg.began) >= msg.ask.Limit.D():
			c.messageLeft("limit")
		case now.Sub(since) >= msg.ask.Silence.D():
			c.messageLeft("silence")
		default:
			c.lookAtMessage(msg)
		}
	})
}

// messageKey takes a key pressed while a message is recorded; only the ending one counts.
func (c *call) messageKey(key byte) {
	if string(key) == c.message.ask.Stop {
		c.messageLeft("key")
	}
}

// messageLeft ends the message and goes on in the flow.
func (c *call) messageLeft(how string) {
	c.endMessage(how)
	c.next(flow.Input{Kind: flow.Done})
}

// endMessage ends the recording of a message, if there is one; it is entered when its last second is on the disk.
func (c *call) endMessage(how string) {
	msg := c.message
	if msg == nil {
		return
	}
	c.message = nil
	c.noDeadline()
	c.caller.leg.SetSink(nil)
	r := msg.rec
	r.outcome, r.secret = contact.Turned, c.secret()
	c.m.gone.Add(1)
	r.rec.Close(func(sum audio.Summary, err error) {
		go func() {
			defer c.m.gone.Done()
			c.m.enterMessage(c, r, sum, how, err)
		}()
	})
}

// enterMessage keeps a message in which something was said, and tells of it. Of silence nothing is kept.
func (m *Module) enterMessage(c *call, r *recording, sum audio.Summary, how string, err error) {
	if err == nil && sum.Left.Active < soundLeast {
		defer m.vault.open(r.id, false)
		if err := os.Remove(m.vault.path(r.file)); err != nil {
			c.log.Warn("an empty message could not be removed", "err", err)
		}
		return
	}
	if m.enterRecording(c, r, sum, err) {
		m.deps.Facts.Post(m.now(), c.site, string(c.id), "", event.VoicemailLeft{Recording: r.id, Queue: r.queue, Ms: sum.Duration.Milliseconds(), Ended: how})
	}
}

// ServeMessage streams a message as WAV to somebody whose right to hear it has been asked for elsewhere: who works on
// missed callers. A talk is not served this way, nor a message left at a number or in a queue for tip-offs.
func (m *Module) ServeMessage(w http.ResponseWriter, r *http.Request, recording string) {
	ctx := r.Context()
	n, err := store.One(ctx, m.deps.DB, `SELECT COUNT(*) FROM voice_recording WHERE id = ? AND kind = ?
		AND NOT EXISTS (SELECT 1 FROM voice_secret s WHERE s.recording = voice_recording.id)`, store.Col[int], recording, kindMessage)
	if err == nil && n == 0 {
		err = noRecording(recording)
	}
	var row fileRow
	if err == nil {
		row, err = m.fileOf(ctx, recording)
	}
	if err != nil {
		m.api.Fail(w, r, err)
		return
	}
	m.stream(w, r, row)
}
