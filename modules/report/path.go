package report

import (
	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/ledger"
)

// What happens at a node of a flow: PathRow.What.
const (
	pathEntered = "entered" // the contact came into the flow; no node
	pathVisit   = "visit"   // came to the node
	pathPressed = "pressed" // chose the key in Port
	pathSilent  = "timeout" // a try passed in silence
	pathWrong   = "invalid" // a try was a mistake
	pathUnheard = "unheard" // what was said was not made out: asked for a key
	pathDeaf    = "deaf"    // the speech engine failed: asked for a key
	pathServed  = "served"  // has what they came for
	pathTaken   = "taken"   // went on to To, by Port
	pathReached = "reached" // an agent answered from here
	pathLeft    = "left"    // the person hung up here
	pathEnded   = "ended"   // the house ended the contact here
	pathLost    = "lost"    // the contact was lost with its process here
	pathGone    = "gone"    // went on to another flow
)

// pathKinds are the facts that ways are made of.
var pathKinds = []string{ // never written to
	event.ContactStarted{}.Kind(), event.ContactGuided{}.Kind(), event.ContactStepped{}.Kind(), event.ContactServed{}.Kind(), event.ContactQueued{}.Kind(),
	event.ContactAnswered{}.Kind(), event.ContactEnded{}.Kind(), event.ContactLost{}.Kind(),
}

// pathKey is a row of report_path. Port is what led to it: `key:1`, `timeout`, `invalid` or the port a step named
// (Via); "" where the flow itself tells the way.
type pathKey struct {
	Day     string
	Site    id.Site
	Flow    id.Flow
	Version int
	Node    string
	What    string
	Port    string
	To      string
}

// menuKey is a row of report_menu.
type menuKey struct {
	Day    string
	Site   id.Site
	Flow   id.Flow
	NoMenu bool
}

// menuCount is what a row of report_menu counts: contacts that have ended.
type menuCount struct {
	Contacts, Served, Left, Asked, Answered, Abandoned, WaitMs, ReachMs int64
}

// walk is a contact's way so far. Everything it counts belongs to the day and site of its first flow, so that what
// comes to a node is what leaves it, whatever span is looked at.
type walk struct {
	Start   int64   `json:"start,omitempty"` // unix ms of contact.started
	Day     string  `json:"day,omitempty"`   // "": no flow yet
	Site    id.Site `json:"site,omitempty"`
	First   id.Flow `json:"first,omitempty"`
	NoMenu  bool    `json:"no_menu,omitempty"`
	Flow    id.Flow `json:"flow,omitempty"`
	Version int     `json:"version,omitempty"`
	Node    string  `json:"node,omitempty"` // "": nowhere yet, or with an agent
	Key     string  `json:"key,omitempty"`  // chosen here
	Why     string  `json:"why,omitempty"`  // of the last try
	Asked   bool    `json:"asked,omitempty"`
	Answer  int64   `json:"answer,omitempty"` // unix ms of the first
	WaitMs  int64   `json:"wait_ms,omitempty"`
}

// ways adds facts up: rows of report_path and report_menu, and where open contacts stand.
type ways struct {
	paths map[pathKey]int64
	menus map[menuKey]*menuCount
	walks map[id.Contact]*walk // nil: ended
}

func newWays() *ways {
	return &ways{paths: map[pathKey]int64{}, menus: map[menuKey]*menuCount{}, walks: map[id.Contact]*walk{}}
}

// take adds one fact. Facts of a contact come in the order of the ledger.
func (w *ways) take(f *ledger.Fact) {
	of := id.Contact(f.Subject)
	at := w.walks[of]
	if f.Kind == (event.ContactStarted{}).Kind() {
		if b, ok := ledger.Read[event.ContactStarted](f); ok && at == nil && b.Direction == contact.In {
			w.walks[of] = &walk{Start: f.At}
		}
		return
	}
	if at == nil {
		return // not begun, or over: what comes after the end (a wrap-up's recording) is no way
	}
	switch f.Kind {
	case event.ContactGuided{}.Kind():
		if b, ok := ledger.Read[event.ContactGuided](f); ok {
			w.enter(at, f, b)
		}
	case event.ContactStepped{}.Kind():
		if b, ok := ledger.Read[event.ContactStepped](f); ok && at.Flow == b.Flow {
			w.step(at, b)
		}
	case event.ContactServed{}.Kind():
		if b, ok := ledger.Read[event.ContactServed](f); ok && at.Flow == b.Flow {
			w.count(at, b.Node, pathServed, "", "")
		}
	case event.ContactQueued{}.Kind():
		at.Asked = true
	case event.ContactAnswered{}.Kind():
		if b, ok := ledger.Read[event.ContactAnswered](f); ok {
			w.answer(at, f.At, b.WaitMs)
		}
	case event.ContactEnded{}.Kind():
		if b, ok := ledger.Read[event.ContactEnded](f); ok {
			w.end(of, at, b.By, b.Outcome)
		}
	case event.ContactLost{}.Kind():
		w.end(of, at, "", "")
	}
}

func (w *ways) count(at *walk, node, what, port, to string) {
	if at.Day != "" {
		w.paths[pathKey{at.Day, at.Site, at.Flow, at.Version, node, what, port, to}]++
	}
}

func (w *ways) enter(at *walk, f *ledger.Fact, b event.ContactGuided) {
	if at.Day == "" {
		at.Day, at.Site, at.First, at.NoMenu = f.Day, id.Site(f.Place), b.Flow, b.NoMenu
	}
	if at.Node != "" {
		w.count(at, at.Node, pathGone, "", string(b.Flow))
	}
	at.Flow, at.Version, at.Node, at.Key, at.Why = b.Flow, b.Version, "", "", ""
	w.count(at, "", pathEntered, "", "")
}

func (w *ways) step(at *walk, b event.ContactStepped) {
	switch {
	case b.Why != "":
		at.Key, at.Why = "", b.Why
		w.count(at, b.Node, b.Why, "", "")
		return
	case b.Key != "":
		at.Key, at.Why = b.Key, ""
		w.count(at, b.Node, pathPressed, "key:"+b.Key, "")
		return
	}
	if at.Node != "" {
		port := b.Via
		switch {
		case at.Key != "":
			port = "key:" + at.Key
		case at.Why != "" && port == "":
			port = at.Why
		}
		w.count(at, at.Node, pathTaken, port, b.Node)
	}
	at.Node, at.Key, at.Why = b.Node, "", ""
	w.count(at, b.Node, pathVisit, "", "")
}

// answer takes the contact out of the flow: what comes now is the agent's.
func (w *ways) answer(at *walk, now, wait int64) {
	if at.Answer == 0 {
		at.Answer, at.WaitMs = now, wait
	}
	if at.Node != "" {
		w.count(at, at.Node, pathReached, "", "")
		at.Node = ""
	}
}

// end closes a way; by nobody: the contact was lost.
func (w *ways) end(of id.Contact, at *walk, by contact.Party, outcome contact.Outcome) {
	if at.Node != "" {
		what := pathEnded
		switch {
		case by == "":
			what = pathLost
		case outcome == contact.Answered:
			what = pathReached // past the queues: an agent or a number outside
		case by == contact.ByCaller:
			what = pathLeft
		}
		w.count(at, at.Node, what, "", "")
	}
	w.walks[of] = nil
	if at.Day == "" {
		return
	}
	k := menuKey{at.Day, at.Site, at.First, at.NoMenu}
	c := w.menus[k]
	if c == nil {
		c = &menuCount{}
		w.menus[k] = c
	}
	c.Contacts++
	switch {
	case at.Answer != 0:
		c.Answered++
		c.WaitMs += at.WaitMs
		c.ReachMs += at.Answer - at.Start
	case outcome == contact.Served:
		c.Served++
	case outcome == contact.Left:
		c.Left++
	case at.Asked && by == contact.ByCaller:
		c.Abandoned++
	}
	if at.Asked {
		c.Asked++
	}
}
