package audit

import (
	"context"
	"fmt"

	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/store"
)

// Head is the newest entry of a chain. Noted outside the database (on paper, in a log that is shipped away), it
// later proves that nothing up to it was rewritten.
type Head struct {
	Node id.Node `json:"node"`
	Seq  int64   `json:"seq"`
	Hash string  `json:"hash"`
}

// Breach is one place where a chain does not hold.
type Breach struct {
	Node id.Node `json:"node"`
	Seq  int64   `json:"seq"`
	What string  `json:"what"` // changed, missing, unlinked, cut, rewritten
}

// String is the breach in a few words, for logs.
func (b Breach) String() string { return fmt.Sprintf("%s %d %s", b.Node, b.Seq, b.What) }

// Report is what Verify found; no breaches means that the chains hold.
type Report struct {
	Entries  int64    `json:"entries"`
	Chains   int      `json:"chains"`
	Breaches []Breach `json:"breaches"`
}

// maxBreaches keeps the report readable when everything is broken.
const maxBreaches = 1000

// Heads gives the newest entry of each chain.
func (l *Log) Heads(ctx context.Context) ([]Head, error) { return heads(ctx, l.db) }

func heads(ctx context.Context, q store.Querier) ([]Head, error) {
	return store.All(ctx, q, `SELECT node, seq, hash FROM audit_head ORDER BY node`, scanHead)
}

func scanHead(s store.Scanner) (h Head, err error) { return h, s.Scan(&h.Node, &h.Seq, &h.Hash) }

// Verify reads every chain on db and reports what was changed (an entry whose hash is not its own), is missing
// (a gap), unlinked (an entry that does not follow the one before), cut (the end is not the head's), or
// rewritten (not what a head noted earlier says).
func Verify(ctx context.Context, db *store.DB, noted ...Head) (Report, error) {
	v := verifier{noted: map[Head]string{}}
	for _, h := range noted {
		v.noted[Head{Node: h.Node, Seq: h.Seq}] = h.Hash
	}
	// Heads are read first: what is appended meanwhile lies behind them and is not yet theirs to prove.
	ends, err := heads(ctx, db)
	if err != nil {
		return Report{}, err
	}
	v.ends = map[id.Node]Head{}
	for _, h := range ends {
		v.ends[h.Node] = h
	}
	err = store.Each(ctx, db, `SELECT `+columns+` FROM audit_entry ORDER BY node, seq`, scanRow, func(r row) error {
		v.next(&r)
		return nil
	})
	if err != nil {
		return Report{}, err
	}
	v.finish()
	return v.report, nil
}

// Verify checks the chains of every node in the log's database.
func (l *Log) Verify(ctx context.Context, noted ...Head) (Report, error) {
	return Verify(ctx, l.db, noted...)
}

type verifier struct {
	noted  map[Head]string
	ends   map[id.Node]Head
	report Report
	last   Head // the entry before, of the same chain
}

func (v *verifier) next(r *row) {
	v.report.Entries++
	node := id.Node(r.node)
	if v.report.Chains == 0 || v.last.Node != node {
		v.close()
		v.report.Chains++
		v.last = Head{Node: node}
	}
	switch {
	case r.seq != v.last.Seq+1:
		v.breach(v.last.Seq+1, "missing")
	case r.prev != v.last.Hash:
		v.breach(r.seq, "unlinked")
	}
	if r.sum() != r.hash {
		v.breach(r.seq, "changed")
	}
	if want, ok := v.noted[Head{Node: node, Seq: r.seq}]; ok {
		if want != r.hash {
			v.breach(r.seq, "rewritten")
		}
		delete(v.noted, Head{Node: node, Seq: r.seq})
	}
	if end, ok := v.ends[node]; ok && end.Seq == r.seq && end.Hash != r.hash {
		v.breach(r.seq, "cut")
	}
	v.last = Head{Node: node, Seq: r.seq, Hash: r.hash}
}

// close ends the chain that v.last belongs to.
func (v *verifier) close() {
	if v.report.Chains == 0 {
		return
	}
	end, ok := v.ends[v.last.Node]
	if !ok || end.Seq > v.last.Seq {
		v.breach(v.last.Seq+1, "cut")
	}
	delete(v.ends, v.last.Node)
}

func (v *verifier) finish() {
	v.close()
	for _, end := range v.ends { // chains of which no entry is left
		if end.Seq > 0 {
			v.last = Head{Node: end.Node}
			v.breach(1, "cut")
		}
	}
	for h := range v.noted {
		v.last = Head{Node: h.Node}
		v.breach(h.Seq, "cut")
	}
}

func (v *verifier) breach(seq int64, what string) {
	if len(v.report.Breaches) < maxBreaches {
		v.report.Breaches = append(v.report.Breaches, Breach{Node: v.last.Node, Seq: seq, What: what})
	}
}
