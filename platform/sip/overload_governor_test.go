package sip

import (
	"testing"
	"time"
)

// plant is a house that serves capacity calls a second: what came too much waits, for the processor and for the disk.
type plant struct {
	capacity, backlog float64 // calls/s, calls
}

// step lets a window pass and says how the house fares.
func (p *plant) step(admitted float64) (delay, strain, busy float64) {
	can := p.capacity * overloadWindow.Seconds()
	p.backlog += admitted
	done := min(p.backlog, can)
	p.backlog -= done
	return p.backlog / p.capacity / 0.2, p.backlog / (p.capacity * 0.5), done / can // 200 ms and 500 ms are borne
}

// offer offers calls at a rate for a span and gives how many were admitted and shed.
func offer(g *governor, p *plant, rate float64, span time.Duration) (admitted, shed, worst float64) {
	for range int(span / overloadWindow) {
		in := rate * overloadWindow.Seconds()
		may := in
		if g.limit > 0 {
			may = min(in, g.limit*overloadWindow.Seconds())
		}
		delay, strain, busy := p.step(may)
		worst = max(worst, p.backlog/p.capacity)
		g.judge(window{span: overloadWindow, delay: delay, strain: strain, busy: busy, admitted: int(may + 0.5), shed: int(in - may + 0.5)})
		admitted, shed = admitted+may, shed+in-may
	}
	return admitted, shed, worst
}

func TestGovernor(t *testing.T) {
	const capacity = 400.0
	for _, c := range []struct {
		name    string
		offered float64
		least   float64 // of the capacity that must be served in the rush
	}{
		{"a little too much", 1.1 * capacity, 0.85},
		{"twice as much", 2 * capacity, 0.85},
		{"ten times as much", 10 * capacity, 0.7},
	} {
		t.Run(c.name, func(t *testing.T) {
			g, p := &governor{}, &plant{capacity: capacity}
			if _, shed, _ := offer(g, p, 0.9*capacity, time.Minute); shed > 0 {
				t.Errorf("%v calls shed below the capacity", shed)
			}
			if _, shed, _ := offer(g, p, c.offered, 5*time.Second); shed == 0 { // until it has found its rate
				t.Error("nothing was shed")
			}
			served, _, worst := offer(g, p, c.offered, 25*time.Second)
			if share := served / 25 / capacity; share < c.least || share > 1.05 {
				t.Errorf("%.0f %% of the capacity was served", share*100)
			}
			if worst > 1.5 {
				t.Errorf("a call waited %.1f s", worst)
			}
			offer(g, p, capacity/2, time.Second)
			if _, shed, _ := offer(g, p, capacity/2, 10*time.Second); shed > 0 {
				t.Errorf("%v calls shed later than 1 s after the rush", shed)
			}
			if g.limit != 0 {
				t.Errorf("the limit of %.0f/s stays", g.limit)
			}
		})
	}
}

// feed gives the governor the same window n times.
func feed(g *governor, n int, w window) float64 {
	w.span = overloadWindow
	for range n {
		g.judge(w)
	}
	return g.limit
}

func TestGovernorLetsPass(t *testing.T) {
	g := &governor{}
	if l := feed(g, 100, window{delay: 0.9, strain: 0.9, busy: 1, admitted: 40}); l != 0 {
		t.Errorf("a processor in full use, nothing late: %v", l)
	}
	for range 20 {
		feed(g, standing-1, window{delay: 9, busy: 1, admitted: 40})
		if l := feed(g, 1, window{delay: 0.1, busy: 1, admitted: 40}); l != 0 {
			t.Fatalf("bursts with relief in between: %v", l)
		}
	}
}

func TestGovernorLimitsByEitherPressure(t *testing.T) {
	for name, w := range map[string]window{
		"processors late": {delay: 1.2, busy: 1, admitted: 40},
		"work put off":    {strain: 1.2, busy: 0.6, admitted: 40},
	} {
		if l := feed(&governor{}, standing, w); l < 250 || l > 300 {
			t.Errorf("%s at 400/s: limited to %v", name, l)
		}
	}
}

func TestGovernorWaitsWhileItHelps(t *testing.T) {
	g := &governor{}
	first := feed(g, standing, window{delay: 4, busy: 1, admitted: 40})
	for pressure := 3.8; pressure > tooMuch; pressure *= 0.93 {
		if l := feed(g, 1, window{delay: pressure, busy: 1, admitted: 28}); l != first {
			t.Fatalf("cut from %v to %v although the delay falls", first, l)
		}
	}
}

func TestGovernorDoesNotShutForGood(t *testing.T) {
	g := &governor{}
	if l := feed(g, 600, window{delay: 5, busy: 0.3, admitted: 40, shed: 10}); l < 400*deepest {
		t.Errorf("starved by others for a minute: %v/s", l)
	}
	if l := feed(g, 30, window{delay: 0, busy: 0.1, admitted: 4}); l != 0 {
		t.Errorf("3 s after: %v/s", l)
	}
}

func TestPercentileOfWaits(t *testing.T) {
	bounds := []float64{0, 0.001, 0.010, 0.100, 1}
	p := &processor{}
	for _, c := range []struct {
		name   string
		counts []uint64 // ever since
		want   time.Duration
	}{
		{"few waits say nothing", []uint64{5, 0, 0, 5}, 0},
		{"one in ten is late", []uint64{95, 0, 0, 15}, 0},
		{"more than one in ten", []uint64{180, 0, 15, 15}, 10 * time.Millisecond},
		{"all are late", []uint64{180, 0, 15, 115}, 100 * time.Millisecond},
		{"nothing new", []uint64{180, 0, 15, 115}, 0},
	} {
		if got := p.percentile(c.counts, bounds); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}
