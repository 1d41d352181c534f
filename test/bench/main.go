// Command bench measures how well Kapok does what its goals say, from outside: a built binary on one core, the load
// on another. Every figure is a processor cost or a ratio within one run, so that it says something on a machine of
// any speed. Run it alone on the machine:
//
//	go run ./test/bench [-json] [-only name,name] [-quick]
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"syscall"
)

func main() {
	var o struct {
		json, quick bool
		only, perf  string
		bin         string
	}
	flag.BoolVar(&o.json, "json", false, "the table as JSON")
	flag.BoolVar(&o.quick, "quick", false, "fewer and shorter repetitions")
	flag.StringVar(&o.only, "only", "", "names of the rows to measure, with commas: "+strings.Join(names(), ", "))
	flag.StringVar(&o.perf, "perf", "", "write a profile of the server while row `call` is measured to this file (needs perf)")
	flag.StringVar(&o.bin, "bin", "", "a kapok binary to measure instead of one built from this tree")
	echo := flag.Bool("echo", false, "be the idle echo loop (the bench calls itself)")
	relay := flag.String("relay", "", "be the media plane of row fast-path (likewise)")
	spin := flag.String("spin", "", "be the idle loop that row fast-path measures with (likewise)")
	flag.Parse()
	if *echo {
		beEcho()
		return
	}
	if *relay != "" || *spin != "" {
		if err := beOther(*relay, *spin); err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			os.Exit(1)
		}
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ok, err := run(ctx, &bench{bin: o.bin, quick: o.quick, perf: o.perf}, o.json, o.only)
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	if !ok {
		os.Exit(2)
	}
}

// run measures and prints; ok is false when a goal was missed on a quiet machine.
func run(ctx context.Context, b *bench, asJSON bool, only string) (ok bool, err error) {
	for name := range strings.SplitSeq(only, ",") {
		if only != "" && !slices.Contains(names(), name) {
			return false, fmt.Errorf("there is no row %q; there are %s", name, strings.Join(names(), ", "))
		}
	}
	if runtime.NumCPU() < 2 {
		return false, errors.New("the bench needs two cores: one for the server, one for the load")
	}
	dir, err := os.MkdirTemp("", "kapok-bench-*")
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a temporary folder
	b.dir, b.machine = dir, look()
	if b.bin == "" {
		if b.bin, err = build(dir); err != nil {
			return false, err
		}
	}
	runtime.GOMAXPROCS(1)
	if err := pin(1); err != nil {
		return false, err
	}
	var out []row
	for _, r := range rows() {
		if only != "" && !slices.Contains(strings.Split(only, ","), r.Name) {
			continue
		}
		fmt.Fprintln(os.Stderr, "measuring", r.Name)
		if err := r.measure(ctx, b, &r); err != nil {
			r.Error = err.Error()
		}
		b.machine.note()
		out = append(out, r)
	}
	for i := range out {
		out[i].judge(b.machine.Busy)
	}
	if asJSON {
		e := json.NewEncoder(os.Stdout)
		e.SetIndent("", "  ")
		err = e.Encode(map[string]any{"machine": b.machine, "rows": out})
	} else {
		printTable(os.Stdout, b.machine, out)
	}
	return !slices.ContainsFunc(out, func(r row) bool { return r.Verdict == missed || r.Verdict == failed }), err
}

func names() (out []string) {
	for _, r := range rows() {
		out = append(out, r.Name)
	}
	return out
}
