package tally

// Column is one counted or summed figure of the report tables; durations are milliseconds.
type Column int

// The columns. The first block belongs to queue visits (report_queue, report_agent, report_topic), the second
// to callers (report_queue), the third to agents (report_agent), the last to contacts (report_entry).
const (
	Entered        Column = iota // visits that began
	First                        // of these the person's first request in the contact
	Answered                     // visits an agent took
	Abandoned                    // visits the person left
	ExitFull                     // visits a rule ended, by why
	ExitMaxWait                  //
	ExitClosing                  //
	ExitNoAgents                 //
	ExitOther                    // moved by a supervisor, or a why not known here
	Callback                     // of the exits those that became a callback
	Within15                     // answered within 15 s
	Within20                     // answered within 20 s
	AbandonedShort               // abandoned within 5 s
	AbandonedLate                // abandoned after more than 20 s
	WaitMs                       // of answered visits, ringing included
	LostWaitMs                   // of abandoned visits
	MaxWaitMs                    // longest wait of any visit that left; merged by maximum, not by sum
	TalkMs                       // agents' legs of the visit
	HoldMs                       //
	WrapMs                       // after-call work of the visit
	TransferredIn                // visits that came by transfer
	TransferredOut               // visits an agent gave on
	CalledBack                   // of the answered those that were called back: in no time of waiting or handling
	Undecided                    // visits still waiting, or whose person is still to be called back or came back by another call: neither answered nor given up, so in no rate yet

	Callers         // distinct callers of the day whose first request this is
	CallersAnswered // of these answered at least once that day

	Offered    // offers made to the agent
	Missed     // let ring
	Refused    // declined or failed at the endpoint
	DirectLegs // legs of the agent outside any queue visit (transfer to a person, outbound)
	DirectMs   // their talk and hold time

	Started     // contacts that came in
	Asked       // asked for an agent
	Served      // self-served: reached a step marked served, never asked for an agent, and ended
	Reached     // talked with an agent
	GaveUp      // ended abandoned
	LeftFlow    // ended inside a flow, unserved
	Turned      // ended turned away
	Failed      // ended by a fault, or lost
	EndedCount  // ended
	LengthMs    // from start to end
	Outbound    // contacts the house started
	columnCount //
)

// Columns is the number of columns.
const Columns = int(columnCount)

var columnNames = [Columns]string{
	"entered", "entered_first", "answered", "abandoned", "exit_full", "exit_max_wait", "exit_closing",
	"exit_no_agents", "exit_other", "callback", "within15", "within20", "abandoned5", "abandoned20", "wait_ms",
	"lost_wait_ms", "max_wait_ms", "talk_ms", "hold_ms", "wrap_ms", "transferred_in", "transferred_out", "called_back", "undecided",
	"callers", "callers_answered", "offered", "missed", "refused", "direct", "direct_ms", "started", "asked",
	"served", "reached", "gave_up", "left_flow", "turned", "failed", "ended", "length_ms", "outbound",
}

// String gives the column's name in SQL and JSON.
func (c Column) String() string { return columnNames[c] }

// ColumnOf gives the column of that name.
func ColumnOf(name string) (Column, bool) {
	for i, n := range columnNames {
		if n == name {
			return Column(i), true
		}
	}
	return 0, false
}

// Counts is one row of figures.
type Counts [Columns]int64

// Add adds o; MaxWaitMs takes the larger.
func (c *Counts) Add(o *Counts) {
	longest := max(c[MaxWaitMs], o[MaxWaitMs])
	for i := range c {
		c[i] += o[i]
	}
	c[MaxWaitMs] = longest
}

// Sub takes o away; MaxWaitMs stays, for a longest wait once reached is not taken back.
func (c *Counts) Sub(o *Counts) {
	longest := c[MaxWaitMs]
	for i := range c {
		c[i] -= o[i]
	}
	c[MaxWaitMs] = longest
}

// Zero reports whether there is nothing to book.
func (c *Counts) Zero() bool { return *c == Counts{} }

// Talked gives the visits an agent took while the person waited on the line: what times are measured by.
func (c *Counts) Talked() int64 { return c[Answered] - c[CalledBack] }

// Exits gives the visits ended by any rule.
func (c *Counts) Exits() int64 {
	return c[ExitFull] + c[ExitMaxWait] + c[ExitClosing] + c[ExitNoAgents] + c[ExitOther]
}

// Decided gives the visits of which it is known how they ended: what rates are made of, so that the running interval
// does not blame a queue for those who wait at this moment. Those lost by a crash count as decided.
func (c *Counts) Decided() int64 { return c[Entered] - c[Undecided] }

// VisitColumns are those of a queue visit, CallerColumns, AgentColumns and EntryColumns those of the others.
func VisitColumns() []Column { return span(Entered, Undecided) }

// CallerColumns are the columns of distinct callers.
func CallerColumns() []Column { return span(Callers, CallersAnswered) }

// AgentColumns are the columns only an agent has.
func AgentColumns() []Column { return span(Offered, DirectMs) }

// EntryColumns are the columns of contacts as a whole.
func EntryColumns() []Column { return span(Started, Outbound) }

func span(from, to Column) []Column {
	out := make([]Column, 0, to-from+1)
	for c := from; c <= to; c++ {
		out = append(out, c)
	}
	return out
}
