package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
)

// Rows acd and ledger are benchmarks of their packages; here they are run and read.

const (
	acdGoal    = 1e6 // events/s
	ledgerGoal = 10  // times one producer
)

func measureACD(ctx context.Context, b *bench, r *row) error {
	var rates, allocs, reads []float64
	for range b.times(3) {
		m, err := goBench(ctx, "github.com/kapok-hotline/kapok/engine/acd", "^BenchmarkBrain$/^profiles=300$", "1000000x", true)
		if err != nil {
			return err
		}
		rates = append(rates, 1e9/m["cpu-ns/op"])
		allocs = append(allocs, m["allocs/op"])
		reads = append(reads, m["misses/op"])
	}
	r.of(rates, "%.0f events/s of processor time")
	most, _, _ := median(allocs)
	r.Measured += fmt.Sprintf("; %.0f allocations an event", most)
	r.Met = r.Value >= acdGoal && most == 0
	apart, _, _ := median(reads)
	r.notef("an event costs as much as %.1f reads at random places of this machine's memory at this moment", apart)
	return nil
}

func measureLedger(ctx context.Context, b *bench, r *row) error {
	var ratios, many, alone []float64
	for range b.times(3) {
		m, err := goBench(ctx, "github.com/kapok-hotline/kapok/platform/ledger", "^BenchmarkAppend$", "1x", false)
		if err != nil {
			return err
		}
		ratios = append(ratios, m["ratio"])
		many, alone = append(many, m["facts/s-64"]), append(alone, m["facts/s-alone"])
	}
	r.of(ratios, "%.1f ×")
	most, _, _ := median(many)
	one, _, _ := median(alone)
	r.Measured += fmt.Sprintf("; %.0f facts/s from 64, %.0f from one", most, one)
	r.Met = r.Value >= ledgerGoal
	return nil
}

// goBench runs one benchmark of a package, on one core when told so, and gives its figures by unit.
func goBench(ctx context.Context, pkg, name, count string, oneCore bool) (map[string]float64, error) {
	cores := "0"
	if !oneCore {
		cores = "0,1"
	}
	cmd := exec.CommandContext(ctx, "taskset", "-c", cores, "go", "test", "-run", "^$", "-bench", name, "-benchtime", count, "-benchmem", "-timeout", "10m", pkg)
	cmd.Env = os.Environ()
	if oneCore {
		cmd.Env = append(cmd.Env, "GOMAXPROCS=1")
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("%s: %w\n%s", name, err, out)
	}
	for line := range strings.Lines(string(out)) {
		f := strings.Fields(line)
		if len(f) < 4 || !strings.HasPrefix(f[0], "Benchmark") {
			continue
		}
		m := map[string]float64{}
		for i := 2; i+1 < len(f); i += 2 {
			if m[f[i+1]], err = strconv.ParseFloat(f[i], 64); err != nil {
				return nil, fmt.Errorf("%s: the line %q cannot be read: %w", name, line, err)
			}
		}
		return m, nil
	}
	return nil, fmt.Errorf("%s was not found in %s:\n%s", name, pkg, out)
}
