package main

import (
	"context"
	"fmt"
	"io"
	"strings"
)

// bench is what the rows share.
type bench struct {
	bin, dir, perf string
	quick          bool
	machine        machine
}

// times gives how often a row is repeated.
func (b *bench) times(full int) int {
	if b.quick {
		return 1
	}
	return full
}

// verdict is what a figure is worth.
type verdict string

const (
	good     verdict = "good"
	missed   verdict = "missed"
	unsure   verdict = "no verdict" // others were at work on the machine, or the load was late itself: nothing is called good or missed
	failed   verdict = "not measured"
	asBefore         = "–"
)

// row is one goal with what was measured.
type row struct {
	Name     string   `json:"name"`
	Measure  string   `json:"measure"`
	Goal     string   `json:"goal"`
	Compare  string   `json:"comparison"`
	Measured string   `json:"measured"`
	Value    float64  `json:"value"` // what the goal is about, in the goal's unit
	Low      float64  `json:"low"`
	High     float64  `json:"high"`
	Met      bool     `json:"met"`
	Verdict  verdict  `json:"verdict"`
	Doubt    string   `json:"doubt,omitempty"` // why the figure may not be the server's: then there is no verdict
	Notes    []string `json:"notes,omitempty"`
	Error    string   `json:"error,omitempty"`

	measure func(context.Context, *bench, *row) error
}

func (r *row) notef(format string, args ...any) {
	r.Notes = append(r.Notes, fmt.Sprintf(format, args...))
}

// of puts repetitions into the row: median and spread, in the unit and with the decimals of the format.
func (r *row) of(values []float64, format string) {
	r.Value, r.Low, r.High = median(values)
	r.Measured = fmt.Sprintf(format, r.Value)
	if len(values) > 1 {
		r.Measured += fmt.Sprintf(" ("+format+" … "+format+", n=%d)", r.Low, r.High, len(values))
	}
}

// judge calls a figure good only when the machine was the bench's alone.
func (r *row) judge(busy bool) {
	switch {
	case r.Error != "":
		r.Verdict = failed
	case busy:
		r.Verdict, r.Doubt = unsure, "machine busy"
	case r.Doubt != "":
		r.Verdict = unsure
	case r.Met:
		r.Verdict = good
	default:
		r.Verdict = missed
	}
}

func printTable(w io.Writer, m machine, rows []row) {
	fmt.Fprintf(w, "%s, %d cores, Linux %s, %s; load average before %s, after %s\n", m.CPU, m.Cores, m.Kernel, m.Go, m.Load[0], m.Load[1])
	if m.Busy {
		fmt.Fprintln(w, "NOTE: the machine was busy with other work. Processor costs are inflated by shared caches and")
		fmt.Fprintln(w, "      delays are not ours alone: no figure is called good. Run this again on a quiet machine.")
	}
	fmt.Fprintln(w)
	for _, r := range rows {
		fmt.Fprintf(w, "%s: %s\n", r.Name, r.Measure)
		fmt.Fprintf(w, "  goal      %s\n", r.Goal)
		if r.Error != "" {
			fmt.Fprintf(w, "  measured  – %s\n", strings.ReplaceAll(r.Error, "\n", "\n            "))
		} else {
			fmt.Fprintf(w, "  measured  %s\n", r.Measured)
		}
		met := "goal missed"
		if r.Met {
			met = "within the goal"
		}
		switch r.Verdict {
		case good, missed, failed:
			fmt.Fprintf(w, "  verdict   %s\n", r.Verdict)
		case unsure:
			fmt.Fprintf(w, "  verdict   none: %s (%s)\n", r.Doubt, met)
		}
		if r.Compare != "" {
			fmt.Fprintf(w, "  peers     %s\n", r.Compare)
		}
		for _, n := range r.Notes {
			fmt.Fprintf(w, "  note      %s\n", n)
		}
		fmt.Fprintln(w)
	}
}
