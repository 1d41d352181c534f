package flow

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Heard is the input of a listen node: what a person said, as text, in Input.Text. A channel that could not make out
// what was said, or has nobody to ask, answers Failed; then the flow asks for keys.
const Heard InputKind = "heard"

// Why a listen node came to ask for keys: Input.Why of Failed, and Step.Why.
const (
	Unheard = "unheard" // nothing sure was made out of what was said, or it led nowhere
	Deaf    = "deaf"    // speech could not be turned into text: slow, broken
	Off     = "off"     // there is no speech engine: no step is made of it, for it is so for everybody
)

// SaidVar takes what was said at a listen node that names no variable.
const SaidVar = "said"

// Speech is what a question may be answered by beside keys. The words help a recogniser that takes hints.
type Speech struct {
	Words []string `json:"words,omitempty"`
}

// speech gives what may be said at a node; nil where only keys are taken.
func (n *Node) speech(keysOnly bool) *Speech {
	if n.Kind != ListenKind || keysOnly {
		return nil
	}
	s := &Speech{}
	for _, k := range n.Keys {
		s.Words = append(s.Words, k.Words...)
	}
	return s
}

// listened takes the answer to a listen node: a key as at a menu, or what was said.
func (r *run) listened(n *Node, in Input) (Cursor, Action) {
	switch {
	case in.Kind == Heard:
		return r.said(n, in.Text)
	case in.Kind == Pressed && choice(n.Keys, in.Digits) < 0 && digitsOnly(plain(in.Digits)) != plain(in.Digits):
		return r.said(n, in.Digits) // written, in a text channel
	case in.Kind == Failed && !r.c.Keys:
		return r.byKeys(n, in.Why)
	}
	return r.chosen(n, in)
}

func (r *run) said(n *Node, text string) (Cursor, Action) {
	if r.c.Keys { // only keys were asked for
		return r.again(n, Mistaken, n.Invalid, n.InvalidPrompt)
	}
	name := n.Var
	if name == "" {
		name = SaidVar
	}
	r.c.put(name, text)
	if i := meant(n.Keys, text); i >= 0 {
		r.steps = append(r.steps, Step{Node: n.ID, Kind: n.Kind, Key: n.Keys[i].Key, Said: true})
		return r.enter(n.Keys[i].To)
	}
	if n.Heard != "" && normal(text) != "" {
		r.via = "heard"
		return r.enter(n.Heard)
	}
	return r.byKeys(n, Unheard)
}

// byKeys asks once more, by keys alone, until the node is left. It is no try of the person's.
func (r *run) byKeys(n *Node, why string) (Cursor, Action) {
	if why != Off {
		if why != Unheard {
			why = Deaf
		}
		r.steps = append(r.steps, Step{Node: n.ID, Kind: n.Kind, Why: why})
	}
	r.c.Keys = true
	return r.ask(n, "")
}

// meant finds the key whose words were said; -1: none, or several that are equally long, for then nobody knows which.
// A word inside a longer one that was said as well does not count. A key's own digit counts when it is all that was said.
func meant(keys []Key, text string) int {
	said := normal(text)
	if i := slices.IndexFunc(keys, func(k Key) bool { return k.Key == digitSaid(said) }); i >= 0 {
		return i
	}
	best, length := -1, 0
	for i, k := range keys {
		for _, w := range k.Words {
			w = normal(w)
			n := utf8.RuneCountInString(w)
			switch {
			case n < length || !says(said, w):
			case n > length:
				best, length = i, n
			case best != i:
				best = -1
			}
		}
	}
	return best
}

// says reports whether the word stands in the text: as whole words where it is written with letters.
func says(text, word string) bool {
	if word == "" {
		return false
	}
	if word[0] < utf8.RuneSelf {
		return strings.Contains(" "+text+" ", " "+word+" ")
	}
	return strings.Contains(strings.ReplaceAll(text, " ", ""), word)
}

// normal brings what a recogniser wrote into one shape: lower case, full-width forms as ASCII, one space where there
// were marks or spaces, none around Chinese.
func normal(s string) string {
	return strings.Join(strings.FieldsFunc(plain(s), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '*' && r != '#' }), " ")
}

// digitSaid gives the key a person means who says nothing but a digit; "": none.
func digitSaid(said string) string {
	for _, words := range [...][]string{
		{"0", "零", "〇", "zero", "oh"},
		{"1", "一", "幺", "壹", "one"},
		{"2", "二", "两", "兩", "two"},
		{"3", "三", "three"},
		{"4", "四", "four"},
		{"5", "五", "five"},
		{"6", "六", "six"},
		{"7", "七", "seven"},
		{"8", "八", "eight"},
		{"9", "九", "nine"},
	} {
		if slices.Contains(words, said) {
			return words[0]
		}
	}
	return ""
}
