package tally

import (
	"slices"
	"strings"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/clock"
)

// Zone gives the time zone of a site.
type Zone func(id.Site) *time.Location

// Contact is what the facts of one contact say so far. Until its start is known (Started 0) it counts nothing.
type Contact struct {
	Head
	Visits    []Visit // by time of entry
	Transfers []Transfer
	Directs   []Direct
	Misses    []Made // of offers not seen yet
}

// Head is what a contact holds but its lists; it compares.
type Head struct {
	ID        id.Contact
	Site      id.Site
	Medium    contact.Medium
	Direction contact.Direction
	From, To  string
	Number    id.Number
	Started   int64 // unix ms; 0 until contact.started came
	Day       string
	Slot      int

	Ended   int64 // unix ms; 0 while open
	By      contact.Party
	Outcome contact.Outcome
	Cause   string
	Lost    bool // closed by contact.lost
	Ms      int64

	Starts, Ends int // facts of either kind: one each is right
	Served       bool
	Recordings   int
	TalkMs       int64 // of all agents' legs
	HoldMs       int64
	WrapMs       int64

	Agent   id.User // the last who talked
	AgentAt int64
	Note    Note // the wrap-up that holds
}

// Note is the newest wrap-up.
type Note struct {
	At       int64
	Agent    id.User
	Topic    string
	TaxType  string
	District string
	Final    bool
}

// Transfer is one contact.transferred.
type Transfer struct {
	At    int64   `json:"at"`
	Agent id.User `json:"agent"`
	Kind  string  `json:"kind"`
	Code  string  `json:"code"`
}

// Direct is an agent's leg outside any queue visit.
type Direct struct {
	At    int64   `json:"at"` // when it began
	Day   string  `json:"day"`
	Slot  int     `json:"slot"`
	Agent id.User `json:"agent"`
	Ms    int64   `json:"ms"` // talk and hold
}

// Visit is a stay in one queue, named within its contact by queue and time of entry.
type Visit struct {
	Stay
	Offers []Made
	Parts  []Part
}

// Stay is what a visit holds but its lists; it compares.
type Stay struct {
	Queue   id.Queue
	Entered int64 // unix ms
	Known   bool  // contact.queued came; until then the visit counts nothing
	Day     string
	Slot    int
	Site    id.Site
	First   bool
	Caller  string

	How     How
	Left    int64 // unix ms; 0 while waiting
	WaitMs  int64
	Why     string // of an exit
	Rule    string
	Agent   id.User // who answered
	Offer   id.Offer
	Answers int // facts saying so: at most one is right
}

// The rule of a visit that became a callback; when that has ended how it did follows it.
const ruleCallback = "callback"

// promised reports whether the visit became a callback.
func (s *Stay) promised() bool { return strings.HasPrefix(s.Rule, ruleCallback) }

// Undecided reports whether the visit still waits, or its person is to be called back: it is in no rate yet. Who came
// back by another call is counted there.
func (s *Stay) Undecided() bool {
	return s.How == Waiting && s.Left == 0 || s.How == Exited && (s.Rule == ruleCallback || s.Rule == ruleCallback+"_"+event.BackCameBack)
}

// How says how a visit ended.
type How string

// The ways; where facts contradict each other the later in this list holds.
const (
	Waiting How = ""
	Exited  How = "exited"
	HungUp  How = "abandoned"
	Taken   How = "answered"
)

func (h How) rank() int { return slices.Index([]How{Waiting, Exited, HungUp, Taken}, h) }

// Part is one agent's handling time in a visit.
type Part struct {
	Agent  id.User `json:"a"`
	TalkMs int64   `json:"t,omitempty"`
	HoldMs int64   `json:"h,omitempty"`
	WrapMs int64   `json:"w,omitempty"`
}

// Made is an offer made to an agent; Why says how it came to nothing: missed, refused, failed, withdrawn.
type Made struct {
	Offer id.Offer `json:"i"`
	Agent id.User  `json:"a"`
	Why   string   `json:"w,omitempty"`
}

// Apply takes in one fact of the contact: its own, and the agent.changed that ends talk or wrap-up of it.
// Each fact must be given once; the order is free.
func (c *Contact) Apply(f Fact, zone Zone) {
	switch b := f.Body.(type) {
	case event.ContactStarted:
		c.start(f, b)
	case event.ContactEnded:
		c.end(f.At, b.By, b.Outcome, b.Cause, b.Ms, false)
	case event.ContactLost:
		c.end(b.LastHeard, contact.BySystem, contact.Failed, "lost", b.Ms, true)
	case event.ContactServed:
		c.Served = true
	case event.ContactQueued:
		c.queue(f, b, zone)
	case Offer:
		c.offer(b.Offer, b.Queue, b.EnteredAt, b.Agent)
	case event.ContactOffered:
		c.offer(b.Offer, b.Queue, b.EnteredAt, b.Agent)
	case event.ContactMissed:
		c.miss(b)
	case event.ContactAnswered:
		c.answer(f, b)
	case event.ContactAbandoned:
		c.visit(b.Queue, b.EnteredAt).leave(HungUp, f.At, b.WaitMs)
	case event.ContactExited:
		v := c.visit(b.Queue, b.EnteredAt)
		if v.leave(Exited, f.At, b.WaitMs) {
			v.Why = b.Why
		}
		if v.Rule == "" { // else the callback is over already
			v.Rule = b.Rule
		}
	case event.CallbackEnded:
		c.visit(b.Queue, b.EnteredAt).Rule = ruleCallback + "_" + b.How
	case event.ContactTransferred:
		c.Transfers = append(c.Transfers, Transfer{At: f.At, Agent: b.Agent, Kind: string(b.To.Kind), Code: b.To.Code})
		slices.SortFunc(c.Transfers, func(a, b Transfer) int { return int(a.At - b.At) })
	case event.LegEnded:
		c.leg(f, b, zone)
	case event.AgentChanged:
		c.wrap(b, id.User(f.Subject))
	case event.RecordingStored:
		c.Recordings++
	case event.WrapupSaved:
		c.note(f, b)
	}
}

func (c *Contact) start(f Fact, b event.ContactStarted) {
	c.Starts++
	if c.Started != 0 && c.Started <= f.At {
		return
	}
	c.Site, c.Medium, c.Direction, c.From, c.To, c.Number = f.Place, b.Medium, b.Direction, b.From, b.To, b.Number
	c.Started, c.Day, c.Slot = f.At, f.Day, f.Slot
}

func (c *Contact) end(at int64, by contact.Party, out contact.Outcome, cause string, ms int64, lost bool) {
	c.Ends++
	if c.Ended != 0 && c.Ended <= at {
		return
	}
	c.Ended, c.By, c.Outcome, c.Cause, c.Ms, c.Lost = at, by, out, cause, ms, lost
}

func (c *Contact) queue(f Fact, b event.ContactQueued, zone Zone) {
	v := c.visit(b.Queue, b.EnteredAt)
	v.Known, v.Site, v.First, v.Caller = true, f.Place, b.First, b.Caller
	v.Day, v.Slot = clock.Local(b.EnteredAt, zone(f.Place))
}

func (c *Contact) answer(f Fact, b event.ContactAnswered) {
	v := c.visit(b.Queue, b.EnteredAt)
	v.Answers++
	if v.How == Taken && v.Left <= f.At {
		return
	}
	v.How, v.Left, v.WaitMs, v.Agent, v.Offer = Taken, f.At, b.WaitMs, b.Agent, b.Offer
	c.talked(b.Agent, f.At)
}

// offer books an offer; the miss of it may have come first.
func (c *Contact) offer(o id.Offer, queue id.Queue, entered int64, agent id.User) {
	made := Made{Offer: o, Agent: agent}
	if i := slices.IndexFunc(c.Misses, func(m Made) bool { return m.Offer == o }); i >= 0 {
		made.Why = c.Misses[i].Why
		c.Misses = slices.Delete(c.Misses, i, i+1)
	}
	v := c.visit(queue, entered)
	at := len(v.Offers)
	for at > 0 && v.Offers[at-1].Offer > o {
		at--
	}
	v.Offers = slices.Insert(v.Offers, at, made)
}

// miss finds the visit by the offer; while that is unknown the miss waits.
func (c *Contact) miss(b event.ContactMissed) {
	for i := range c.Visits {
		for k := range c.Visits[i].Offers {
			if o := &c.Visits[i].Offers[k]; o.Offer == b.Offer {
				o.Why = b.Why
				return
			}
		}
	}
	c.Misses = append(c.Misses, Made{Offer: b.Offer, Agent: b.Agent, Why: b.Why})
}

func (c *Contact) leg(f Fact, b event.LegEnded, zone Zone) {
	if b.Role != "agent" {
		return
	}
	c.TalkMs += b.TalkMs
	c.HoldMs += b.HoldMs
	if b.TalkMs > 0 {
		c.talked(b.Agent, f.At-b.TalkMs-b.HoldMs)
	}
	if b.Queue != "" && b.EnteredAt != 0 {
		p := c.visit(b.Queue, b.EnteredAt).part(b.Agent)
		p.TalkMs += b.TalkMs
		p.HoldMs += b.HoldMs
		return
	}
	if b.TalkMs+b.HoldMs == 0 {
		return
	}
	d := Direct{At: f.At - b.TalkMs - b.HoldMs, Agent: b.Agent, Ms: b.TalkMs + b.HoldMs}
	d.Day, d.Slot = clock.Local(d.At, zone(f.Place))
	c.Directs = append(c.Directs, d)
}

// wrap books after-call work, which the agent's change out of it tells.
func (c *Contact) wrap(b event.AgentChanged, agent id.User) {
	if b.Was != event.Wrapup {
		return
	}
	c.WrapMs += b.WasMs
	if b.Queue != "" && b.EnteredAt != 0 {
		c.visit(b.Queue, b.EnteredAt).part(agent).WrapMs += b.WasMs
	}
}

func (c *Contact) talked(agent id.User, at int64) {
	if at > c.AgentAt || at == c.AgentAt && agent > c.Agent {
		c.Agent, c.AgentAt = agent, at
	}
}

func (c *Contact) note(f Fact, b event.WrapupSaved) {
	if f.At >= c.Note.At {
		c.Note = Note{At: f.At, Agent: b.Agent, Topic: b.Topic, TaxType: b.TaxType, District: b.District, Final: b.Final}
	}
}

// visit finds or opens the visit; the pointer holds until the next call.
func (c *Contact) visit(queue id.Queue, entered int64) *Visit {
	for i := range c.Visits {
		if c.Visits[i].Entered == entered && c.Visits[i].Queue == queue {
			return &c.Visits[i]
		}
	}
	at := len(c.Visits)
	for at > 0 && after(c.Visits[at-1], entered, queue) {
		at--
	}
	c.Visits = slices.Insert(c.Visits, at, Visit{Stay: Stay{Queue: queue, Entered: entered}})
	return &c.Visits[at]
}

func after(v Visit, entered int64, queue id.Queue) bool {
	return v.Entered > entered || v.Entered == entered && v.Queue > queue
}

// leave ends the visit unless a stronger way is known; it reports whether it did.
func (v *Visit) leave(how How, at, waited int64) bool {
	if v.How.rank() >= how.rank() {
		return false
	}
	v.How, v.Left, v.WaitMs = how, at, waited
	return true
}

func (v *Visit) part(agent id.User) *Part {
	for i := range v.Parts {
		if v.Parts[i].Agent == agent {
			return &v.Parts[i]
		}
	}
	at := len(v.Parts)
	for at > 0 && v.Parts[at-1].Agent > agent {
		at--
	}
	v.Parts = slices.Insert(v.Parts, at, Part{Agent: agent})
	return &v.Parts[at]
}

// Asked gives the visit with which the person first asked for an agent, nil when there was none.
func (c *Contact) Asked() *Visit {
	for i := range c.Visits {
		if c.Visits[i].Known && c.Visits[i].First {
			return &c.Visits[i]
		}
	}
	return nil
}

// Reached reports whether an agent answered any visit.
func (c *Contact) Reached() bool {
	return slices.ContainsFunc(c.Visits, func(v Visit) bool { return v.Known && v.How == Taken })
}

// InQueue reports whether the contact was in any queue.
func (c *Contact) InQueue() bool {
	return slices.ContainsFunc(c.Visits, func(v Visit) bool { return v.Known })
}
