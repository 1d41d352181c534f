package acd

import (
	"cmp"
	"strings"

	"github.com/kapok-hotline/kapok/core/id"
)

// Config makes a Brain. Fence is the fencing number of the lease: it makes offer numbers unique among brains.
type Config struct {
	Fence    uint32
	Settings Settings
	Trace    int // longest lists of a traced Decision; 0: MaxTrace
}

// Brain holds the queues and agents of a hotline and decides who takes what. It is a value machine: the same
// events at the same moments give the same commands, on every machine. Not safe for use by several goroutines.
type Brain struct {
	set   Settings
	fence uint64
	seq   uint64 // offers made
	now   int64
	held  bool

	contacts    []contact
	details     []details // beside contacts
	freeContact []int32
	byContact   table[id.Contact]
	agents      []agent
	freeAgents  []int32
	byAgent     table[id.User]
	assigns     []assign
	freeAssign  []int32

	queues   []queue
	byQueue  map[id.Queue]int32
	names    names
	classes  []class
	profiles []profile

	freeClasses, freeProfiles []int32
	classKeys, profileKeys    map[string]int32
	classIdle, profileIdle    int // unused ones kept
	scratch                   []byte

	demand     index              // classes by their first waiting contact
	supply     [MaxChannels]index // profiles by their first free agent, per channel
	contactPos places
	idlePos    [MaxChannels]places
	timers     wheel
	order      func(a, b int32) int // timerOrder

	redial  redial
	touched []int32 // agents whose state may have changed in this Apply
	out     []Command
	tracer  func(*Decision)
	traced  int
	trace   Decision
}

// New makes an empty brain.
func New(c Config) *Brain {
	b := &Brain{
		set:         c.Settings.filled(),
		fence:       uint64(c.Fence) & (1<<(64-offerBits) - 1) << offerBits,
		byContact:   newTable[id.Contact](),
		byAgent:     newTable[id.User](),
		byQueue:     map[id.Queue]int32{},
		names:       names{slot: map[string]int32{}},
		classKeys:   map[string]int32{},
		profileKeys: map[string]int32{},
		redial:      redial{by: newTable[caller]()},
		traced:      min(cmp.Or(c.Trace, MaxTrace), MaxTrace),
	}
	b.contactPos.first = func(x, y int32) bool { return b.idOf(x) < b.idOf(y) }
	for ch := range b.idlePos {
		b.idlePos[ch].first = func(x, y int32) bool { return b.byAgent.keys[x] < b.byAgent.keys[y] }
	}
	b.order = b.timerOrder
	return b
}

// Apply takes an event at a moment (unix ms; an earlier moment than the last one counts as the last one) and
// returns what to do about it. Timers due by then fire first. The slice is valid until the next Apply.
func (b *Brain) Apply(ev *Event, now int64) []Command {
	b.now = max(b.now, now)
	b.out = b.out[:0]
	b.fire()
	b.follow(ev)
	b.flush()
	return b.out
}

// Next returns the moment of the next timer; false when there is none. The caller applies a Tick then.
func (b *Brain) Next() (at int64, ok bool) {
	if b.held {
		return 0, false
	}
	return b.timers.next()
}

func (b *Brain) follow(ev *Event) {
	switch ev.Kind {
	case Tick:
	case ContactEntered:
		b.enter(ev)
	case ContactLeft:
		b.leave(ev.Contact)
	case MatchingHeld:
		b.held = true
	case MatchingResumed:
		b.resume()
	case SettingsChanged:
		b.changeSettings(ev.Settings)
	case QueueConfigured:
		b.configure(ev.Config)
	case QueueRemoved:
		b.removeQueue(ev.Queue)
	case QueueClosed:
		b.closeQueue(ev.Queue)
	case QueueOpened:
		b.openQueue(ev.Queue)
	case AgentSignedIn:
		b.signIn(ev)
	case AgentChanged:
		b.changeAgent(ev)
	default:
		b.followAgent(ev)
	}
}

// followAgent follows the events of one signed-in agent.
func (b *Brain) followAgent(ev *Event) {
	ai := b.byAgent.find(ev.Agent)
	if ai == none {
		if ev.Kind == OfferAccepted {
			b.emit(Command{Kind: Void, Offer: ev.Offer, Agent: ev.Agent, Contact: ev.Contact})
		} else if ev.Kind != AgentSignedOut && ev.Kind != ContactDone {
			b.reject(ev.Agent, ev.Contact, "", WhyNoAgentID)
		}
		return
	}
	switch ev.Kind {
	case AgentSignedOut:
		b.signOut(ai)
	case AgentReady:
		b.ready(ai)
	case AgentAway:
		b.away(ai, ev.Reason)
	case EndpointLost:
		b.endpoint(ai, false)
	case EndpointBack:
		b.endpoint(ai, true)
	case OfferAccepted:
		b.accept(ai, ev)
	case OfferRefused:
		b.refuse(ai, ev, WhyRefused)
	case OfferFailed:
		b.refuse(ai, ev, WhyFailed)
	case ContactDone:
		b.done(ai, ev.Contact)
	case WrapUpDone:
		b.endWrapUp(ai, ev.Contact)
	case WrapUpExtended:
		b.extendWrapUp(ai, ev)
	case AgentTook:
		b.took(ai, ev)
	case AgentWrapping:
		b.wrapping(ai, ev)
	default:
		b.reject(ev.Agent, ev.Contact, ev.Queue, WhyInvalid)
	}
}

// resume matches everything at once, oldest first, so that the order in which a state was fed in does not matter.
func (b *Brain) resume() {
	if !b.held {
		return
	}
	var all []int32
	for q := range b.queues {
		all = append(all, b.takeOut(int32(q))...)
	}
	b.held = false
	b.fire()
	b.placeAll(all)
	for i := range b.agents {
		if b.agents[i].in {
			b.touch(int32(i)) // timers that did not run meanwhile
		}
	}
}

// changeSettings takes new settings. Places in the queues stay; the list of channels can only grow at its end.
func (b *Brain) changeSettings(s *Settings) {
	if s == nil {
		b.reject("", "", "", WhyInvalid)
		return
	}
	old := b.set.Channels
	b.set = s.filled()
	for i, c := range old {
		if i >= len(b.set.Channels) || b.set.Channels[i].Channel != c.Channel {
			b.set.Channels = old // a channel's number is in every record: keep the list rather than mix channels up
			b.reject("", "", "", WhyNoChannel)
			break
		}
	}
	for i := range b.agents {
		if a := &b.agents[i]; a.in {
			b.weigh(a)
			b.free(int32(i))
		}
	}
}

func (b *Brain) channel(c Channel) (uint8, bool) {
	for i := range b.set.Channels {
		if b.set.Channels[i].Channel == c {
			return uint8(i), true
		}
	}
	return 0, false
}

func (b *Brain) emit(c Command) { b.out = append(b.out, c) }

func (b *Brain) reject(a id.User, c id.Contact, q id.Queue, why Why) {
	b.emit(Command{Kind: Rejected, Agent: a, Contact: c, Queue: q, Why: why})
}

// compareContacts is the order of waiting: the key, then the identifier (a ULID, so by creation).
func (b *Brain) compareContacts(x, y int32) int {
	if kx, ky := b.contacts[x].key, b.contacts[y].key; kx != ky {
		return cmp.Compare(kx, ky)
	}
	return strings.Compare(string(b.idOf(x)), string(b.idOf(y)))
}
