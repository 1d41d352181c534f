package main

import (
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kapok-hotline/kapok/engine/screen"
	"github.com/kapok-hotline/kapok/engine/screen/corpus"
)

// The weights in the product are what is learnt of the training families, and of nothing else.
func TestWeightsAreThoseLearnt(t *testing.T) {
	learnt := corpus.Training(corpus.Generate(corpus.Learn, corpus.LearnCount))
	for _, c := range learnt {
		if c.HeldOut {
			t.Fatalf("%s is held out", c.Family)
		}
	}
	want, err := source(screen.Train(corpus.Examples(learnt)))
	if err != nil {
		t.Fatal(err)
	}
	have, err := os.ReadFile("../weights_gen.go")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(have)); diff != "" {
		t.Errorf("run go generate ./engine/screen: %s", diff)
	}
}
