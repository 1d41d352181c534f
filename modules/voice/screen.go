package voice

import (
	"context"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/engine/flow"
	"github.com/kapok-hotline/kapok/engine/screen"
)

// Variables of a flow that a screening reads.
const (
	varKeyed = "screen" // what the caller keyed: operation, fault, policy (a set node behind each key)
	varSaid  = "said"   // what the caller said, where speech is turned into text
)

// Callers tells a screening what a caller came for before, and whether a queue takes contacts now; customer and
// routing answer.
type Callers interface {
	// Asked gives the contacts of a number since a moment that were wrapped up, the newest first.
	Asked(ctx context.Context, number string, since time.Time, n int) ([]Asked, error)
	Open(q id.Queue) bool
}

// Asked is an earlier contact of a caller.
type Asked struct {
	At       time.Time
	Queue    id.Queue
	Question string // as the agent wrote it
}

// How far back a caller's history counts, how much of it, and how long a call waits for it.
const (
	historySpan  = 90 * 24 * time.Hour
	historyCount = 3
	historyBound = 300 * time.Millisecond
)

// sortedLine is a screening ready for use.
type sortedLine struct {
	Screening
	screener *screen.Screener
}

// sorted is what a call remembers of its screening: where it may be moved to, and with what it entered.
type sorted struct {
	line     *sortedLine
	priority int
	needs    []flow.Need
}

// queues gives the line's queues by what they are for.
func (l *sortedLine) queues() map[string]id.Queue {
	return map[string]id.Queue{
		string(screen.Operation): l.Operation, string(screen.Fault): l.Fault, string(screen.Policy): l.Policy,
	}
}

// of says what a queue of the line is for; "" for others.
func (l *sortedLine) of(q id.Queue) screen.Kind {
	for _, k := range screen.Kinds() {
		if l.queues()[string(k)] == q {
			return k
		}
	}
	return ""
}

// sort chooses the queue of a line a call goes to; of a queue without a screening it is the queue itself. When nothing
// is sure enough, or the queue chosen is closed, the call waits in the line's own queue.
func (c *call) sort(queue id.Queue, q *flow.Queue) id.Queue {
	l := c.m.snap.Load().lines[queue]
	if l == nil {
		return queue
	}
	known := screen.Call{Text: c.cursor.Vars[varSaid], Menu: screen.Kind(c.cursor.Vars[varKeyed]), History: c.past(l)}
	r := l.screener.Screen(known)
	to := l.queues()[string(r.Kind)]
	if len(r.Reasons) == 0 || r.Share < l.Least || !c.m.takes(to) {
		to = l.Queue
	}
	c.sorted = &sorted{line: l, priority: q.Priority, needs: q.Needs}
	fact := event.ContactScreened{
		Line: l.Queue, Queue: to, As: string(r.Kind), Share: round2(r.Share), Menu: string(known.Menu), Queues: l.queues(),
	}
	for _, why := range r.Reasons {
		fact.Reasons = append(fact.Reasons, event.ScreenReason{
			From: why.From, Word: why.Word, As: string(why.Kind), Points: why.Points, Waved: why.Waved,
		})
	}
	c.fact("", fact)
	return to
}

// past asks what the caller came for before. A history that cannot be had in time is none: the call goes on.
func (c *call) past(l *sortedLine) []screen.Past {
	if c.m.deps.Callers == nil || c.from == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(c.ctx, historyBound)
	defer cancel()
	now := c.m.now()
	all, err := c.m.deps.Callers.Asked(ctx, c.from, now.Add(-historySpan), historyCount)
	if err != nil {
		c.log.Warn("a caller is screened without history", "err", err)
		return nil
	}
	var out []screen.Past
	for _, a := range all {
		out = append(out, screen.Past{Kind: l.of(a.Queue), Text: a.Question, Days: int(now.Sub(a.At) / (24 * time.Hour))})
	}
	return out
}

func (m *Module) takes(q id.Queue) bool {
	return m.deps.Queues.Known(q) && (m.deps.Callers == nil || m.deps.Callers.Open(q))
}

// moveInLine sends a call that was sorted wrongly to another queue of its line. It is there as early as it came to the
// first, and a full queue takes it: nobody goes to the tail for a mistake of ours.
func (m *Module) moveInLine(ctx context.Context, cid id.Contact, by id.User, to id.Queue) error {
	return m.withAgent(ctx, cid, by, func(c *call) error {
		switch {
		case c.sorted == nil:
			return fault.New(fault.Conflict, "voice.line.none", "contact", string(cid))
		case to == c.queue:
			return fault.New(fault.Invalid, "voice.line.here", "queue", string(to)).At("code")
		case to != c.sorted.line.Queue && c.sorted.line.of(to) == "":
			return fault.New(fault.Invalid, "voice.line.other", "queue", string(to)).At("code")
		case !m.takes(to):
			return fault.New(fault.Unavailable, "voice.line.closed", "queue", string(to)).At("code")
		}
		end, cancel := context.WithTimeout(c.ctx, goodbye)
		defer cancel()
		c.fact(by, event.ContactTransferred{Agent: by, To: contact.Target{Kind: contact.ToQueue, Code: string(to)}})
		c.fact(by, event.ContactMoved{
			Agent: by, Line: c.sorted.line.Queue, From: c.queue, To: to, As: string(c.sorted.line.of(to)), Since: c.since.UnixMilli(),
		})
		c.dropAgent(end, "transfer")
		c.wait(to, Waiting{Since: c.since, Priority: c.sorted.priority, Needs: c.sorted.needs, Keep: true})
		return nil
	})
}
