package flow

import (
	"maps"
	"slices"
	"strconv"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/day"
)

// The places of a cursor that are no nodes: greetings before the graph, and the closure.
const (
	entryNode     = "@entry"
	emergencyNode = "@emergency"
)

// Start brings a contact into the flow and says what comes first.
func (f *Flow) Start(e Entry) (Cursor, Action) {
	r := &run{f: f, c: Cursor{
		Flow: f.graph.Code, Version: e.Version, Steps: max(e.Steps, 0), Bypass: e.BypassMenu,
	}}
	for _, name := range slices.Sorted(maps.Keys(e.Vars)) { // sorted: over the bound the same ones stay
		r.c.put(name, e.Vars[name])
	}
	if e.Emergency != nil {
		r.c.Node, r.c.Turned = emergencyNode, true
		return r.act(Action{Play: &Play{
			Prompts: present(e.Emergency.Prompt), Text: r.text(e.Emergency.Text, e.Emergency.TextEn),
		}})
	}
	if p := r.greeting(e); p != nil {
		r.c.Node = entryNode
		return r.act(Action{Play: p})
	}
	return r.enter(f.graph.Start)
}

// Next takes the outcome of the last action and says what comes next. It never fails: an outcome that does
// not fit counts as a failure of the action, a cursor that is not of this flow is hung up on. The cursor
// given is not changed.
func (f *Flow) Next(c Cursor, in Input) (Cursor, Action) {
	r := &run{f: f, c: c.clone()}
	r.c.Steps, r.c.Try, r.c.Ahead = max(c.Steps, 0), max(c.Try, 0), digitsOnly(c.Ahead)
	for _, name := range slices.Sorted(maps.Keys(in.Vars)) {
		r.c.put(name, in.Vars[name])
	}
	switch {
	case r.c.Ended:
		return r.hangup(r.c.Outcome(), "ended")
	case r.c.Node == emergencyNode:
		return r.hangup(contact.Turned, "emergency")
	case r.c.Node == entryNode:
		return r.enter(f.graph.Start)
	}
	n := f.nodes[r.c.Node]
	if n == nil {
		return r.hangup(contact.Failed, "cursor")
	}
	switch n.Kind {
	case PlayKind:
		if n.Interruptible && in.Kind == Pressed {
			r.c.Ahead = digitsOnly(r.c.Ahead + in.Digits)
		}
		return r.enter(n.Next)
	case SayKind, VoicemailKind:
		return r.enter(n.Next)
	case MenuKind:
		return r.chosen(n, in)
	case ListenKind:
		return r.listened(n, in)
	case GatherKind:
		return r.gathered(n, in)
	case HoursKind:
		return r.enter(r.opened(n, in))
	case CityKind:
		return r.enter(r.located(n, in))
	case QueueKind, TransferKind:
		return r.given(n, in)
	}
	return r.enter(n.ID) // a set or branch node never waits: the cursor was made elsewhere, so make it anew
}

// run is one turn of the interpreter: it ends with an action.
type run struct {
	f     *Flow
	c     Cursor
	steps []Step
	via   string // the port just taken, where the nodes alone do not tell it
}

func (r *run) act(a Action) (Cursor, Action) {
	a.Node, a.Steps, a.Lang = r.c.Node, r.steps, r.lang()
	return r.c, a
}

func (r *run) hangup(o contact.Outcome, cause string) (Cursor, Action) {
	r.c.Ended = true
	return r.act(Action{Hangup: &Hangup{Outcome: o, Cause: cause}})
}

// enter goes to the node and, through nodes that ask nothing of the channel, on to the next that does.
func (r *run) enter(id string) (Cursor, Action) {
	for {
		n := r.f.nodes[id]
		if n == nil {
			return r.hangup(contact.Failed, "cursor")
		}
		if r.c.Steps >= MaxSteps {
			return r.hangup(contact.Failed, "steps")
		}
		r.c.Steps++
		r.c.Node, r.c.Try, r.c.Keys = id, 0, false
		r.c.Served = r.c.Served || n.Served
		r.steps = append(r.steps, Step{Node: id, Kind: n.Kind, Served: n.Served, Via: r.via})
		r.via = ""
		switch {
		case n.Kind == SetKind:
			r.set(n)
			id = n.Next
		case n.Kind == BranchKind:
			id = r.branch(n)
		case asksKey(n.Kind) && n.Bypass != "" && r.c.Bypass:
			id = n.Bypass
		case asksKey(n.Kind) && r.c.Ahead != "":
			key := r.c.Ahead[:1]
			r.c.Ahead = r.c.Ahead[1:]
			return r.chosen(n, Input{Kind: Pressed, Digits: key})
		default:
			return r.do(n)
		}
	}
}

func asksKey(k Kind) bool { return k == MenuKind || k == ListenKind }

// do makes the action of a node that asks something of the channel.
func (r *run) do(n *Node) (Cursor, Action) {
	switch n.Kind {
	case PlayKind:
		if !n.Interruptible {
			r.c.Ahead = "" // what must be heard is not answered before
		}
		return r.act(Action{Play: &Play{Prompts: n.Prompts, Text: r.text(n.Text, n.TextEn), Interruptible: n.Interruptible}})
	case MenuKind, ListenKind, GatherKind:
		return r.ask(n, "")
	case SayKind:
		return r.act(Action{Say: &Say{What: n.Say, Value: fill(n.Value, r.c.Vars)}})
	case VoicemailKind:
		return r.voicemail(n)
	case HoursKind:
		return r.act(Action{Hours: &AskHours{Calendar: n.Calendar}})
	case CityKind:
		return r.askCity(n)
	case QueueKind:
		first := !r.c.Asked
		r.c.Asked, r.c.Ahead = true, ""
		return r.act(Action{Queue: &Queue{Queue: n.Queue, ByCity: n.ByCity, Priority: n.Priority, Needs: n.Needs, First: first}})
	case TransferKind:
		if n.To != nil {
			r.c.Asked = r.c.Asked || n.To.Kind == contact.ToAgent || n.To.Kind == contact.ToQueue
			return r.act(Action{Transfer: &Transfer{To: *n.To}})
		}
	case HangupKind:
		o := n.Outcome
		if o == "" {
			o = r.c.Outcome()
		}
		return r.hangup(o, n.Cause)
	}
	return r.hangup(contact.Failed, "cursor")
}

func (r *run) set(n *Node) {
	old := maps.Clone(r.c.Vars)
	for _, name := range slices.Sorted(maps.Keys(n.Set)) {
		r.c.put(name, fill(n.Set[name], old))
	}
}

func (r *run) branch(n *Node) string {
	for i := range n.Cases {
		if n.Cases[i].holds(r.c.Vars) {
			return r.by(n, index("cases", i), n.Cases[i].To)
		}
	}
	return r.by(n, "else", n.Else)
}

// opened keeps what the calendar said and gives the way to take.
func (r *run) opened(n *Node, in Input) string {
	if in.Kind != Hours || !in.State.Valid() {
		return r.by(n, "open", n.Open)
	}
	r.c.put("hours", string(in.State))
	r.c.put("holiday", in.Name)
	next := ""
	if in.Next != 0 {
		next = strconv.FormatInt(in.Next, 10)
	}
	r.c.put("next_open", next)
	r.c.Turned = in.State != day.Open
	switch {
	case in.State == day.Lunch && n.Lunch != "":
		return r.by(n, "lunch", n.Lunch)
	case in.State == day.Holiday && n.Holiday != "":
		return r.by(n, "holiday", n.Holiday)
	case in.State != day.Open:
		return r.by(n, "closed", n.Closed)
	}
	return r.by(n, "open", n.Open)
}

// given takes the outcome of a queue or a transfer.
func (r *run) given(n *Node, in Input) (Cursor, Action) {
	if in.Kind == Done {
		return r.hangup(r.c.Outcome(), "ended")
	}
	r.c.put("why", in.Why)
	r.c.Turned = true
	if n.Failed == "" {
		return r.hangup(r.c.Outcome(), "failed")
	}
	return r.enter(n.Failed)
}

func (r *run) lang() string {
	if l := r.c.Vars["lang"]; l != "" {
		return l
	}
	return "zh"
}

func (r *run) text(zh, en string) string {
	if en != "" && r.lang() == "en" {
		zh = en
	}
	return fill(zh, r.c.Vars)
}

// greeting joins the recording notice and the greetings in force; nil when there is nothing to say.
func (r *run) greeting(e Entry) *Play {
	if e.Again {
		return nil
	}
	p := &Play{Prompts: present(e.Notice)}
	for _, g := range e.Greetings {
		if !g.holds(e.At) {
			continue
		}
		p.Prompts = append(p.Prompts, present(g.Prompt)...)
		if t := r.text(g.Text, g.TextEn); t != "" {
			p.Text = cut(p.Text+t+"\n", 4*MaxValue)
		}
	}
	if len(p.Prompts) == 0 && p.Text == "" {
		return nil
	}
	return p
}

func present(prompt string) []string {
	if prompt == "" {
		return nil
	}
	return []string{prompt}
}
