package flow

import (
	"maps"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/id"
)

// Cursor is where a contact stands in a flow: a small value that travels as JSON in the contact's presence,
// so that another node, or the same one after a restart, goes on from there. Only this package writes it.
type Cursor struct {
	Flow    id.Flow           `json:"flow"`
	Version int               `json:"version"` // pinned at entry
	Node    string            `json:"node"`    // waiting for the outcome of this node; "@entry" and "@emergency" are the greetings
	Try     int               `json:"try,omitempty"`
	Keys    bool              `json:"keys,omitempty"` // this question is asked by keys alone: speech came to nothing
	Steps   int               `json:"steps"`          // made so far, over all flows of the contact
	Ahead   string            `json:"ahead,omitempty"`
	Bypass  bool              `json:"bypass,omitempty"`
	Served  bool              `json:"served,omitempty"` // a step marked served was reached
	Asked   bool              `json:"asked,omitempty"`  // an agent was asked for
	Turned  bool              `json:"turned,omitempty"` // closed, full or an emergency: the house turns the person away
	Ended   bool              `json:"ended,omitempty"`
	Vars    map[string]string `json:"vars,omitempty"`
}

// Outcome tells how the contact would count if it ended now, seen from the flow alone.
func (c Cursor) Outcome() contact.Outcome {
	switch {
	case c.Served && !c.Asked:
		return contact.Served
	case c.Turned:
		return contact.Turned
	}
	return contact.Left
}

// Entry is what a contact brings into a flow.
type Entry struct {
	Version int               // of the configuration the flow came from; kept in the cursor
	At      int64             // unix milliseconds of the entry: chooses the greetings
	Vars    map[string]string // number, city, area_code, lang … (names as in a set node)
	Steps   int               // made before, in an earlier flow of the same contact (Cursor.Steps)
	Again   bool              // the contact comes from another flow: no notice and no greeting a second time

	BypassMenu bool       // menus with a bypass are skipped
	Notice     string     // prompt that tells of the recording, played whole before everything; empty: none
	Emergency  *Emergency // closure by one click; nil: none
	Greetings  []Greeting // special greetings; those in force at At are played, in order
}

// Emergency shuts the hotline at entry: the person hears why, and the call ends.
type Emergency struct {
	Prompt string `json:"prompt"`
	Text   string `json:"text,omitempty"`
	TextEn string `json:"text_en,omitempty"`
}

// Greeting is a prompt played at entry from From until before Until (unix milliseconds; 0: without limit).
type Greeting struct {
	Prompt string `json:"prompt"`
	Text   string `json:"text,omitempty"`
	TextEn string `json:"text_en,omitempty"`
	From   int64  `json:"from,omitempty"`
	Until  int64  `json:"until,omitempty"`
}

func (g Greeting) holds(at int64) bool {
	return (g.From == 0 || at >= g.From) && (g.Until == 0 || at < g.Until)
}

// clone gives a cursor whose variables can be written without touching the caller's.
func (c Cursor) clone() Cursor {
	c.Vars = maps.Clone(c.Vars)
	return c
}

// put sets a variable, within bounds: what comes from outside must not fill the presence bucket.
func (c *Cursor) put(name, value string) {
	if _, old := c.Vars[name]; !varName(name) || (!old && len(c.Vars) >= MaxVars) {
		return
	}
	if c.Vars == nil {
		c.Vars = map[string]string{}
	}
	c.Vars[name] = cut(value, MaxValue)
}
