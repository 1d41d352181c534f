package calls

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/test/house"
)

// TestReferral has sipp as the desk phone of an agent who gives calls away by the phone's own keys.
func TestReferral(t *testing.T) {
	t.Parallel()
	s := stage(t, 4)
	for _, x := range []struct {
		name, scenario, number string
		ends                   string // of the legs, in order: role, agent, cause
		progress               []string
	}{
		{
			"blind, to a phone's number", "refer", "8002",
			"agent 1001 transfer, agent 1002 remote, caller  remote",
			[]string{"100 Trying", "180 Ringing", "200 OK"},
		},
		{
			"blind, to an agent's number", "refer", "1002",
			"agent 1001 transfer, agent 1002 remote, caller  remote",
			[]string{"100 Trying", "180 Ringing", "200 OK"},
		},
		{
			"blind, to a queue", "refer", "iit",
			"agent 1001 transfer, agent 1002 remote, caller  remote",
			[]string{"100 Trying", "200 OK"},
		},
		{
			"attended", "attended", "8002",
			"consult  transfer, agent 1001 transfer, consult 1002 transfer, agent 1002 remote, caller  remote",
			[]string{"100 Trying", "200 OK"},
		},
	} {
		t.Run(x.name, func(t *testing.T) {
			s := s.part(t)
			phone := s.sippPhone(x.scenario, x.number)
			c := s.call("12367", 440)
			first := phone.talks()
			second := s.agent(2, lift(660))
			if x.scenario == "attended" {
				s.eventually("the second agent is asked", func() bool { return second.state() == "talking" })
				if got := second.current.Load(); got != nil {
					s.hears(got.Media, 440, "the first agent, whose phone echoes the second,") // sipp sends back what it hears
				}
			}
			s.within(15*time.Second, "the second agent has the contact", func() bool {
				for _, call := range second.desk().Calls {
					if call.Contact == first && call.Phase == "talking" && phone.state() == "wrapup" {
						return true
					}
				}
				return false
			})
			s.hears(c.Media, 660, "the second agent")
			s.hears(second.current.Load().Media, 440, "the caller")
			phone.done()
			time.Sleep(500 * time.Millisecond)
			c.Hangup(s.ctx)
			st := s.ended(c.number, "answered")
			legsAddUp(s, st)
			if got := legEnds(st); got != x.ends {
				t.Errorf("the legs: %s\nwant      %s", got, x.ends)
			}
			told := notified(st)
			if strings.Join(told, ", ") != strings.Join(x.progress, ", ") {
				t.Errorf("the phone was told %q, want %q", told, x.progress)
			}
			eachAgentsTalk(s, st)
		})
	}
	t.Run("another device takes the call over", func(t *testing.T) {
		s := s.part(t)
		phone := s.sippPhone("replaces", "8001")
		c := s.call("12367", 440)
		phone.talks()
		phone.done()
		<-c.Done()
		st := s.ended(c.number, "answered")
		if st.EndedBy != "agent" || legEnds(st) != "agent 1001 remote, caller  remote" {
			t.Errorf("ended by %s: %s", st.EndedBy, legEnds(st))
		}
		legsAddUp(s, st)
	})
	s.doctor()
}

// sippPhone signs agent 1001 in at phone 8001, which is sipp playing a scenario towards a number.
type sippPhone struct {
	*agent
	ended chan error
}

func (s *scene) sippPhone(scenario, number string) *sippPhone {
	s.t.Helper()
	port, err := house.FreePort("udp")
	must(s.t, err)
	const ip = "127.0.0.3" // not the trunk's address: a phone proves itself
	dir, err := filepath.Abs("testdata")
	must(s.t, err)
	must(s.t, s.sippAt(ip, port, "-sf", filepath.Join(dir, "register.xml"), "-s", "8001", s.h.SIP))
	p := &sippPhone{agent: &agent{s: s, user: "1001"}, ended: make(chan error, 1)}
	p.Client, err = s.h.Login(s.ctx, "1001")
	must(s.t, err)
	must(s.t, p.Ready(s.ctx, "8001"))
	go func() {
		p.ended <- s.sippAt(ip, port, "-mi", ip, "-rtp_echo", "-sf", filepath.Join(dir, scenario+".xml"), "-s", number, s.h.SIP)
	}()
	s.t.Cleanup(func() { _ = p.Post(s.ctx, "/desk/signout", map[string]string{}, nil) }) // told when the wrap-up ends
	s.eventually("1001 is ready", func() bool { return p.state() == "ready" })
	s.t.Cleanup(func() {
		select {
		case err := <-p.ended:
			if err != nil {
				s.t.Logf("sipp: %v", err)
			}
		default:
		}
	})
	return p
}

// done waits until sipp has played its scenario to the end.
func (p *sippPhone) done() {
	p.s.t.Helper()
	select {
	case err := <-p.ended:
		must(p.s.t, err)
	case <-time.After(20 * time.Second):
		p.s.t.Error("sipp has not played its scenario to the end")
	}
}

// legEnds lists the legs in the order of their ends.
func legEnds(st *story) string {
	var out []string
	for _, f := range st.facts("leg.ended") {
		out = append(out, fmt.Sprintf("%s %s %s", f["role"], text(f["agent"]), text(f["cause"])))
	}
	return strings.Join(out, ", ")
}

// facts gives the bodies of a kind of fact, in order.
func (st *story) facts(kind string) (out []map[string]any) {
	for _, f := range st.Facts {
		var body map[string]any
		if f.Kind == kind && json.Unmarshal(f.Body, &body) == nil {
			out = append(out, body)
		}
	}
	return out
}

func text(v any) string { s, _ := v.(string); return s }

// notified lists the statuses in the NOTIFYs the house sent.
func notified(st *story) (out []string) {
	for _, m := range st.messages() {
		if _, frag, ok := strings.Cut(m.Text, "\r\n\r\n"); ok && m.From == "kapok" && strings.HasPrefix(m.Text, "NOTIFY ") {
			out = append(out, strings.TrimSpace(strings.TrimPrefix(frag, "SIP/2.0 ")))
		}
	}
	return out
}

// eachAgentsTalk checks that the first agent's talk stopped when the second's with the caller began.
func eachAgentsTalk(s *scene, st *story) {
	s.t.Helper()
	var firstEnd, secondStart int64
	for _, l := range st.Legs {
		if l.Role != "agent" {
			continue
		}
		if l.Agent == "1001" {
			firstEnd = l.Ended
		} else {
			secondStart = l.Answered
		}
	}
	if firstEnd == 0 || secondStart < firstEnd-5 {
		s.t.Errorf("the first agent's leg ended at %d, the second's talk began at %d", firstEnd, secondStart)
	}
}
