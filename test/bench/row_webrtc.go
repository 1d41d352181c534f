package main

import (
	"context"
	"fmt"
	"time"

	"github.com/kapok-hotline/kapok/test/ua"
)

// Row webrtc: agents answer in browsers (ICE, DTLS and SRTP by pion, not by the product), callers are plain RTP behind a
// trunk, both speak. What the server's process has used is divided by the packets that came out of it on either side, so
// that its reports, ICE checks and everything else it does meanwhile is in the figure.
const (
	webrtcCalls = 40
	webrtcSpan  = 5 * time.Second
	webrtcGoal  = 25.0 // µs
)

func measureWebRTC(ctx context.Context, b *bench, r *row) error {
	g, err := newRig(ctx, b, staffing{people: webrtcCalls})
	if err != nil {
		return err
	}
	defer g.close() //nolint:errcheck // what went wrong at the end of a measured run is no figure
	p, err := newPump()
	if err != nil {
		return err
	}
	defer p.close() //nolint:errcheck // likewise
	tabs, talks, err := g.talkToBrowsers(ctx, p, webrtcCalls)
	for _, t := range tabs {
		defer t.Close()
	}
	if err != nil {
		return err
	}
	time.Sleep(2 * time.Second)
	var costs []float64
	for range b.times(3) {
		in, out := p.foreign.Load(), decrypted(talks)
		before, err := used(g.pid())
		if err != nil {
			return err
		}
		began := time.Now()
		time.Sleep(webrtcSpan)
		after, err := used(g.pid())
		if err != nil {
			return err
		}
		took := time.Since(began)
		in, out = p.foreign.Load()-in, decrypted(talks)-out
		due := webrtcCalls * 50 * took.Seconds()
		if min(float64(in), float64(out)) < 0.97*due {
			r.Doubt = "packets were late or lost"
		}
		r.notef("%d calls: %d packets from browsers to callers, %d to browsers, of %.0f each way", webrtcCalls, in, out, due)
		costs = append(costs, float64((after-before).Nanoseconds())/1000/float64(in+out))
	}
	r.of(costs, "%.1f µs")
	r.Met = r.Value <= webrtcGoal
	r.notef("%s; everything the process did meanwhile is counted", talks[0].Suite())
	return nil
}

// talkToBrowsers signs agents in at browsers and has each take a call.
func (r *rig) talkToBrowsers(ctx context.Context, p *pump, n int) (tabs []*ua.Tab, talks []*ua.TabMedia, err error) {
	for i := range n {
		d, err := r.browser(ctx, userCode(i))
		if err != nil {
			return tabs, nil, err
		}
		b := d.Browser
		t, err := ua.OpenTab(ctx, ua.TabConfig{URL: b.URL, Header: b.Header, User: b.User, Secret: b.Secret, Realm: b.Realm, IP: "127.0.0.1"}, 900)
		if err != nil {
			return tabs, nil, err
		}
		tabs = append(tabs, t)
		if err := d.Ready(ctx); err != nil {
			return tabs, nil, err
		}
	}
	for range n {
		port, s := p.open()
		r.x.place(direct, -1, port, s)
		time.Sleep(20 * time.Millisecond)
	}
	late := time.After(20 * time.Second)
	for i, t := range tabs {
		select {
		case m := <-t.Talks():
			talks = append(talks, m)
		case <-ctx.Done():
			return tabs, nil, ctx.Err()
		case <-late:
			return tabs, nil, fmt.Errorf("only %d of %d browsers came to talk", i, n)
		}
	}
	return tabs, talks, nil
}

func decrypted(talks []*ua.TabMedia) (n int64) {
	for _, m := range talks {
		n += m.Packets()
	}
	return n
}
