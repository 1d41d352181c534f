package tally

import (
	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/id"
)

// Table says which table a row of figures belongs to.
type Table uint8

// The tables of additive figures.
const (
	ByQueue Table = iota // day, slot, site, queue, medium
	ByAgent              // the same and the agent; agent "" holds what no agent answered
	ByTopic              // day, site, queue, medium, topic, tax type, district
	ByEntry              // day, slot, site, number, medium
)

// WholeDay is the slot of the row that holds the sum of a day's slots.
const WholeDay = -1

// Key names one row of figures; fields a table does not have stay empty.
type Key struct {
	Table    Table
	Slot     int
	Day      string
	Site     id.Site
	Medium   contact.Medium
	Queue    id.Queue
	Agent    id.User
	Number   id.Number
	Topic    string
	TaxType  string
	District string
}

// Figures are rows of figures by key.
type Figures map[Key]*Counts

// At gives the row of the key, a new one when it is missing.
func (f Figures) At(k Key) *Counts {
	row, ok := f[k]
	if !ok {
		row = new(Counts)
		f[k] = row
	}
	return row
}

// Row is one key with its figures.
type Row struct {
	Key
	Counts
}

// Figures gives all rows the contact adds to, in the grain of slots (days for topics). A contact whose start
// is unknown gives none.
func (c *Contact) Figures() []Row {
	if c.Started == 0 {
		return nil
	}
	rows := make([]Row, 0, 2+3*len(c.Visits))
	rows = append(rows, c.entry())
	for i := range c.Visits {
		if v := &c.Visits[i]; v.Known {
			rows = append(rows, c.visitRows(i)...)
		}
	}
	for _, d := range c.Directs {
		k := Key{Table: ByAgent, Day: d.Day, Slot: d.Slot, Site: c.Site, Medium: c.Medium, Agent: d.Agent}
		rows = append(rows, Row{k, Counts{DirectLegs: 1, DirectMs: d.Ms}})
	}
	return rows
}

// VisitFigures gives the rows of one visit, as Figures does of all; nil while it counts nothing.
func (c *Contact) VisitFigures(i int) []Row {
	if c.Started == 0 || !c.Visits[i].Known {
		return nil
	}
	return c.visitRows(i)
}

// Book adds the rows to f when sign is +1 and takes them away when it is -1.
func (f Figures) Book(rows []Row, sign int) {
	for i := range rows {
		if sign > 0 {
			f.At(rows[i].Key).Add(&rows[i].Counts)
		} else {
			f.At(rows[i].Key).Sub(&rows[i].Counts)
		}
	}
}

func (c *Contact) entry() Row {
	r := Row{Key: Key{Table: ByEntry, Day: c.Day, Slot: c.Slot, Site: c.Site, Number: c.Number, Medium: c.Medium}}
	if c.Direction == contact.Out {
		r.Counts[Outbound] = 1
		return r
	}
	r.Counts[Started] = 1
	r.Counts[Asked] = count(c.InQueue())
	r.Counts[Reached] = count(c.Reached())
	if c.Ended == 0 {
		return r
	}
	r.Counts[EndedCount] = 1
	r.Counts[LengthMs] = c.Ms
	r.Counts[Served] = count(c.Served && !c.InQueue())
	r.Counts[GaveUp] = count(c.Outcome == contact.Abandoned)
	r.Counts[LeftFlow] = count(c.Outcome == contact.Left)
	r.Counts[Turned] = count(c.Outcome == contact.Turned)
	r.Counts[Failed] = count(c.Outcome == contact.Failed)
	return r
}

// visitRows gives the visit's rows: one for its queue, one for its topic, one for each agent that had a part.
// The agents' rows add up to the queue's.
func (c *Contact) visitRows(i int) []Row {
	v := &c.Visits[i]
	base := Key{Table: ByQueue, Day: v.Day, Slot: v.Slot, Site: v.Site, Queue: v.Queue, Medium: c.Medium}
	whole := c.visitCounts(i)
	agents := v.byAgent(&whole)
	rows := make([]Row, 0, 2+len(agents))
	for agent, n := range agents {
		k := base
		k.Table, k.Agent = ByAgent, agent
		rows = append(rows, Row{k, *n})
	}
	topic := base
	topic.Table, topic.Slot, topic.Topic, topic.TaxType, topic.District = ByTopic, 0, c.Note.Topic, c.Note.TaxType, c.Note.District
	byTopic := whole
	byTopic[MaxWaitMs] = 0 // a topic may change, and a maximum cannot be taken back
	for _, o := range v.Offers {
		whole[Offered]++
		whole[Missed] += count(o.Why == "missed")
		whole[Refused] += count(o.Why == "refused" || o.Why == "failed")
	}
	return append(rows, Row{base, whole}, Row{topic, byTopic})
}

// visitCounts gives the figures of visit i without offers and callers.
func (c *Contact) visitCounts(i int) Counts {
	v := &c.Visits[i]
	n := Counts{Entered: 1, First: count(v.First), TransferredIn: count(!v.First), TransferredOut: c.givenOn(i)}
	for _, p := range v.Parts {
		n[TalkMs] += p.TalkMs
		n[HoldMs] += p.HoldMs
		n[WrapMs] += p.WrapMs
	}
	switch v.How {
	case Taken:
		n[Answered] = 1
		if v.promised() { // the time until they were called back is no waiting on the line
			n[CalledBack], n[Callback] = 1, 1
			return n
		}
		n[WaitMs] = v.WaitMs
		n[Within15], n[Within20] = count(v.WaitMs <= 15_000), count(v.WaitMs <= 20_000)
	case HungUp:
		n[Abandoned], n[LostWaitMs] = 1, v.WaitMs
		n[AbandonedShort], n[AbandonedLate] = count(v.WaitMs <= 5_000), count(v.WaitMs > 20_000)
	case Exited:
		n[exitColumn(v.Why)] = 1
		n[Callback] = count(v.promised())
	}
	if v.How != Exited || !v.Undecided() { // a longest wait is never taken back: who is to be called may yet be answered
		n[MaxWaitMs] = v.WaitMs
	}
	n[Undecided] = count(v.How == Waiting && c.Ended == 0 || v.How == Exited && v.Undecided())
	return n
}

func exitColumn(why string) Column {
	switch why {
	case "full":
		return ExitFull
	case "max_wait":
		return ExitMaxWait
	case "closing":
		return ExitClosing
	case "no_agents":
		return ExitNoAgents
	}
	return ExitOther
}

// byAgent shares the visit's figures out: an answered visit's to its winner, handling time to whoever handled,
// offers to whoever was offered, the rest to nobody ("").
func (v *Visit) byAgent(whole *Counts) map[id.User]*Counts {
	out := map[id.User]*Counts{}
	at := func(a id.User) *Counts {
		if out[a] == nil {
			out[a] = new(Counts)
		}
		return out[a]
	}
	rest := *whole
	rest[TalkMs], rest[HoldMs], rest[WrapMs] = 0, 0, 0
	winner := id.User("")
	if v.How == Taken {
		winner = v.Agent
	}
	at(winner).Add(&rest)
	for _, p := range v.Parts {
		at(p.Agent).Add(&Counts{TalkMs: p.TalkMs, HoldMs: p.HoldMs, WrapMs: p.WrapMs})
	}
	for _, o := range v.Offers {
		n := at(o.Agent)
		n[Offered]++
		n[Missed] += count(o.Why == "missed")
		n[Refused] += count(o.Why == "refused" || o.Why == "failed")
	}
	return out
}

// givenOn counts the transfers out of visit i: each belongs to the newest visit its agent had answered by then.
func (c *Contact) givenOn(i int) int64 {
	n := int64(0)
	for _, t := range c.Transfers {
		from := -1
		for k := range c.Visits {
			if v := &c.Visits[k]; v.How == Taken && v.Left <= t.At && v.Agent == t.Agent {
				from = k
			}
		}
		n += count(from == i)
	}
	return n
}

func count(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
