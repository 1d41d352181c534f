package clock

import (
	"slices"
	"testing"
	"time"
)

func TestManual(t *testing.T) {
	start := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)

	t.Run("timers fire in order of due time and see it", func(t *testing.T) {
		c := NewManual(start)
		var got []time.Duration
		note := func() { got = append(got, c.Now().Sub(start)) }
		c.AfterFunc(3*time.Second, note)
		c.AfterFunc(1*time.Second, func() { note(); c.AfterFunc(time.Second, note) })
		c.AfterFunc(9*time.Second, note)
		c.Advance(5 * time.Second)
		if want := []time.Duration{1e9, 2e9, 3e9}; !slices.Equal(got, want) {
			t.Errorf("fired at %v, want %v", got, want)
		}
		if c.Waiting() != 1 || !c.Now().Equal(start.Add(5*time.Second)) {
			t.Errorf("%d timers wait at %v", c.Waiting(), c.Now())
		}
	})
	t.Run("a stopped timer stays silent, a reset one fires once", func(t *testing.T) {
		c := NewManual(start)
		timer := c.NewTimer(time.Second)
		if !timer.Stop() || timer.Stop() {
			t.Error("Stop does not tell an armed timer from a stopped one")
		}
		c.Advance(2 * time.Second)
		timer.Reset(time.Second)
		select {
		case <-timer.C():
			t.Error("fired while stopped")
		default:
		}
		c.Set(start.Add(3 * time.Second))
		if at := <-timer.C(); !at.Equal(start.Add(3 * time.Second)) {
			t.Errorf("fired with %v", at)
		}
		c.Set(start)
		if !c.Now().Equal(start.Add(3 * time.Second)) {
			t.Error("the clock went back")
		}
	})
	t.Run("a fired value does not survive Reset", func(t *testing.T) {
		c := NewManual(start)
		timer := c.NewTimer(time.Second)
		c.Advance(time.Second)
		timer.Reset(time.Minute)
		select {
		case <-timer.C():
			t.Error("stale value")
		default:
		}
	})
}

func TestSystem(t *testing.T) {
	c := System()
	before := c.Now()
	done := make(chan struct{})
	c.AfterFunc(time.Millisecond, func() { close(done) })
	<-c.NewTimer(time.Millisecond).C()
	<-done
	if !c.Now().After(before) {
		t.Error("time stands still")
	}
}
