package flow

import (
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/span"
)

// A message has a limit, an end by silence and an ending key, whatever the node says of them; whatever comes of it the
// person goes on.
func TestVoicemail(t *testing.T) {
	g := Graph{Code: "x", Start: "msg", Nodes: []Node{
		{ID: "msg", Kind: VoicemailKind, Prompts: []string{"p"}, Limit: span.Span(time.Minute), Next: "end"},
		{ID: "end", Kind: HangupKind, Outcome: contact.Turned},
	}}
	f, problems := Compile(g, Env{})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	c, a := f.Start(Entry{})
	if v := a.Voicemail; v == nil || v.Limit.D() != time.Minute || v.Silence != DefaultSilence || v.Stop != "#" || len(v.Prompts) != 1 {
		t.Fatalf("%+v", a)
	}
	for _, in := range []Input{{Kind: Done}, {Kind: Failed, Why: "disk"}, {Kind: Timeout}} {
		if _, a := f.Next(c, in); a.Hangup == nil || a.Hangup.Outcome != contact.Turned {
			t.Errorf("%s: %+v", in.Kind, a)
		}
	}
	for name, n := range map[string]Node{
		"an hour":         {Limit: span.Span(time.Hour)},
		"no time to draw": {Silence: span.Span(time.Second)},
		"two keys":        {Stop: "##"},
	} {
		n.ID, n.Kind, n.Next = "msg", VoicemailKind, "end"
		if _, problems := Compile(Graph{Code: "x", Start: "msg", Nodes: []Node{n, g.Nodes[1]}}, Env{}); len(problems) != 1 {
			t.Errorf("%s: %v", name, problems)
		}
	}
	g.Medium = contact.WeChat
	if _, problems := Compile(g, Env{}); len(problems) != 1 || problems[0].Code != "flow.voicemail.medium" {
		t.Errorf("in a text channel: %v", problems)
	}
}
