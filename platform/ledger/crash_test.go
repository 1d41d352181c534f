package ledger_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/ledger"
	"github.com/kapok-hotline/kapok/platform/ledger/ledgertest"
	"github.com/kapok-hotline/kapok/platform/store"
)

const crashEnv = "KAPOK_TEST_CRASH" // the database the child appends to until it is killed

// child is the process that is killed: it appends pairs of facts from many goroutines and says which pairs were
// acknowledged.
func child() bool {
	address := os.Getenv(crashEnv)
	if address == "" {
		return false
	}
	ctx := context.Background()
	db, err := store.Open(ctx, address)
	if err != nil {
		panic(err)
	}
	l, err := ledger.Open(ctx, ledger.Config{DB: db, Node: "node-1"})
	if err != nil {
		panic(err)
	}
	if err := l.Register(ctx, &count{}); err != nil {
		panic(err)
	}
	var out sync.Mutex
	for p := range 16 {
		go func() {
			for {
				pair := id.New(time.Now())
				a, b := fact("contact.entered", pair), fact("contact.ended", pair)
				a.Body = ledger.Body(strings.Repeat("x", 500))
				var err error
				if p%4 == 0 {
					err = l.Tx(ctx, func(tx *ledger.Tx) error { return tx.Append(a, b) })
				} else {
					err = l.Append(ctx, a, b)
				}
				if err != nil {
					panic(err)
				}
				out.Lock()
				_, _ = os.Stdout.WriteString(pair + "\n")
				out.Unlock()
			}
		}()
	}
	select {}
}

// kill -9 in full flight: every acknowledged fact is there, none is half, no pair is parted, and the fold agrees.
func TestKilledProcess(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		address := db.Address()
		cmd := exec.CommandContext(t.Context(), os.Args[0])
		cmd.Env = append(os.Environ(), crashEnv+"="+address)
		cmd.Stderr = os.Stderr
		pipe, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		var acknowledged []string
		lines := bufio.NewScanner(pipe)
		for lines.Scan() {
			acknowledged = append(acknowledged, lines.Text())
			if len(acknowledged) == 500 {
				if err := cmd.Process.Kill(); err != nil {
					t.Fatal(err)
				}
			}
		}
		_ = cmd.Wait()
		if len(acknowledged) < 500 {
			t.Fatalf("the child ended after %d", len(acknowledged))
		}
		if !id.Valid(acknowledged[len(acknowledged)-1]) {
			acknowledged = acknowledged[:len(acknowledged)-1] // cut by the kill while it was being said
		}
		l := ledgertest.New(t, db, &count{})
		facts := map[string]string{}
		for _, f := range since(t, l, 0) {
			facts[f.Subject] += f.Kind + fmt.Sprint(len(f.Body)) + " "
		}
		for pair, got := range facts {
			if want := "contact.entered502 contact.ended2 "; got != want {
				t.Errorf("%s has %q", pair, got)
			}
		}
		for _, pair := range acknowledged {
			if facts[pair] == "" {
				t.Errorf("%s was acknowledged and is gone", pair)
			}
		}
		if n := counted(t, db, "contact.entered"); n != len(facts) {
			t.Errorf("the fold counted %d of %d", n, len(facts))
		}
		appendAll(t, l, fact("contact.lost", "x"))
		ledgertest.Holds(t, l)
	})
}
