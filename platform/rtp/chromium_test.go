//go:build chromium

package rtp

import (
	"context"
	_ "embed"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/platform/audio"
	"github.com/kapok-hotline/kapok/platform/sdp"
)

//go:embed testdata/chromium.html
var chromiumPage []byte

// seen is what the page reports of its own side after a step.
type seen struct {
	Step     string
	Received int
	Energy   float64
	Cipher   string
	State    string
}

// TestChromium puts a real browser at the other end (run with -tags chromium; it wants `chromium` in the path):
// both call directions, sound both ways, keys, hold, resume, an ICE restart, reports, the goodbye.
func TestChromium(t *testing.T) {
	p := webPlane(t)
	tick := audio.NewTick()
	defer tick.Close()
	var leg *Web
	var player *audio.Player
	var passed atomic.Int64
	var mu sync.Mutex
	digits := ""
	down := make(chan error, 2)
	begin := func() {
		var err error
		leg, err = p.NewWeb(WebConfig{Events: Events{
			Digit: func(d byte, _ time.Duration) { mu.Lock(); digits += string(d); mu.Unlock() },
			Down:  func(err error) { down <- err },
		}})
		if err != nil {
			t.Error(err)
		}
		leg.SetSink(audio.SinkFunc(func(*audio.Frame) error { passed.Add(1); return nil }))
		player = tick.NewPlayer(leg)
		player.Music(audio.Cadence{Name: "tone", Hz: 440, On: time.Second}.Clip())
	}
	done := make(chan struct{})
	last := map[string]seen{}
	before := int64(0)
	mux := http.NewServeMux()
	handle := func(path string, f func(body []byte) []byte) {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			b, _ := io.ReadAll(r.Body)
			_, _ = w.Write(f(b))
		})
	}
	handle("/", func([]byte) []byte { return chromiumPage })
	handle("/offer", func(b []byte) []byte { begin(); return answerOrFail(t, leg, b) })
	handle("/again", func(b []byte) []byte { before = passed.Load(); return answerOrFail(t, leg, b) })
	handle("/call", func([]byte) []byte { begin(); o, _ := leg.Offer(sdp.SendRecv); return o })
	handle("/answer", func(b []byte) []byte {
		if err := leg.Accept(b); err != nil {
			t.Error(err)
		}
		return nil
	})
	handle("/seen", func(b []byte) []byte {
		var s seen
		_ = json.Unmarshal(b, &s)
		st, gained := leg.Stats(), passed.Load()-before
		t.Logf("%+v; we: received %d lost %d passed %d MOS %.2f", s, st.Received, st.Lost, gained, st.MOS)
		was := last["any"]
		switch s.Step {
		case "talk":
			if s.Received < 100 || s.Energy < 0.05 || s.Cipher != "SRTP_AEAD_AES_128_GCM" || st.Received < 100 || st.MOS < 3.5 {
				t.Errorf("talk: %+v %+v", s, st)
			}
		case "hold":
			if !st.Held || gained > 5 || s.Received > was.Received+10 {
				t.Errorf("hold: %+v passed %d", s, gained)
			}
		case "resumed", "restarted":
			if gained < 30 || s.Received < was.Received+30 || s.State != "connected" {
				t.Errorf("%s: %+v passed %d", s.Step, s, gained)
			}
		case "reported":
			if st.RTT == 0 || st.PeerMOS < 3.5 {
				t.Errorf("reports: %+v", st)
			}
		}
		last["any"] = s
		return nil
	})
	handle("/failed", func(b []byte) []byte { t.Errorf("the page: %s", b); return nil })
	handle("/hangup", func([]byte) []byte { player.Stop(); last = map[string]seen{}; before = passed.Load(); return nil })
	handle("/done", func([]byte) []byte { close(done); return nil })
	srv := httptest.NewServer(mux)
	defer srv.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 90*time.Second)
	defer cancel()
	c := exec.CommandContext(ctx, "chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--user-data-dir="+t.TempDir(),
		"--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream", "--autoplay-policy=no-user-gesture-required", srv.URL)
	c.WaitDelay = 5 * time.Second
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-done:
	case <-ctx.Done():
		t.Error("the page did not finish")
	}
	cancel()
	_ = c.Wait()
	if mu.Lock(); digits != "12#12#" {
		t.Errorf("digits %q", digits)
	}
	mu.Unlock()
	await(t, "the goodbye of the first call", down)
	await(t, "the goodbye of the second call", down)
}

func answerOrFail(t *testing.T, l *Web, offer []byte) []byte {
	a, err := l.Answer(offer)
	if err != nil {
		t.Errorf("%v\n%s", err, offer)
	}
	return a
}
