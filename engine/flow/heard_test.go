package flow

import (
	"slices"
	"testing"

	"github.com/kapok-hotline/kapok/core/contact"
)

// asks is a listen node with two keys; free, if any, is where what is none of the words leads.
func asks(free string) Graph {
	one := 1
	return Graph{Code: "f", Start: "ask", Nodes: []Node{
		{
			ID: "ask", Kind: ListenKind, Prompts: []string{"say_or_press"}, KeysPrompt: "press", Retries: &one, Timeout: "agent", Invalid: "agent", Heard: free,
			Keys: []Key{
				{Key: "1", Words: []string{"发票", "增值税", "vat"}, To: "vat"},
				{Key: "2", Words: []string{"个税", "个人所得税"}, To: "iit"},
				{Key: "3", Words: []string{"增值税留抵"}, To: "left"},
			},
		},
		{ID: "vat", Kind: QueueKind, Queue: "vat"},
		{ID: "iit", Kind: QueueKind, Queue: "iit"},
		{ID: "left", Kind: QueueKind, Queue: "left"},
		{ID: "agent", Kind: QueueKind, Queue: "agent"},
	}}
}

// Row C4: what is said leads where its words stand; what is unclear, unsure or heard by nobody makes the flow ask for keys.
func TestRowC4WhatIsSaidLeadsOn(t *testing.T) {
	heard := func(s string) Input { return Input{Kind: Heard, Text: s} }
	failed := func(why string) Input { return Input{Kind: Failed, Why: why} }
	key := func(k string) Input { return Input{Kind: Pressed, Digits: k} }
	silent := Input{Kind: Timeout}
	for _, x := range []struct {
		name string
		free string
		in   []Input
		want string   // the queue in the end
		said bool     // chosen by words
		why  []string // of the tries that came to nothing
	}{
		{name: "a word", in: []Input{heard("我想问一下发票的事。")}, want: "vat", said: true},
		{name: "a word with letters stands by itself", in: []Input{heard("About VAT, please!")}, want: "vat", said: true},
		{name: "letters within a word are none", in: []Input{heard("I am at the vatican"), key("2")}, want: "iit", why: []string{Unheard}},
		{name: "the longer word is meant", in: []Input{heard("增值税 留抵 怎么退")}, want: "left", said: true},
		{name: "two of one length: who knows", in: []Input{heard("发票还是个税"), key("1")}, want: "vat", why: []string{Unheard}},
		{name: "a digit said", in: []Input{heard("二。")}, want: "iit", said: true},
		{name: "a digit in a sentence is no key", in: []Input{heard("我有一个问题"), key("3")}, want: "left", why: []string{Unheard}},
		{name: "what is none of the words goes on", free: "agent", in: []Input{heard("电脑登录不上")}, want: "agent"},
		{name: "nothing was said in words", free: "agent", in: []Input{heard(" 。"), key("1")}, want: "vat", why: []string{Unheard}},
		{name: "no engine: keys, and no step of it", in: []Input{failed(Off), key("1")}, want: "vat"},
		{name: "slow or broken: keys", in: []Input{failed(Deaf), key("1")}, want: "vat", why: []string{Deaf}},
		{name: "not sure: keys", in: []Input{failed(Unheard), key("2")}, want: "iit", why: []string{Unheard}},
		{name: "a key at once", in: []Input{key("2")}, want: "iit"},
		{name: "asking for keys is no try of the person's", in: []Input{failed(Deaf), silent, silent}, want: "agent", why: []string{Deaf, Silent, Silent}},
		{name: "speech is tried again after silence", in: []Input{silent, heard("发票")}, want: "vat", said: true, why: []string{Silent}},
		{name: "failing for ever ends", in: []Input{failed(Deaf), failed(Deaf), failed(Deaf)}, want: "agent", why: []string{Deaf, Silent, Silent}},
	} {
		t.Run(x.name, func(t *testing.T) {
			g := asks(x.free)
			f, problems := Compile(g, Env{})
			if len(problems) > 0 {
				t.Fatal(problems)
			}
			c, a := f.Start(Entry{})
			if a.Gather == nil || a.Gather.Speech == nil || !slices.Contains(a.Gather.Speech.Words, "发票") {
				t.Fatalf("asked %+v", a.Gather)
			}
			var why []string
			said := false
			for i, in := range x.in {
				keysOnly := c.Keys || in.Kind == Failed || in.Kind == Heard
				c, a = f.Next(c, in)
				for _, s := range a.Steps {
					if s.Why != "" {
						why = append(why, s.Why)
					}
					said = said || s.Said
				}
				if i < len(x.in)-1 && keysOnly && (a.Gather == nil || a.Gather.Speech != nil || !slices.Equal(a.Gather.Prompts, []string{"press"})) {
					t.Errorf("asked %+v, want keys alone", a.Gather)
				}
			}
			if a.Queue == nil || string(a.Queue.Queue) != x.want || said != x.said || !slices.Equal(why, x.why) {
				t.Errorf("came to %+v, said %v, tries %v", a.Queue, said, why)
			}
		})
	}
}

// A listen node in a phone flow that does not work by keys is refused; written answers need no key prompt.
func TestRowC4EveryListenNodeWorksByKeys(t *testing.T) {
	g := asks("")
	g.Nodes[0].KeysPrompt = ""
	if _, p := Compile(g, Env{}); len(p) != 1 || p[0].Code != "flow.listen.keys" || p[0].Field != "keys_prompt" {
		t.Errorf("%v", p)
	}
	g.Medium = contact.Chat
	f, p := Compile(g, Env{})
	if len(p) > 0 {
		t.Fatal(p)
	}
	c, _ := f.Start(Entry{})
	if _, a := f.Next(c, Input{Kind: Pressed, Digits: "我的增值税"}); a.Queue == nil || a.Queue.Queue != "vat" {
		t.Errorf("written: %+v", a)
	}
}

// What was said is kept for whoever comes next.
func TestWhatWasSaidIsKept(t *testing.T) {
	g := asks("agent")
	f, _ := Compile(g, Env{})
	c, _ := f.Start(Entry{})
	if c, _ = f.Next(c, Input{Kind: Heard, Text: "电脑登录不上"}); c.Vars[SaidVar] != "电脑登录不上" {
		t.Errorf("%v", c.Vars)
	}
}
