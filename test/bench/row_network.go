package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/kapok-hotline/kapok/test/house"
	"github.com/kapok-hotline/kapok/test/network"
)

// Row network: an agent answers in a browser; its source address and sockets change in the middle of the call, the old
// ones falling silent without a word. From that moment to when both hear each other again. The browser here knows of the
// change at once: what a real one needs to notice it comes on top.
const (
	networkTries = 100
	networkGoal  = 95
	networkBound = 3 * time.Second
)

func measureNetwork(ctx context.Context, b *bench, r *row) error {
	g, err := newRig(ctx, b, staffing{people: 1})
	if err != nil {
		return err
	}
	defer g.close() //nolint:errcheck // what went wrong at the end of a measured run is no figure
	d, err := g.browser(ctx, userCode(0))
	if err != nil {
		return err
	}
	begin, end := context.WithTimeout(ctx, 30*time.Second)
	defer end()
	talk, err := network.Begin(begin, d, g.sip.String(), direct)
	if err != nil {
		return err
	}
	defer talk.Close(ctx)
	tries, within := b.times(networkTries), 0
	if b.quick {
		tries = 10
	}
	var took []float64
	for range tries {
		try, end := context.WithTimeout(ctx, 20*time.Second)
		t, err := talk.Change(try)
		end()
		if err != nil {
			r.notef("after %d tries: %v", len(took), err)
			break // the call is gone: those to come fail with it
		}
		took = append(took, t.Seconds())
		if t <= networkBound {
			within++
		}
	}
	r.Value, r.Low, r.High = float64(within), float64(within), float64(tries)
	r.Measured = fmt.Sprintf("%d of %d", within, tries)
	if len(took) > 0 {
		mid, low, high := median(took)
		slices.Sort(took)
		r.Measured += fmt.Sprintf("; %.2f s (%.2f … %.2f)", mid, low, high)
	}
	r.notef("the browser knows of the change at once; the server and the load share the machine's loopback")
	r.Met = float64(within) >= networkGoal/100.0*float64(tries)
	return nil
}

// browser signs an agent in at the browser, by token.
func (s *server) browser(ctx context.Context, agent string) (network.Desk, error) {
	var desk struct {
		SIP struct {
			User   string `json:"user"`
			Secret string `json:"secret"`
			Realm  string `json:"realm"`
			Path   string `json:"ws_path"`
		} `json:"sip"`
	}
	err := post(ctx, s.client, "http://"+s.http+"/api/v1/desk/signin", s.tokens[agent], map[string]string{"endpoint": "browser"}, &desk)
	b := house.Browser{
		URL: "ws://" + s.http + "/" + strings.TrimPrefix(desk.SIP.Path, "/"), Header: http.Header{"Authorization": {"Bearer " + s.tokens[agent]}},
		User: desk.SIP.User, Secret: desk.SIP.Secret, Realm: desk.SIP.Realm,
	}
	return network.Desk{Browser: b, Ready: func(ctx context.Context) error {
		return s.desk(ctx, agent, "state", map[string]string{"state": "ready"})
	}}, err
}
