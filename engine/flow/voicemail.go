package flow

import (
	"strings"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/span"
)

// Voicemail lets the person leave a spoken message: the prompts are played (the house's own where there are none), then a
// tone, then what is said is recorded until Stop is pressed, Silence has passed without a word, Limit is reached or they
// hang up. Answer Done, whether or not anything was said, or Failed when nothing can be recorded.
type Voicemail struct {
	Prompts []string  `json:"prompts,omitempty"`
	Limit   span.Span `json:"limit"`
	Silence span.Span `json:"silence"`
	Stop    string    `json:"stop"`
}

// Defaults of a voicemail node.
const (
	DefaultLimit   = span.Span(2 * time.Minute)
	DefaultSilence = span.Span(5 * time.Second)
)

// voicemail makes the action of a voicemail node. Keys pressed ahead do not end what has not begun.
func (r *run) voicemail(n *Node) (Cursor, Action) {
	r.c.Ahead = ""
	v := &Voicemail{Prompts: n.Prompts, Limit: n.Limit, Silence: n.Silence, Stop: n.Stop}
	if v.Limit == 0 {
		v.Limit = DefaultLimit
	}
	if v.Silence == 0 {
		v.Silence = DefaultSilence
	}
	if v.Stop == "" {
		v.Stop = "#"
	}
	return r.act(Action{Voicemail: v})
}

// messageNode checks a voicemail node: its times, its key, and that there is a voice to record.
func (c *compiler) messageNode(n *Node) {
	if n.Limit != 0 && (n.Limit.D() < 10*time.Second || n.Limit.D() > 10*time.Minute) {
		c.refuse(n.ID, "limit", "field.range", "least", "10s", "most", "10m0s")
	}
	if n.Silence != 0 && (n.Silence.D() < 2*time.Second || n.Silence.D() > 30*time.Second) {
		c.refuse(n.ID, "silence", "field.range", "least", "2s", "most", "30s")
	}
	if n.Stop != "" && (len(n.Stop) != 1 || !strings.Contains("0123456789*#", n.Stop)) {
		c.refuse(n.ID, "stop", "key.form", "key", n.Stop)
	}
	if c.g.Medium != "" && c.g.Medium != contact.Phone {
		c.refuse(n.ID, "kind", "voicemail.medium", "medium", string(c.g.Medium))
	}
}
