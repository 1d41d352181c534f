package calls

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"
)

// TestKill ends the process as a power cut does, with callers in the menu, in a queue, ringing and talking, and
// starts it again: nothing of what was said is lost, everything open is closed, and work goes on.
func TestKill(t *testing.T) {
	t.Parallel()
	s := stage(t, 3, "ring_s: 15", "ring_s: 60")
	talking := s.agent(1, lift(880))
	done := s.call("12367", 440)
	contact := talking.talks()
	done.Hangup(s.ctx)
	s.ended(done.number, "answered")
	must(t, talking.Do(s.ctx, "PUT", "/desk/contacts/"+contact+"/wrapup", map[string]any{"answer": "autosaved"}, nil))
	must(t, talking.WrapUp(s.ctx, contact, "0101"))

	var all []*caller
	all = append(all, s.call("12367", 440))
	talking.talks()
	s.agent(2, ignore)
	for range 4 { // one rings, three wait
		all = append(all, s.call("12367", 440))
	}
	all = append(all, s.call("12366", 440)) // in the menu
	s.eventually("all is as it should be", func() bool {
		var w struct{ Waiting int }
		must(t, s.leader.Get(s.ctx, "/wallboard?site=gz", &w))
		return w.Waiting == 4
	})
	before := figures(s)

	s.h.Kill()
	for _, c := range all {
		c.Media.Forget()
	}
	must(t, s.h.Start(s.ctx))
	s.doctor()
	for i, c := range all {
		st := s.ended(c.number, "failed")
		if st.count("contact.lost") != 1 {
			t.Errorf("caller %d: %s", i, st.kinds())
		}
	}
	if after := figures(s); after != before {
		t.Errorf("the figures before\n%s\nand after\n%s", before, after)
	}
	for _, a := range s.agents {
		if d := a.desk(); d.SignedIn {
			t.Errorf("%s is still signed in", a.user)
		}
	}
	// Phones register again, agents sign in again, and a call goes through.
	must(t, talking.phone.Register(s.ctx, time.Hour))
	must(t, talking.Ready(s.ctx, "8001"))
	c := s.call("12367", 440)
	talking.talks()
	s.hears(c.Media, 880, "the agent after the restart")
	c.Hangup(s.ctx)
	s.ended(c.number, "answered")
	s.doctor()
}

// figures are those of today that an interruption must not change. (Rates count who has left the queue: whoever was
// waiting is among them afterwards.)
func figures(s *scene) string {
	s.t.Helper()
	zone, err := time.LoadLocation("Asia/Shanghai")
	must(s.t, err)
	day := time.Now().In(zone).Format(time.DateOnly)
	var report struct {
		Totals struct {
			Shown map[string]string `json:"shown"`
		} `json:"totals"`
	}
	must(s.t, s.leader.Get(s.ctx, fmt.Sprintf("/reports/interval?by=queue&step=day&from=%s&to=%s", day, day), &report))
	kept := map[string]string{}
	for _, k := range []string{"entered", "answered", "offered", "callers_answered"} {
		if v, ok := report.Totals.Shown[k]; ok {
			kept[k] = v
		}
	}
	b, err := json.Marshal(kept)
	must(s.t, err)
	return string(b)
}
