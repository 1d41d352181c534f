package acd

import (
	"encoding/json"
	"slices"
	"testing"
)

// Every value has a word of its own, and the word leads back.
func TestWordsLeadBack(t *testing.T) {
	checkWords(t, eventWords(), int(MatchingResumed)+1)
	checkWords(t, commandWords(), int(Rejected)+1)
	checkWords(t, stateWords(), int(Away)+1)
	checkWords(t, whyWords(), int(WhyInvalid)+1)
	checkWords(t, causeWords(), int(BySticky)+1)
	checkWords(t, refusalWords(), int(KeptFor)+1)
	if Why(99).String() != "99" {
		t.Error("an unknown value has no number")
	}
	var s State
	if s.UnmarshalText([]byte("asleep")) == nil {
		t.Error("a state that is none was read")
	}
}

func checkWords(t *testing.T, words []string, n int) {
	t.Helper()
	if len(words) != n {
		t.Errorf("%d words for %d values: %q", len(words), n, words)
	}
	if c := slices.Compact(slices.Sorted(slices.Values(words))); len(c) != len(words) {
		t.Errorf("a word stands for two values: %q", words)
	}
}

// A history written as JSON and read again gives the same commands: so a log is enough to open a decision.
func TestAHistorySurvivesJSON(t *testing.T) {
	w := newWorld(t, 5)
	for w.n < 3000 {
		w.step()
	}
	text, err := json.Marshal(w.log)
	if err != nil {
		t.Fatal(err)
	}
	var log []Event
	if err := json.Unmarshal(text, &log); err != nil {
		t.Fatal(err)
	}
	again := New(Config{Fence: 3, Settings: w.set})
	var said []Command
	for i := range log {
		said = append(said, again.Apply(&log[i], w.nows[i])...)
	}
	if !slices.Equal(said, w.said) {
		t.Fatal("the history read back gave other commands")
	}
	text, err = json.Marshal(said)
	if err != nil {
		t.Fatal(err)
	}
	var back []Command
	if err := json.Unmarshal(text, &back); err != nil || !slices.Equal(back, said) {
		t.Fatalf("the commands did not survive: %v", err)
	}
}
