package flow

import (
	"encoding/json"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/kapok-hotline/kapok/core/contact"
)

func readGraph(t testing.TB, name string) Graph {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	var g Graph
	if err := yaml.UnmarshalWithOptions(b, &g, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	return g
}

func compiled(t testing.TB, g Graph) *Flow {
	t.Helper()
	f, problems := Compile(g, Env{})
	if f == nil {
		t.Fatalf("refused: %v", problems)
	}
	return f
}

// script walks a flow: each word is an input, each line of the result what the flow wanted.
func script(f *Flow, e Entry, inputs string) []string {
	c, a := f.Start(e)
	out := []string{want(a)}
	for _, word := range strings.Fields(inputs) {
		c = through(c)
		c, a = f.Next(c, input(word))
		out = append(out, want(a))
	}
	return out
}

// through sends the cursor the way it goes in presence: out as JSON and back.
func through(c Cursor) Cursor {
	b, err := json.Marshal(c)
	if err != nil {
		panic(err)
	}
	var back Cursor
	if err := json.Unmarshal(b, &back); err != nil {
		panic(err)
	}
	return back
}

func input(word string) Input {
	kind, rest, _ := strings.Cut(word, ":")
	switch kind {
	case "done", "timeout":
		return Input{Kind: InputKind(kind)}
	case "failed":
		return Input{Kind: Failed, Why: rest}
	case "open", "closed", "lunch", "holiday":
		return Input{Kind: Hours, State: dayState(kind), Name: rest, Next: 1_790_000_000_000}
	}
	return Input{Kind: Pressed, Digits: word}
}

func want(a Action) string {
	switch {
	case a.Play != nil:
		s := "play " + strings.Join(a.Play.Prompts, ",")
		if a.Play.Interruptible {
			s += " (interruptible)"
		}
		return s
	case a.Gather != nil && a.Gather.Keys != "":
		return "menu " + strings.Join(a.Gather.Prompts, ",") + " " + a.Gather.Keys
	case a.Gather != nil:
		return "gather " + strings.Join(a.Gather.Prompts, ",") + " " + a.Gather.Ahead
	case a.Say != nil:
		return "say " + string(a.Say.What) + " " + a.Say.Value
	case a.Hours != nil:
		return "hours " + a.Hours.Calendar
	case a.Queue != nil:
		s := "queue " + string(a.Queue.Queue) + " " + a.Lang
		if !a.Queue.First {
			s += " again"
		}
		return s
	case a.Transfer != nil:
		return "transfer " + string(a.Transfer.To.Kind) + " " + a.Transfer.To.Code
	case a.Hangup != nil:
		return "hangup " + string(a.Hangup.Outcome) + " " + a.Hangup.Cause
	}
	return "nothing"
}

func TestMenu2026(t *testing.T) {
	f := compiled(t, readGraph(t, "ivr_2026.yaml"))
	const main = "menu main_menu 1234567890*"
	for _, c := range []struct {
		name   string
		entry  Entry
		inputs string
		want   []string
	}{
		{"VAT by two keys", Entry{}, "open 1 2", []string{"hours ", main, "menu policy_menu 123490*", "queue vat zh"}},
		{"both keys at once", Entry{}, "open 12", []string{"hours ", main, "queue vat zh"}},
		{
			"silence three times goes to a person",
			Entry{},
			"open timeout timeout timeout",
			[]string{"hours ", main, "menu no_key,main_menu 1234567890*", "menu no_key,main_menu 1234567890*", "queue general zh"},
		},
		{
			"a wrong key of the second menu three times",
			Entry{},
			"open 1 7 7 7",
			[]string{"hours ", main, "menu policy_menu 123490*", "menu policy_menu 123490*", "menu policy_menu 123490*", "queue general zh"},
		},
		{"hear again", Entry{}, "open * 0", []string{"hours ", main, main, "queue general zh"}},
		{"English", Entry{}, "open 8", []string{"hours ", main, "queue general en"}},
		{
			"closed",
			Entry{},
			"closed done done done",
			[]string{"hours ", "play closed", "say time 1790000000000", "play goodbye", "hangup turned "},
		},
		{"a holiday without a way of its own is closed", Entry{}, "holiday:国庆", []string{"hours ", "play closed"}},
		{"lunch", Entry{}, "lunch", []string{"hours ", "play lunch"}},
		{"the calendar does not answer: open", Entry{}, "failed", []string{"hours ", main}},
		{
			"self-service, and then nothing more",
			Entry{},
			"open 3 1 done timeout done",
			[]string{"hours ", main, "menu self_menu 12340*", "play self_progress", "menu after_menu 0*", "play goodbye", "hangup served "},
		},
		{
			"a key during a notice counts at the next menu",
			Entry{},
			"open 9 0",
			[]string{"hours ", main, "play notices (interruptible)", "queue general zh"},
		},
		{
			"area code keyed, with a mistake",
			Entry{},
			"open 7 1 0757#",
			[]string{"hours ", main, "gather enter_area ", "gather wrong_area,enter_area ", "queue general zh"},
		},
		{
			"area code keyed ahead",
			Entry{},
			"open 70755 0755 done",
			[]string{"hours ", main, "gather enter_area 0755", "play shenzhen", "hangup served "},
		},
		{
			"Shenzhen by caller's number",
			Entry{Vars: map[string]string{"area_code": "0755"}},
			"open done",
			[]string{"hours ", "play shenzhen", "hangup served "},
		},
		{"queue full", Entry{}, "open 0 failed:full done", []string{"hours ", main, "queue general zh", "play busy", "hangup turned "}},
		{"tip-offs", Entry{}, "open 5 done done", []string{"hours ", main, "play tipoff", "transfer queue tipoff", "hangup left ended"}},
		{"menus switched off", Entry{BypassMenu: true}, "open", []string{"hours ", "queue general zh"}},
		{"recording notice first", Entry{Notice: "welcome"}, "done open", []string{"play welcome", "hours ", main}},
		{"special greetings in force", Entry{Notice: "welcome", At: 50, Greetings: []Greeting{
			{Prompt: "spring", From: 10, Until: 50}, {Prompt: "season", From: 50}, {Prompt: "always"},
		}}, "done", []string{"play welcome,season,always", "hours "}},
		{"greetings are not said twice", Entry{Notice: "welcome", Again: true}, "", []string{"hours "}},
		{"emergency closure", Entry{Notice: "welcome", Emergency: &Emergency{Prompt: "storm"}}, "done", []string{"play storm", "hangup turned emergency"}},
		{"text: the words of a key", Entry{}, "open 政策", []string{"hours ", main, "menu policy_menu 123490*"}},
		{"text: full-width figure", Entry{}, "open １", []string{"hours ", main, "menu policy_menu 123490*"}},
		{"text: something else", Entry{}, "open 你好", []string{"hours ", main, "menu wrong_key,main_menu 1234567890*"}},
		{"after the end only the end", Entry{}, "open 0 done done", []string{"hours ", main, "queue general zh", "hangup left ended", "hangup left ended"}},
	} {
		if got := script(f, c.entry, c.inputs); !slices.Equal(got, c.want) {
			t.Errorf("%s:\n got %q\nwant %q", c.name, got, c.want)
		}
	}
}

func TestStepsAreTheFacts(t *testing.T) {
	f := compiled(t, readGraph(t, "ivr_2026.yaml"))
	c, a := f.Start(Entry{Version: 7})
	var got []string
	note := func() {
		for _, s := range a.Steps {
			line := s.Node + " " + string(s.Kind)
			if s.Key != "" {
				line += " key " + s.Key
			}
			if s.Served {
				line += " served"
			}
			if s.Why != "" {
				line += " " + s.Why
			}
			got = append(got, line)
		}
	}
	note()
	for _, w := range []string{"open", "3", "timeout", "1", "done"} {
		c, a = f.Next(c, input(w))
		note()
	}
	want := []string{
		"open hours", "city branch", "main menu", "main menu key 3", "self menu", "self menu timeout",
		"self menu key 1", "self_progress play served", "after menu",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
	if c.Version != 7 || !c.Served || c.Asked || c.Steps != 6 || c.Outcome() != contact.Served {
		t.Errorf("cursor %+v", c)
	}
	if c.Node != "after" || a.Gather.First.String() != "6s" || a.Gather.Inter.String() != "3s" || a.Gather.Limit().String() != "6s" {
		t.Errorf("the question's deadlines: %+v", a.Gather)
	}
}

func TestNextLeavesTheCursorAlone(t *testing.T) {
	f := compiled(t, readGraph(t, "ivr_2026.yaml"))
	c, _ := f.Start(Entry{Vars: map[string]string{"number": "013900000137"}})
	before, _ := json.Marshal(c)
	f.Next(c, Input{Kind: Hours, State: "open", Vars: map[string]string{"position": "3"}})
	if after, _ := json.Marshal(c); string(after) != string(before) {
		t.Errorf("the cursor was changed: %s → %s", before, after)
	}
}

func TestTextsCoverEveryProblem(t *testing.T) {
	var src strings.Builder
	for _, name := range []string{"compile.go", "check.go", "loop.go", "city.go", "voicemail.go"} {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		src.Write(b)
	}
	keys := map[string]map[string]string{}
	for _, lang := range []string{"zh", "en"} {
		b, err := fs.ReadFile(Texts(), lang+".json")
		if err != nil {
			t.Fatal(err)
		}
		m := map[string]string{}
		if err := json.Unmarshal(b, &m); err != nil {
			t.Fatal(err)
		}
		keys[lang] = m
	}
	for k := range keys["zh"] {
		if keys["en"][k] == "" {
			t.Errorf("%s has no English", k)
		}
		code := strings.TrimPrefix(k, "fault.flow.")
		if thing, unknown := strings.CutSuffix(code, ".unknown"); unknown {
			if !strings.Contains(src.String(), `"`+thing+`"`) {
				t.Errorf("nothing says %s", k)
			}
		} else if !strings.Contains(src.String(), `"`+code+`"`) {
			t.Errorf("nothing says %s", k)
		}
	}
	if len(keys["zh"]) != len(keys["en"]) {
		t.Error("zh and en differ")
	}
}
