package flow

import (
	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/day"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/core/span"
)

// Action is what the channel does next; exactly one of the pointers is set. When it is done, the channel
// calls Next with the outcome. Steps are the facts to write before doing it.
type Action struct {
	Node  string `json:"node"` // "@entry" and "@emergency" are no nodes of the graph and make no step
	Lang  string `json:"lang"` // zh, yue, en: the variable lang, "zh" when it is not set
	Steps []Step `json:"steps,omitempty"`

	Play     *Play     `json:"play,omitempty"`
	Gather   *Gather   `json:"gather,omitempty"`
	Say      *Say      `json:"say,omitempty"`
	Hours    *AskHours `json:"hours,omitempty"`
	City     *AskCity  `json:"city,omitempty"`
	Queue    *Queue    `json:"queue,omitempty"`
	Transfer *Transfer `json:"transfer,omitempty"`
	Hangup   *Hangup   `json:"hangup,omitempty"`

	Voicemail *Voicemail `json:"voicemail,omitempty"`
}

// Step is one fact: contact.stepped, and contact.served besides where Served. A node that was come to has
// Key empty. A choice at a menu is a step of its own with Key set: count visits by the first, choices by the
// second. A try without a usable answer is a step with Why set: neither visit nor choice. Gathered digits are
// never in a step: they may be private.
type Step struct {
	Node   string `json:"node"`
	Kind   Kind   `json:"kind"`
	Key    string `json:"key,omitempty"`
	Served bool   `json:"served,omitempty"`
	Said   bool   `json:"said,omitempty"` // the key was chosen by its words
	Why    string `json:"why,omitempty"`  // timeout (silent) or invalid (mistaken): the person is asked again, or leaves by this port; unheard, deaf: asked for keys
	Via    string `json:"via,omitempty"`  // the port taken here, where two ports of the node before lead here: closed, holiday, cases[1]
}

// Play plays prompts one after the other; in a text channel Text is sent. Answer Done, Failed (a prompt is
// missing: the flow goes on) or, where Interruptible, Digits with the keys pressed meanwhile.
type Play struct {
	Prompts       []string `json:"prompts,omitempty"`
	Text          string   `json:"text,omitempty"`
	Interruptible bool     `json:"interruptible"`
}

// Gather plays the prompts, which the first key ends, and takes keys. With Keys it is a menu: one key of the
// list ends it (any other key too: the flow says that it was wrong). Otherwise Max digits or Stop end it.
// First runs from the end of the prompts, Inter from each key; answer Digits (without Stop) or Timeout. When
// Inter runs out after at least one digit, answer Digits with what there is. With Speech the person may say it
// instead: answer Heard, or Failed when nothing can be made out (Unheard, Deaf, Off).
type Gather struct {
	Prompts []string  `json:"prompts,omitempty"`
	Text    string    `json:"text,omitempty"`
	Choices []Key     `json:"choices,omitempty"` // for text channels: the menu as buttons
	Keys    string    `json:"keys,omitempty"`    // "1234*", empty when digits are gathered
	Min     int       `json:"min"`
	Max     int       `json:"max"`
	Stop    string    `json:"stop,omitempty"`
	First   span.Span `json:"first"`
	Inter   span.Span `json:"inter"`
	Ahead   string    `json:"ahead,omitempty"` // keys pressed before the question: the first digits of the answer
	Try     int       `json:"try"`             // 0 for the first time
	Speech  *Speech   `json:"speech,omitempty"`
}

// Limit is the longest the taking of keys can last after the prompts: a deadline for the state.
func (g Gather) Limit() span.Span { return g.First + span.Span(max(g.Max-1, 0))*g.Inter }

// Say speaks a value. Answer Done or Failed.
type Say struct {
	What  What   `json:"what"`
	Value string `json:"value"` // as described at What; may be empty: nothing is said
}

// AskHours asks the calendar. Answer Hours at once, or Failed: then the flow takes the open way, because
// people should not be sent away for a fault of ours.
type AskHours struct {
	Calendar string `json:"calendar,omitempty"` // empty: the calendar of the number or account
}

// Queue brings the contact to a queue. Answer Done when an agent has it (the flow has ended), or Failed with
// Why (full, max_wait, no_agents, closing …) when the queue gave it back.
type Queue struct {
	Queue    id.Queue `json:"queue"`
	ByCity   bool     `json:"by_city,omitempty"` // the city's own in its place, where it has one
	Priority int      `json:"priority,omitempty"`
	Needs    []Need   `json:"needs,omitempty"`
	First    bool     `json:"first"` // the contact's first request for an agent
}

// Transfer gives the contact away: to an agent, a queue, an outside number or another flow. Answer Done when
// it is gone, or Failed with Why.
type Transfer struct {
	To contact.Target `json:"to"`
}

// Hangup ends the contact.
type Hangup struct {
	Outcome contact.Outcome `json:"outcome"`
	Cause   string          `json:"cause,omitempty"` // of the node, or: steps (too many), cursor (not of this flow), ended
}

// InputKind says what an Input is.
type InputKind string

// The kinds of input.
const (
	Done    InputKind = "done"
	Pressed InputKind = "digits"
	Timeout InputKind = "timeout"
	Hours   InputKind = "hours"
	Failed  InputKind = "failed"
)

// Input is the outcome of an action. An input that does not fit the action counts as Failed: every input
// takes the contact on.
type Input struct {
	Kind   InputKind         `json:"kind"`
	Digits string            `json:"digits,omitempty"` // keys; in a text channel what the person wrote
	Text   string            `json:"text,omitempty"`   // of Heard
	State  day.State         `json:"state,omitempty"`  // of Hours
	Name   string            `json:"name,omitempty"`   // the holiday's, of Hours; becomes {holiday}
	Next   int64             `json:"next,omitempty"`   // unix ms of the next opening, of Hours; becomes {next_open}
	Why    string            `json:"why,omitempty"`    // of Failed; becomes {why}
	City   string            `json:"city,omitempty"`   // of Located; becomes {city}
	Away   bool              `json:"away,omitempty"`   // of Located: the contact belongs elsewhere
	Vars   map[string]string `json:"vars,omitempty"`   // what the channel learnt: position, wait …
}
