package ledger

import "testing"

func seqs(from, to int64) []Fact {
	var out []Fact
	for s := from; s <= to; s++ {
		out = append(out, Fact{Seq: s})
	}
	return out
}

func TestTail(t *testing.T) {
	tl := newTail(10)
	check := func(name string, seq, first, last int64, wantAsk bool) {
		t.Helper()
		facts, ask, _ := tl.after(seq)
		if ask != wantAsk {
			t.Errorf("%s: asks the table: %t", name, ask)
		}
		switch {
		case first == 0 && len(facts) > 0:
			t.Errorf("%s: %d facts, want none", name, len(facts))
		case first > 0 && (len(facts) == 0 || facts[0].Seq != first || facts[len(facts)-1].Seq != last):
			t.Errorf("%s: not the facts %d to %d", name, first, last)
		}
	}
	check("nothing new", 10, 0, 0, false)
	check("an old one", 3, 0, 0, true)
	_, _, wake := tl.after(10)
	tl.add(seqs(11, 13))
	select {
	case <-wake:
	default:
		t.Error("nobody was woken")
	}
	check("the new ones", 10, 11, 13, false)
	check("some of them", 12, 13, 13, false)
	check("before what is at hand", 9, 0, 0, true)
	tl.add(seqs(14, 14))
	check("what was committed together", 10, 11, 13, false)
	check("what came later", 13, 14, 14, false)

	tl.heard(20) // another node
	check("up to the other's", 13, 14, 14, false)
	check("the other's", 14, 0, 0, true)
	tl.add(seqs(21, 22))
	check("after the gap", 20, 21, 22, false)
	check("across the gap", 13, 0, 0, true)
	tl.heard(5)
	check("old word changes nothing", 22, 0, 0, false)

	held, _, _ := tl.after(20)
	tl.add(seqs(23, 22+tailKeep))
	check("the newest stay", 21+tailKeep, 22+tailKeep, 22+tailKeep, false)
	check("the oldest go", 20, 0, 0, true)
	if held[0].Seq != 21 || held[1].Seq != 22 {
		t.Error("what a follower holds was changed")
	}
	for s := int64(23 + tailKeep); s < 23+3*tailKeep; s += 7 {
		tl.add(seqs(s, s+6))
	}
	if tl.kept >= 2*tailKeep || len(tl.groups) > tailKeep {
		t.Errorf("%d facts in %d groups are kept", tl.kept, len(tl.groups))
	}
}
