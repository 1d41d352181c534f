package flow

import (
	"encoding/json"
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/kapok-hotline/kapok/core/contact"
)

// dice makes every choice of a random graph from bytes, so that the fuzzer can steer it.
type dice struct {
	b []byte
	r *rand.Rand
}

func (d *dice) n(n int) int {
	if len(d.b) > 0 {
		v := int(d.b[0])
		d.b = d.b[1:]
		return v % n
	}
	return d.r.IntN(n)
}

var kinds = []Kind{PlayKind, MenuKind, ListenKind, GatherKind, SayKind, HoursKind, SetKind, BranchKind, CityKind, QueueKind, TransferKind, VoicemailKind, HangupKind}

// graph draws a graph whose targets point anywhere, most of them to nodes there are.
func (d *dice) graph() Graph {
	count := 1 + d.n(9)
	to := func() string {
		if d.n(30) == 0 {
			return "nowhere"
		}
		return "n" + strconv.Itoa(d.n(count))
	}
	g := Graph{Code: "x", Start: "n0"}
	for i := range count {
		n := Node{ID: "n" + strconv.Itoa(i), Kind: kinds[d.n(len(kinds))], Served: d.n(5) == 0}
		d.fill(&n, to)
		g.Nodes = append(g.Nodes, n)
	}
	return g
}

func (d *dice) fill(n *Node, to func() string) {
	retries := d.n(4)
	switch n.Kind {
	case PlayKind:
		n.Prompts, n.Interruptible, n.Next = []string{"p"}, d.n(2) == 0, to()
	case MenuKind:
		n.Prompts, n.Timeout, n.Invalid, n.Retries = []string{"p"}, to(), to(), &retries
		for k := range 1 + d.n(4) {
			n.Keys = append(n.Keys, Key{Key: strconv.Itoa(k), To: to()})
		}
		if d.n(3) == 0 {
			n.Bypass = to()
		}
	case ListenKind:
		n.Prompts, n.KeysPrompt, n.Timeout, n.Invalid, n.Retries = []string{"p"}, "k", to(), to(), &retries
		for k := range 1 + d.n(3) {
			n.Keys = append(n.Keys, Key{Key: strconv.Itoa(k), Words: []string{"w" + strconv.Itoa(k)}, To: to()})
		}
		if d.n(2) == 0 {
			n.Heard = to()
		}
	case GatherKind:
		n.Prompts, n.Var, n.Max, n.Next, n.Timeout, n.Invalid, n.Retries = []string{"p"}, "v", 1+d.n(8), to(), to(), to(), &retries
	case SayKind:
		n.Say, n.Value, n.Next = Digits, "{v}", to()
	case HoursKind:
		n.Open, n.Closed = to(), to()
	case SetKind:
		n.Set, n.Next = map[string]string{"v": "{v}{v}" + strconv.Itoa(d.n(3))}, to()
	case BranchKind:
		n.Cases, n.Else = []Case{{Var: "v", Op: Prefix, Values: []string{"1"}, To: to()}}, to()
	case CityKind:
		n.Next, n.Elsewhere, n.Unknown = to(), to(), to()
		if d.n(2) == 0 {
			n.Var = "v"
		}
	case QueueKind:
		n.Queue, n.ByCity = "q", d.n(2) == 0
		if d.n(2) == 0 {
			n.Failed = to()
		}
	case VoicemailKind:
		n.Next = to()
	case TransferKind:
		n.To = &contact.Target{Kind: contact.ToNumber, Code: "110"}
		if d.n(2) == 0 {
			n.Failed = to()
		}
	}
}

func (d *dice) input() Input {
	switch d.n(12) {
	case 8:
		return Input{Kind: Located, City: []string{"", "gz"}[d.n(2)], Away: d.n(2) == 0}
	case 0, 1, 2:
		return Input{Kind: Pressed, Digits: strconv.Itoa(d.n(1000))}
	case 3:
		return Input{Kind: Timeout}
	case 4:
		return Input{Kind: Failed, Why: "full"}
	case 5:
		return Input{Kind: Hours, State: dayState([]string{"open", "closed", "lunch", "holiday", "what"}[d.n(5)])}
	case 6:
		return Input{Kind: Pressed, Digits: "\xff１*#你"[d.n(8):]}
	case 10:
		return Input{Kind: Heard, Text: []string{"w0", "我要w1", "", "别的", "\xff"}[d.n(5)]}
	case 11:
		return Input{Kind: Failed, Why: []string{Off, Deaf, Unheard}[d.n(3)]}
	case 7:
		return Input{Kind: "nonsense", Vars: map[string]string{"v": "1", "BAD": "x"}}
	}
	return Input{Kind: Done}
}

// sound checks an action: one thing to do, deadlines set, the cursor bounded.
func sound(t *testing.T, c Cursor, a Action) {
	t.Helper()
	things := 0
	for _, is := range []bool{a.Play != nil, a.Gather != nil, a.Say != nil, a.Hours != nil, a.City != nil, a.Queue != nil, a.Transfer != nil, a.Voicemail != nil, a.Hangup != nil} {
		if is {
			things++
		}
	}
	if things != 1 {
		t.Fatalf("%d things to do at once: %+v", things, a)
	}
	if a.Gather != nil && (a.Gather.First <= 0 || a.Gather.Inter <= 0 || a.Gather.Max < a.Gather.Min) {
		t.Fatalf("a question without end: %+v", a.Gather)
	}
	if a.Voicemail != nil && (a.Voicemail.Limit <= 0 || a.Voicemail.Silence <= 0) {
		t.Fatalf("a message without end: %+v", a.Voicemail)
	}
	if c.Steps > MaxSteps || len(c.Vars) > MaxVars || len(c.Ahead) > 32 || c.Try > 5 {
		t.Fatalf("a cursor out of bounds: %+v", c)
	}
	for _, v := range c.Vars {
		if len(v) > MaxValue {
			t.Fatalf("a variable of %d bytes", len(v))
		}
	}
	if c.Ended != (a.Hangup != nil) {
		t.Fatalf("ended %v with %+v", c.Ended, a)
	}
}

// mostTurns bounds the answers a contact can give: every step asks at most six times.
const mostTurns = MaxSteps*6 + 3

func FuzzFlow(f *testing.F) {
	for i := range 20 {
		f.Add([]byte{}, uint64(i))
	}
	f.Add([]byte{3, 1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, uint64(1))
	f.Fuzz(func(t *testing.T, b []byte, seed uint64) {
		walkRandom(t, &dice{b: b, r: rand.New(rand.NewPCG(seed, 1))})
	})
}

func TestRandomGraphs(t *testing.T) {
	compiledOnes := 0
	for seed := range uint64(5_000) {
		if walkRandom(t, &dice{r: rand.New(rand.NewPCG(seed, 2))}) {
			compiledOnes++
		}
	}
	if compiledOnes < 50 {
		t.Errorf("only %d of the random graphs were sound: the property was hardly tried", compiledOnes)
	}
}

// walkRandom draws a graph and walks it with random answers to its end, sound or not; a graph that Compile
// takes must besides bring a silent person to an end within as many steps as it has nodes.
func walkRandom(t *testing.T, d *dice) bool {
	g := d.graph()
	f, problems := Compile(g, Env{})
	if (f == nil) == (len(problems) == 0) {
		t.Fatalf("flow %v, problems %v", f, problems)
	}
	raw := assemble(g)
	c, a := raw.Start(Entry{BypassMenu: d.n(2) == 0, Notice: "rec"})
	for turn := 0; a.Hangup == nil; turn++ {
		sound(t, c, a)
		if turn > mostTurns {
			t.Fatalf("no end after %d answers: %+v", turn, g)
		}
		c, a = raw.Next(through(c), d.input())
	}
	sound(t, c, a)
	if f == nil {
		return false
	}
	for _, bypass := range []bool{false, true} {
		for _, quiet := range []InputKind{Timeout, Failed, Done} {
			silent(t, f, bypass, quiet)
		}
	}
	return true
}

func silent(t *testing.T, f *Flow, bypass bool, quiet InputKind) {
	t.Helper()
	c, a := f.Start(Entry{BypassMenu: bypass})
	for a.Hangup == nil {
		in := Input{Kind: quiet}
		if a.Gather != nil && quiet == Done {
			in = Input{Kind: Pressed, Digits: "#"} // a stuck key
		}
		c, a = f.Next(c, in)
		if c.Steps > len(f.nodes) {
			t.Fatalf("a person who does nothing made %d steps in %d nodes: %+v", c.Steps, len(f.nodes), f.graph)
		}
	}
	if a.Hangup.Cause == "steps" || a.Hangup.Cause == "cursor" {
		t.Fatalf("a compiled flow ended by %q: %+v", a.Hangup.Cause, f.graph)
	}
}

func FuzzCursor(f *testing.F) {
	f.Add(`{"node":"main","try":-5,"steps":-9,"ahead":"x\u00ff1"}`, "digits", "1")
	f.Add(`{"node":"@entry"}`, "done", "")
	f.Add(`{"node":"@emergency","vars":{"A":"b"}}`, "failed", "")
	f.Add(`{"node":"city"}`, "done", "")
	flow := compiled(f, readGraph(f, "ivr_2026.yaml"))
	f.Fuzz(func(t *testing.T, cursor, kind, digits string) {
		var c Cursor
		if json.Unmarshal([]byte(cursor), &c) != nil || len(c.Vars) > MaxVars || len(cursor) > MaxValue || c.Steps > MaxSteps {
			return
		}
		in := Input{Kind: InputKind(kind), Digits: digits, State: dayState(digits)}
		c, a := flow.Next(c, in)
		for turn := 0; a.Hangup == nil; turn++ {
			sound(t, c, a)
			if turn > mostTurns {
				t.Fatal("no end")
			}
			c, a = flow.Next(c, in)
		}
	})
}
