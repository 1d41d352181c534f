package audit

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/clock"
	"github.com/kapok-hotline/kapok/platform/store"
	"github.com/kapok-hotline/kapok/platform/store/storetest"
)

func open(t *testing.T, db *store.DB, node id.Node) (*Log, *clock.Manual) {
	t.Helper()
	if err := db.Migrate(t.Context(), "audit", Migrations()); err != nil {
		t.Fatal(err)
	}
	c := clock.NewManual(time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC))
	return New(db, node, c), c
}

func write(t *testing.T, l *Log, entries ...Entry) {
	t.Helper()
	for _, e := range entries {
		if err := l.Append(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
}

func some(n int) []Entry {
	var out []Entry
	for i := range n {
		out = append(out, Entry{
			Actor: "1001", Site: "gz", IP: "192.0.2.1", Session: "s1", Action: "GET /api/v1/recordings/{id}", Outcome: "ok", Request: "R1",
			Subject: map[string]string{"id": fmt.Sprint("rec", i)}, Detail: map[string]any{"reason": "抽检"},
		})
	}
	return out
}

func TestMigrations(t *testing.T) { storetest.Migrations(t, "audit", Migrations()) }

func TestTampering(t *testing.T) {
	for _, c := range []struct {
		name, sql string
		want      []string
	}{
		{"nothing", `SELECT 1`, nil},
		{"one byte of the action", `UPDATE audit_entry SET action = 'GET /api/v1/recordings/{ie}' WHERE node = 'a' AND seq = 3`, []string{"a 3 changed"}},
		{"one byte of the subject", `UPDATE audit_entry SET subject = '{"id":"rec9"}' WHERE node = 'a' AND seq = 3`, []string{"a 3 changed"}},
		{"one byte of the detail", `UPDATE audit_entry SET detail = '{"reason":"抽查"}' WHERE node = 'a' AND seq = 3`, []string{"a 3 changed"}},
		{"one millisecond", `UPDATE audit_entry SET at = at + 1 WHERE node = 'a' AND seq = 3`, []string{"a 3 changed"}},
		{"the actor", `UPDATE audit_entry SET actor = '1002' WHERE node = 'a' AND seq = 3`, []string{"a 3 changed"}},
		{"the site", `UPDATE audit_entry SET site = 'sz' WHERE node = 'a' AND seq = 3`, []string{"a 3 changed"}},
		{"the address", `UPDATE audit_entry SET ip = '192.0.2.2' WHERE node = 'a' AND seq = 3`, []string{"a 3 changed"}},
		{"the session", `UPDATE audit_entry SET session = '' WHERE node = 'a' AND seq = 3`, []string{"a 3 changed"}},
		{"the outcome", `UPDATE audit_entry SET outcome = 'no' WHERE node = 'a' AND seq = 3`, []string{"a 3 changed"}},
		{"the request", `UPDATE audit_entry SET request = 'R2' WHERE node = 'a' AND seq = 3`, []string{"a 3 changed"}},
		{"a character moved to the next column", `UPDATE audit_entry SET ip = '192.0.2.1s', session = '1' WHERE node = 'a' AND seq = 3`, []string{"a 3 changed"}},
		{"the link", `UPDATE audit_entry SET prev = hash WHERE node = 'a' AND seq = 3`, []string{"a 3 unlinked", "a 3 changed"}},
		{"the hash", `UPDATE audit_entry SET hash = prev WHERE node = 'a' AND seq = 3`, []string{"a 3 changed", "a 4 unlinked"}},
		{"an entry removed", `DELETE FROM audit_entry WHERE node = 'a' AND seq = 3`, []string{"a 3 missing"}},
		{"the first removed", `DELETE FROM audit_entry WHERE node = 'a' AND seq = 1`, []string{"a 1 missing"}},
		{"the last removed", `DELETE FROM audit_entry WHERE node = 'a' AND seq = 5`, []string{"a 5 cut"}},
		{"all of a node removed", `DELETE FROM audit_entry WHERE node = 'b'`, []string{"b 1 cut"}},
		{"the head removed", `DELETE FROM audit_head WHERE node = 'b'`, []string{"b 3 cut"}},
		{"the head changed", `UPDATE audit_head SET hash = 'x' WHERE node = 'a'`, []string{"a 5 cut"}},
		{"an entry copied in", `INSERT INTO audit_entry SELECT node, 6, at, actor, site, ip, session, action, subject, outcome, detail, request, prev, hash FROM audit_entry WHERE node = 'a' AND seq = 5`, []string{"a 6 unlinked", "a 6 changed"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			storetest.Each(t, func(t *testing.T, db *store.DB) {
				a, _ := open(t, db, "a")
				b, _ := open(t, db, "b")
				write(t, a, some(5)...)
				write(t, b, some(2)...)
				if !strings.HasPrefix(c.sql, "SELECT") {
					if _, err := store.Exec(t.Context(), db, c.sql); err != nil {
						t.Fatal(err)
					}
				}
				got, err := a.Verify(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				var found []string
				for _, b := range got.Breaches {
					found = append(found, b.String())
				}
				if d := cmp.Diff(c.want, found); d != "" {
					t.Error(d)
				}
			})
		})
	}
}

// An intruder who knows the hash can rewrite a chain whole; a head noted elsewhere shows it.
func TestRewritingIsFoundByANotedHead(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		l, _ := open(t, db, "a")
		write(t, l, some(3)...)
		noted, err := l.Heads(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, table := range []string{"audit_entry", "audit_head"} {
			if _, err := store.Exec(t.Context(), db, `DELETE FROM `+table); err != nil {
				t.Fatal(err)
			}
		}
		write(t, l, some(4)[1:]...)
		if r, err := l.Verify(t.Context()); err != nil || len(r.Breaches) != 0 {
			t.Errorf("the new chain is whole, yet %v %v", r, err)
		}
		r, err := l.Verify(t.Context(), noted...)
		if err != nil || len(r.Breaches) != 1 || r.Breaches[0].What != "rewritten" {
			t.Errorf("with the noted head: %v %v", r, err)
		}
	})
}

func TestManyWritersKeepOneChain(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		l, _ := open(t, db, "a")
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				for range 5 {
					if err := l.Append(context.Background(), some(1)[0]); err != nil {
						t.Error(err)
					}
				}
			})
		}
		all.Wait()
		if r, err := l.Verify(t.Context()); err != nil || r.Entries != 40 || len(r.Breaches) != 0 {
			t.Errorf("%+v %v", r, err)
		}
	})
}

func TestAppendTxGoesWithItsTransaction(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		l, _ := open(t, db, "a")
		no := fault.New(fault.Conflict, "x.y.z")
		if err := db.Tx(t.Context(), func(tx *store.Tx) error {
			if err := l.AppendTx(t.Context(), tx, some(1)[0]); err != nil {
				return err
			}
			return no
		}); fault.CodeOf(err) != "x.y.z" {
			t.Fatal(err)
		}
		if r, err := l.Verify(t.Context()); err != nil || r.Entries != 0 || len(r.Breaches) != 0 {
			t.Errorf("%+v %v", r, err)
		}
	})
}

func TestRead(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		l, now := open(t, db, "a")
		for i, e := range some(7) {
			e.Actor = id.User(fmt.Sprint("u", i%2))
			e.Site = id.Site([]string{"gz", "sz"}[i%2])
			if i == 3 {
				e.Outcome, e.Detail = "web.right.missing", map[string]any{"note": "100%_sure\x00\xff"}
			}
			write(t, l, e)
			now.Advance(time.Minute)
		}
		start := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC).UnixMilli()
		for _, c := range []struct {
			name string
			q    Query
			want []int64
		}{
			{"all, the newest first", Query{}, []int64{7, 6, 5, 4, 3, 2, 1}},
			{"by actor", Query{Actor: "u1"}, []int64{6, 4, 2}},
			{"by time", Query{From: start + 60_000, To: start + 180_000}, []int64{3, 2}},
			{"failures", Query{Failed: true}, []int64{4}},
			{"words", Query{Words: "REC5"}, []int64{6}},
			{"words with pattern characters", Query{Words: "100%_s"}, []int64{4}},
			{"words nowhere", Query{Words: "1000_s"}, []int64{}},
			{"sites", Query{Sites: []id.Site{"sz"}}, []int64{6, 4, 2}},
			{"no site", Query{Sites: []id.Site{}}, []int64{}},
		} {
			got, err := l.Read(t.Context(), c.q)
			if err != nil {
				t.Fatal(err)
			}
			seqs := []int64{}
			for _, e := range got.Rows {
				seqs = append(seqs, e.Seq)
			}
			if d := cmp.Diff(c.want, seqs); d != "" {
				t.Errorf("%s: %s", c.name, d)
			}
		}
		var pages [][]int64
		p := store.Page{Limit: 3}
		for {
			s, err := l.Read(t.Context(), Query{Page: p})
			if err != nil {
				t.Fatal(err)
			}
			var seqs []int64
			for _, e := range s.Rows {
				seqs = append(seqs, e.Seq)
			}
			pages = append(pages, seqs)
			if p.After = s.Next; s.Next == "" {
				break
			}
		}
		if d := cmp.Diff([][]int64{{7, 6, 5}, {4, 3, 2}, {1}}, pages); d != "" {
			t.Error(d)
		}
		if _, err := l.Read(t.Context(), Query{Page: store.Page{After: "nonsense"}}); fault.CodeOf(err) != "store.page.invalid" {
			t.Error(err)
		}
	})
}
