package calls

import (
	"context"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/platform/audio"
	"github.com/kapok-hotline/kapok/test/house"
	"github.com/kapok-hotline/kapok/test/ua"
)

// TestRowD4ConferenceHeard: a caller, three agents and an outside number — sipp, which says a tone — talk in one call, each
// with a tone of their own. Everybody hears all others and not themselves; who is muted is heard by nobody; the owner
// leaves and an agent of them owns the talk; talk time is each one's own, the recording follows to the end.
func TestRowD4ConferenceHeard(t *testing.T) {
	s := open(t)
	port, err := house.FreePort("udp")
	must(t, err)
	bureau, err := house.Bureau(3, "trunks:\n", fmt.Sprintf("trunks:\n  - {code: aout, name: 外线, site: gz, kind: ip, peers: [\"127.0.0.1:%d\"], accept: [\"127.9.9.9/32\"], options_s: 0}\n", port))
	must(t, err)
	must(t, s.h.Apply(s.ctx, bureau))
	s.leader, err = s.h.Login(s.ctx, "leader1")
	must(t, err)
	outside := s.sippSays(1700, port)
	first := s.agent(1, lift(900))
	c := s.call("12367", 400)
	contact := first.talks()
	owner := (<-first.rung).Media
	second, third := s.agent(2, lift(1300)), s.agent(3, lift(600))
	media := map[float64]*ua.Media{400: c.Media, 900: owner}
	s.room("two", media, nil)
	join := func(n int, kind, code string) {
		t.Helper()
		first.verb(contact, "consult", map[string]any{"kind": kind, "code": code, "join": true})
		s.within(2*time.Minute, "they are in", func() bool {
			d := first.desk()
			if len(d.Calls) == 1 && d.Calls[0].Unasked != "" {
				t.Fatalf("%s %s does not come: %s", kind, code, d.Calls[0].Unasked)
			}
			return len(d.Calls) == 1 && len(d.Calls[0].Parties) == n
		})
	}
	join(1, "agent", second.user)
	media[1300] = (<-second.rung).Media
	s.room("three", media, nil)
	join(2, "number", "02083330000")
	s.room("four, one of them outside", media, []float64{1700})
	join(3, "agent", third.user)
	media[600] = (<-third.rung).Media
	s.room("five", media, []float64{1700})

	leg := first.desk().Calls[0].Parties[1].Leg
	must(t, first.Post(s.ctx, "/desk/contacts/"+contact+"/parties/"+leg+"/mute", map[string]any{"muted": true}, nil))
	s.room("the outside number is muted", media, nil)
	must(t, first.Post(s.ctx, "/desk/contacts/"+contact+"/parties/"+leg+"/mute", map[string]any{"muted": false}, nil))
	first.verb(contact, "consult/complete", nil)
	delete(media, 900)
	s.room("without the owner", media, []float64{1700})
	if got := first.state(); got != "wrapup" {
		t.Errorf("who has left is %s", got)
	}
	s.within(time.Minute, "the second owns it", func() bool {
		d := second.desk()
		return len(d.Calls) == 1 && len(d.Calls[0].Parties) == 2
	})
	must(t, second.Post(s.ctx, "/desk/contacts/"+contact+"/parties/"+leg+"/drop", map[string]any{}, nil))
	if err := <-outside; err != nil {
		t.Errorf("sipp: %v", err)
	}
	s.room("without the outside number", media, nil)
	c.Hangup(s.ctx)
	st := s.story(c.number, "the talk is told whole", func(st *story) bool { return st.Contact.Outcome == "answered" && len(st.Recordings) > 0 })
	legsAddUp(s, st)
	roles := map[string]int{}
	for _, l := range st.Legs {
		roles[l.Role+" "+l.Agent]++
		if l.Agent == first.user && l.Ended >= st.Legs[0].Ended {
			t.Error("who left is billed to the end")
		}
	}
	if roles["agent 1001"] != 1 || roles["consult 1002"] != 1 || roles["agent 1002"] != 1 || roles["consult 1003"] != 1 || roles["consult "] != 1 {
		t.Errorf("legs: %v", roles)
	}
	for _, r := range st.Recordings {
		if r.LeftDB < -40 || r.RightDB < -40 || r.Missing != "" {
			t.Errorf("recorded %+v", r)
		}
	}
	must(t, first.WrapUp(s.ctx, contact, "0101"))
	for _, a := range []*agent{first, second, third} { // who was asked has nothing to write
		s.within(time.Minute, a.user+" is ready again", func() bool { return a.state() == "ready" })
	}
	s.doctor()
}

// room waits until each hears all others' tones, those who only speak too, and not their own, nor anybody else's.
func (s *scene) room(what string, media map[float64]*ua.Media, others []float64) {
	s.t.Helper()
	all := []float64{400, 900, 1300, 600, 1700}
	in := map[float64]bool{}
	for hz := range media {
		in[hz] = true
	}
	for _, hz := range others {
		in[hz] = true
	}
	for _, m := range media {
		m.Forget()
	}
	why := ""
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		why = ""
		for me, m := range media {
			heard := m.Heard(400 * time.Millisecond)
			for _, hz := range all {
				share, _ := ua.Share(heard, hz)
				if should := in[hz] && hz != me; len(heard) < 3200 || should != (share > 0.5/float64(len(in)-1)) || !should && share > 0.02 {
					why += fmt.Sprintf(" %.0f hears %.2f of %.0f;", me, share, hz)
				}
			}
		}
		if why == "" {
			return
		}
	}
	s.t.Errorf("%s:%s", what, why)
}

// sippSays has sipp answer one call at a port and say a tone until it ends.
func (s *scene) sippSays(hz float64, port int) <-chan error {
	s.t.Helper()
	dir := s.t.TempDir()
	tone := make([]byte, 8000) // one second: whole periods, as loud as the others are
	for i := range tone {
		tone[i] = audio.EncodeA(int16(8000 * math.Sin(2*math.Pi*hz*float64(i)/8000)))
	}
	must(s.t, os.WriteFile(filepath.Join(dir, "tone.alaw"), tone, 0o600))
	ended := make(chan error, 1)
	ctx, cancel := context.WithTimeout(s.ctx, 4*time.Minute)
	media, err := house.FreePort("udp")
	must(s.t, err)
	cmd := exec.CommandContext(ctx, "sipp", "-i", "127.0.0.1", "-p", fmt.Sprint(port), "-mi", "127.0.0.1", "-mp", fmt.Sprint((media+3)&^1), // even, and not the port next to it
		"-nostdin", "-m", "1", "-sf", scenario("tone.xml"))
	cmd.Dir = dir
	var said strings.Builder
	cmd.Stdout, cmd.Stderr = &said, &said
	must(s.t, cmd.Start())
	gone := make(chan struct{})
	s.t.Cleanup(func() {
		cancel()
		<-gone
		if s.t.Failed() {
			s.t.Log("sipp said:\n" + tail(said.String(), 40))
		}
	})
	go func() {
		defer close(gone)
		err := cmd.Wait()
		if err != nil {
			err = fmt.Errorf("%w: %s", err, tail(said.String(), 40))
		}
		ended <- err
	}()
	return ended
}
