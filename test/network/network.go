// Package network changes an agent's network in the middle of a call, as a tablet does that goes from one access point
// to another: what it had falls silent without a word, and a new socket from a new address begins anew.
package network

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/kapok-hotline/kapok/test/house"
	"github.com/kapok-hotline/kapok/test/ua"
)

// callerTone is what the caller says; the agent's tones differ from it and from one network to the next.
const callerTone = 440.0

func agentTone(n int) float64 { return []float64{900, 1300, 1700}[n%3] }

// Desk is what the tests and the bench know of an agent: the browser's account, and a way to say ready.
type Desk struct {
	Browser house.Browser
	Ready   func(context.Context) error
}

// Of signs an agent of a house in at the browser.
func Of(ctx context.Context, h *house.House, user string) (Desk, error) {
	c, err := h.Login(ctx, user)
	if err != nil {
		return Desk{}, err
	}
	b, err := c.Browser(ctx)
	return Desk{Browser: b, Ready: func(ctx context.Context) error {
		return c.Do(ctx, http.MethodPost, "/desk/state", map[string]string{"state": "ready"}, nil)
	}}, err
}

// Talk is a caller and an agent's browser in conversation.
type Talk struct {
	desk   Desk
	phone  *ua.Phone
	caller *ua.Call
	tab    *ua.Tab
	media  *ua.TabMedia
	n      int
}

// Begin calls a number that leads to the agent, and returns when both hear each other.
func Begin(ctx context.Context, d Desk, sip, number string) (*Talk, error) {
	t := &Talk{desk: d}
	var err error
	if t.tab, err = t.open(ctx); err != nil {
		return nil, err
	}
	if err = d.Ready(ctx); err == nil {
		if t.phone, err = ua.Open("127.0.0.1", sip, "013800007001", ""); err == nil {
			t.caller, err = t.phone.Dial(ctx, ua.Dial{Number: number, Tone: callerTone})
		}
	}
	if err == nil {
		_, err = t.heard(ctx, time.Now())
	}
	if err != nil {
		t.Close(ctx)
		return nil, err
	}
	return t, nil
}

// open comes from an address of its own: all of 127/8 is this machine.
func (t *Talk) open(ctx context.Context) (*ua.Tab, error) {
	b := t.desk.Browser
	return ua.OpenTab(ctx, ua.TabConfig{
		URL: b.URL, Header: b.Header, User: b.User, Secret: b.Secret, Realm: b.Realm, IP: fmt.Sprintf("127.0.%d.%d", 1+t.n/200, 2+t.n%200),
	}, agentTone(t.n))
}

// Change lets the agent's network go and another come; it gives how long it took until both heard each other again,
// from the moment the old one fell silent.
func (t *Talk) Change(ctx context.Context) (time.Duration, error) {
	old := t.tab
	old.Vanish()
	begin := time.Now()
	t.n++
	tab, err := t.open(ctx)
	if err != nil {
		return 0, err
	}
	t.tab = tab
	took, err := t.heard(ctx, begin)
	old.Close() // by now nobody listens there
	return took, err
}

// heard waits for the sound of the present tab, and until each hears the other: 100 ms of the tone and little else.
func (t *Talk) heard(ctx context.Context, begin time.Time) (time.Duration, error) {
	select {
	case t.media = <-t.tab.Talks():
	case <-ctx.Done():
		return 0, fmt.Errorf("the call never came to the browser: %w", ctx.Err())
	}
	hears := func(samples []int16, hz float64) bool {
		share, level := ua.Share(samples, hz)
		return len(samples) >= 800 && share > 0.8 && level > -30
	}
	const window = 100 * time.Millisecond
	for !hears(t.caller.Media.Heard(window), agentTone(t.n)) || !hears(t.media.Heard(window), callerTone) {
		select {
		case <-time.After(5 * time.Millisecond):
		case <-ctx.Done():
			return 0, fmt.Errorf("they never hear each other: %w", ctx.Err())
		}
	}
	return time.Since(begin), nil
}

// Close hangs up.
func (t *Talk) Close(ctx context.Context) {
	if t.caller != nil {
		t.caller.Hangup(ctx)
	}
	if t.phone != nil {
		t.phone.Close()
	}
	t.tab.Close()
}
