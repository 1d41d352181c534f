package calls

import (
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/test/house"
	"github.com/kapok-hotline/kapok/test/ua"
)

// TestScenes plays what happens to callers and agents, one house for all. Every scene leaves the ledger whole.
func TestScenes(t *testing.T) {
	port, err := house.FreePort("udp")
	must(t, err)
	s := stage(t, 6,
		"ring_s: 15", "ring_s: 5",
		"missed_limit: 3", "missed_limit: 2",
		"numbers:\n", "numbers:\n  - {code: \"12000\", name: 电子税务局, site: gz, flow: main}\n",
		"trunks:\n", fmt.Sprintf("trunks:\n  - {code: out, name: 外线, site: gz, kind: ip, peers: [\"127.0.0.1:%d\"], accept: [\"127.9.9.9/32\"]}\n", port),
	)
	for _, x := range []struct {
		name string
		play func(*scene)
	}{
		{"an agent declines and the next one answers", agentDeclines},
		{"an agent does not answer and the next one does", agentMisses},
		{"an agent who misses two calls is away", autoAway},
		{"the caller hangs up in the menu", leavesMenu},
		{"the caller hangs up in the queue", leavesQueue},
		{"the caller hangs up while a phone rings", leavesRinging},
		{"the caller hangs up in talk", leavesTalk},
		{"the agent hangs up at the desk", deskHangup},
		{"hold and resume count to the millisecond", holdAndResume},
		{"the phone's own hold key", phoneHold},
		{"a transfer to a queue", transferQueue},
		{"a transfer to an agent", transferAgent},
		{"a transfer to an agent who does not answer", transferLost},
		{"a transfer to a number", func(s *scene) { transferNumber(s, port) }},
		{"nobody is signed in", nobody},
		{"a number that is not ours", unknownNumber},
		{"a caller without a codec of ours", noCodec},
		{"a caller who offers nothing at first", lateOffer},
		{"keys by INFO lead through the menu", infoKeys},
		{"what the agent wrote stays", wrapUp},
		{"a caller gives up before the 200 has been answered", cancelled},
	} {
		t.Run(x.name, func(t *testing.T) {
			p := s.part(t)
			x.play(p)
			p.clear()
			p.doctor()
		})
	}
}

func agentDeclines(s *scene) {
	first, second := s.agent(1, decline), s.agent(2, lift(880))
	c := s.call("12367", 440)
	contact := second.talks()
	st := s.story(c.number, "both offers are there", func(st *story) bool { return len(st.Offers) >= 2 })
	if st.Contact.ID != contact || st.results() != "1001 refused, 1002 answered" {
		s.t.Errorf("offers: %s", st.results())
	}
	keepsPlace(s, st)
	if got := first.state(); got == "ready" {
		s.t.Errorf("who declined is %s, want away until they say ready", got)
	}
	c.Hangup(s.ctx)
	s.ended(c.number, "answered")
}

func agentMisses(s *scene) {
	s.agent(1, ignore)
	second := s.agent(2, lift(880))
	c := s.call("12367", 440)
	contact := second.talks()
	st := s.story(c.number, "both offers are there", func(st *story) bool { return len(st.Offers) >= 2 })
	if st.Contact.ID != contact || st.results() != "1001 missed, 1002 answered" {
		s.t.Errorf("offers: %s", st.results())
	}
	keepsPlace(s, st)
	c.Hangup(s.ctx)
	if st = s.ended(c.number, "answered"); st.Contact.WaitMs < 4900 || st.Contact.WaitMs > 6000 {
		s.t.Errorf("waited %d ms through one ring of 5 s", st.Contact.WaitMs)
	}
}

// keepsPlace fails when an offer that came to nothing cost the caller their place: there is one stay in the queue.
func keepsPlace(s *scene, st *story) {
	s.t.Helper()
	if len(st.Visits) != 1 || st.count("contact.queued") != 1 {
		s.t.Errorf("stays in queues: %+v; facts: %s", st.Visits, st.kinds())
	}
}

func autoAway(s *scene) {
	first := s.agent(1, ignore)
	c := s.call("12367", 440)
	var st *story
	s.within(25*time.Second, "two missed calls", func() bool { // a rest lies between them, so that others are asked first
		st = s.story(c.number, "it is there", func(*story) bool { return true })
		return st.results() == "1001 missed, 1001 missed"
	})
	time.Sleep(6 * time.Second) // longer than the rest
	if got := first.state(); got != "away" {
		s.t.Errorf("after two missed calls the agent is %s", got)
	}
	keepsPlace(s, st)
	second := s.agent(2, lift(880))
	second.talks()
	c.Hangup(s.ctx)
	s.ended(c.number, "answered")
}

func leavesMenu(s *scene) {
	c := s.call("12366", 440)
	time.Sleep(500 * time.Millisecond)
	c.Hangup(s.ctx)
	if st := s.ended(c.number, "left"); st.EndedBy != "caller" || len(st.Visits) != 0 {
		s.t.Errorf("ended by %s, stays %v", st.EndedBy, st.Visits)
	}
}

func leavesQueue(s *scene) {
	s.agent(3, ignore) // signed in, so that no rule applies
	busy := s.call("12367", 440)
	c := s.call("12367", 440)
	s.story(c.number, "it waits", func(st *story) bool { return len(st.Visits) == 1 })
	time.Sleep(300 * time.Millisecond)
	c.Hangup(s.ctx)
	if st := s.ended(c.number, "abandoned"); st.Contact.WaitMs < 250 || st.Contact.WaitMs > 5000 {
		s.t.Errorf("waited %d ms", st.Contact.WaitMs)
	}
	busy.Hangup(s.ctx)
	s.ended(busy.number, "abandoned")
}

func leavesRinging(s *scene) {
	a := s.agent(1, ignore)
	c := s.call("12367", 440)
	rung := <-a.rung
	c.Hangup(s.ctx)
	select {
	case <-rung.Cancelled():
	case <-time.After(5 * time.Second):
		s.t.Error("the phone rings on")
	}
	if st := s.ended(c.number, "abandoned"); st.results() != "1001 withdrawn" {
		s.t.Errorf("offers: %s", st.results())
	}
	s.eventually("the agent is ready again", func() bool { return a.state() == "ready" })
}

func leavesTalk(s *scene) {
	a := s.agent(1, lift(880))
	c := s.call("12367", 440)
	contact := a.talks()
	time.Sleep(time.Second)
	c.Hangup(s.ctx)
	s.eventually("the agent wraps up", func() bool { d := a.desk(); return d.Wrapup != nil && d.Wrapup.Contact == contact })
	st := s.ended(c.number, "answered")
	if st.EndedBy != "caller" || st.Contact.Agent != "1001" || st.Contact.TalkMs < 900 || st.Contact.TalkMs > 2500 {
		s.t.Errorf("by %s, agent %s, talk %d ms", st.EndedBy, st.Contact.Agent, st.Contact.TalkMs)
	}
	legsAddUp(s, st)
}

// legsAddUp fails when ringing, talk and hold are not the whole of a leg.
func legsAddUp(s *scene, st *story) {
	s.t.Helper()
	for _, l := range st.Legs {
		if whole := l.Ended - l.Started; l.RingMs+l.TalkMs+l.HoldMs != whole {
			s.t.Errorf("leg of %s: %d + %d + %d ms is not %d", l.Role, l.RingMs, l.TalkMs, l.HoldMs, whole)
		}
	}
}

func deskHangup(s *scene) {
	a := s.agent(1, lift(880))
	c := s.call("12367", 440)
	a.verb(a.talks(), "hangup", nil)
	<-c.Done()
	if st := s.ended(c.number, "answered"); st.EndedBy != "agent" || c.How() != "remote" {
		s.t.Errorf("ended by %s, the caller's phone says %s", st.EndedBy, c.How())
	}
}

func holdAndResume(s *scene) {
	a := s.agent(1, lift(880))
	c := s.call("12367", 440)
	contact := a.talks()
	s.hears(c.Media, 880, "the agent")
	s.hears(a.current.Load().Media, 440, "the caller")
	for _, l := range s.story(c.number, "both legs are answered", func(st *story) bool { return st.count("leg.answered") == 2 }).Legs {
		if l.Answered == 0 || l.Ended != 0 || l.Role == "agent" && l.TalkMs < 300 {
			s.t.Errorf("a leg of a running call: %+v", l)
		}
	}
	a.verb(contact, "hold", nil)
	c.Media.Forget()
	time.Sleep(1500 * time.Millisecond)
	if share, level := ua.Share(c.Media.Heard(time.Second), 880); share > 0.1 || level < -60 {
		s.t.Errorf("on hold the caller hears %.2f of the agent at %.0f dB; want music", share, level)
	}
	a.verb(contact, "resume", nil)
	s.hears(c.Media, 880, "the agent again")
	c.Hangup(s.ctx)
	exactHold(s, s.ended(c.number, "answered"), 1500)
}

// exactHold compares the leg's hold time with the moments of its facts.
func exactHold(s *scene, st *story, about int64) {
	s.t.Helper()
	var held, sum int64
	for _, f := range st.Facts {
		switch f.Kind {
		case "leg.held":
			held = f.At
		case "leg.resumed":
			sum += f.At - held
		}
	}
	for _, l := range st.Legs {
		if l.Role == "agent" && (l.HoldMs != sum || sum < about-50 || sum > about+600) {
			s.t.Errorf("the leg was on hold %d ms, its facts say %d, the test about %d", l.HoldMs, sum, about)
		}
	}
	legsAddUp(s, st)
}

func phoneHold(s *scene) {
	a := s.agent(1, lift(880))
	c := s.call("12367", 440)
	contact := a.talks()
	phone := a.current.Load()
	must(s.t, phone.Hold(s.ctx, true))
	s.eventually("the desk shows the hold", func() bool {
		d := a.desk()
		return len(d.Calls) == 1 && d.Calls[0].Contact == contact && d.Calls[0].Phase == "held"
	})
	c.Media.Forget()
	time.Sleep(time.Second)
	if share, level := ua.Share(c.Media.Heard(700*time.Millisecond), 880); share > 0.1 || level < -60 {
		s.t.Errorf("on hold the caller hears %.2f of the agent at %.0f dB; want music", share, level)
	}
	must(s.t, phone.Hold(s.ctx, false))
	a.talks()
	s.hears(c.Media, 880, "the agent again")
	phone.Hangup(s.ctx)
	<-c.Done()
	exactHold(s, s.ended(c.number, "answered"), 1000)
}

// hears waits until a tone is what is heard.
func (s *scene) hears(m *ua.Media, hz float64, whom string) {
	s.t.Helper()
	m.Forget()
	var share, level float64
	for end := time.Now().Add(8 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		heard := m.Heard(400 * time.Millisecond)
		if share, level = ua.Share(heard, hz); len(heard) >= 3200 && share > 0.9 && level > -30 {
			return
		}
	}
	s.t.Errorf("%s is not heard: %.0f Hz has %.2f of the energy, level %.0f dB, %d packets", whom, hz, share, level, m.Packets())
}

func transferQueue(s *scene) {
	first := s.agent(1, lift(880))
	c := s.call("12367", 440)
	contact := first.talks()
	second := s.agent(2, lift(660))
	first.verb(contact, "transfer", map[string]string{"kind": "queue", "code": "iit"})
	if got := second.talks(); got != contact {
		s.t.Errorf("the second agent talks with %s, want the same contact %s", got, contact)
	}
	s.hears(c.Media, 660, "the second agent")
	s.eventually("the first agent wraps up", func() bool { return first.state() == "wrapup" })
	c.Hangup(s.ctx)
	st := s.ended(c.number, "answered")
	if len(st.Visits) != 2 || st.Visits[0].Agent != "1001" || st.Visits[1].Queue != "iit" || st.Visits[1].Agent != "1002" {
		s.t.Errorf("stays: %+v", st.Visits)
	}
	legsAddUp(s, st)
}

func transferAgent(s *scene) {
	first := s.agent(1, lift(880))
	c := s.call("12367", 440)
	contact := first.talks()
	second := s.agent(2, lift(660))
	first.verb(contact, "transfer", map[string]string{"kind": "agent", "code": "1002"})
	if got := second.talks(); got != contact {
		s.t.Errorf("the second agent talks with %s, want %s", got, contact)
	}
	s.hears(c.Media, 660, "the second agent")
	second.verb(contact, "hangup", nil)
	<-c.Done()
	st := s.ended(c.number, "answered")
	if st.EndedBy != "agent" || len(st.Legs) != 3 {
		s.t.Errorf("ended by %s with %d legs", st.EndedBy, len(st.Legs))
	}
	legsAddUp(s, st)
}

// transferLost is a transfer to somebody whose phone is busy: the caller goes back to the queue they came from.
func transferLost(s *scene) {
	first := s.agent(1, lift(880))
	c := s.call("12367", 440)
	contact := first.talks()
	s.agent(2, decline)
	third := s.agent(3, lift(660))
	first.verb(contact, "transfer", map[string]string{"kind": "agent", "code": "1002"})
	if got := third.talks(); got != contact {
		s.t.Errorf("the third agent talks with %s, want %s", got, contact)
	}
	c.Hangup(s.ctx)
	s.ended(c.number, "answered")
}

// transferNumber gives a caller to a number outside, where sipp answers.
func transferNumber(s *scene, port int) {
	out := exec.CommandContext(s.ctx, "sipp", "-sn", "uas", "-i", "127.0.0.1", "-p", fmt.Sprint(port), "-nostdin", "-m", "1")
	out.Dir = s.t.TempDir()
	must(s.t, out.Start())
	first := s.agent(1, lift(880))
	c := s.call("12367", 440)
	contact := first.talks()
	first.verb(contact, "transfer", map[string]string{"kind": "number", "code": "02083330000"})
	s.eventually("the first agent wraps up", func() bool { return first.state() == "wrapup" })
	s.story(c.number, "the outside number answers", func(st *story) bool { return st.count("leg.answered") == 3 })
	time.Sleep(500 * time.Millisecond)
	c.Hangup(s.ctx)
	if err := out.Wait(); err != nil {
		s.t.Errorf("sipp: %v", err)
	}
	legsAddUp(s, s.ended(c.number, "answered"))
}

func nobody(s *scene) {
	began := time.Now()
	c := s.call("12367", 440)
	s.within(20*time.Second, "the rule applies", func() bool {
		st := s.story(c.number, "it is there", func(*story) bool { return true })
		return st.count("contact.exited") == 1
	})
	if took := time.Since(began); took < 9*time.Second {
		s.t.Errorf("the rule of 10 s came after %v", took)
	}
	_, level := ua.Share(c.Media.Heard(time.Second), 440)
	if level < -60 {
		s.t.Errorf("the caller hears nothing (%.0f dB)", level)
	}
	s.within(20*time.Second, "the message ends and the house hangs up", func() bool {
		select {
		case <-c.Done():
			return true
		default:
			return false
		}
	})
	st := s.ended(c.number, "turned")
	if len(st.Visits) != 1 || st.Visits[0].Why != "no_agents" || st.Visits[0].Rule != "no_agents" {
		s.t.Errorf("stays: %+v", st.Visits)
	}
}

// refused wants a call not to be taken, with a status.
func refused(s *scene, d ua.Dial, code int) {
	s.t.Helper()
	p, _ := s.line()
	c, err := p.Dial(s.ctx, d)
	if err == nil {
		c.Hangup(s.ctx)
	}
	if r, ok := errors.AsType[*ua.Refused](err); !ok || r.Code != code {
		s.t.Errorf("%v, want %d", err, code)
	}
}

func unknownNumber(s *scene) {
	refused(s, ua.Dial{Number: "4711"}, 404)
	must(s.t, s.sipp("-sf", scenario("refused.xml"), "-s", "4711", "-key", "code", "404", s.h.SIP))
}

func noCodec(s *scene) {
	refused(s, ua.Dial{Number: "12367", Codecs: []string{"m=audio %d RTP/AVP 18", "a=rtpmap:18 G729/8000"}}, 488)
}

func scenario(name string) string {
	p, err := filepath.Abs(filepath.Join("testdata", name))
	if err != nil {
		panic(err) // the test's own folder is gone
	}
	return p
}

func lateOffer(s *scene) {
	a := s.agent(1, lift(880))
	p, from := s.line()
	c, err := p.Dial(s.ctx, ua.Dial{Number: "12367", Tone: 440, Late: true})
	must(s.t, err)
	a.talks()
	s.hears(c.Media, 880, "the agent")
	s.hears(a.current.Load().Media, 440, "the caller")
	c.Hangup(s.ctx)
	s.ended(from, "answered")
	must(s.t, s.sipp("-sf", scenario("late_offer.xml"), "-s", "12366", s.h.SIP))
}

func infoKeys(s *scene) {
	a := s.agent(1, lift(880))
	c := s.call("12366", 440)
	time.Sleep(300 * time.Millisecond)
	for _, key := range "11" {
		must(s.t, c.Info(s.ctx, byte(key)))
		time.Sleep(300 * time.Millisecond)
	}
	a.talks()
	c.Hangup(s.ctx)
	if st := s.ended(c.number, "answered"); st.Contact.Queue != "iit" {
		s.t.Errorf("the keys 1 1 lead to %q, want iit; facts: %s", st.Contact.Queue, st.kinds())
	}
	must(s.t, s.sipp("-sf", scenario("info.xml"), "-s", "12366", s.h.SIP))
}

func wrapUp(s *scene) {
	a := s.agent(1, lift(880))
	c := s.call("12367", 440)
	contact := a.talks()
	must(s.t, a.Do(s.ctx, "PUT", "/desk/contacts/"+contact+"/wrapup", map[string]string{"answer": "请登录电子税务局"}, nil))
	c.Hangup(s.ctx)
	s.eventually("the agent wraps up", func() bool { return a.state() == "wrapup" })
	must(s.t, a.Post(s.ctx, "/desk/contacts/"+contact+"/wrapup/done", map[string]any{
		"state": "away", "reason": "REST", "wrapup": map[string]string{"topic": "0101", "answer": "请登录电子税务局"},
	}, nil))
	s.eventually("the agent is away", func() bool { d := a.desk(); return d.State.State == "away" && d.State.Reason == "REST" })
	st := s.story(c.number, "the wrap-up is in the contact", func(st *story) bool { return st.Wrapup != nil })
	if st.Wrapup.Topic != "0101" || st.Wrapup.Answer != "请登录电子税务局" || st.Contact.Topic != "0101" {
		s.t.Errorf("wrap-up %+v, topic %q", st.Wrapup, st.Contact.Topic)
	}
}

// cancelled hangs up in the very moment the house answers: CANCEL and 200 may cross, nothing may stay behind.
func cancelled(s *scene) {
	must(s.t, s.sipp("-sf", scenario("cancel.xml"), "-s", "12367", s.h.SIP))
	n := 0
	defer func() { s.t.Log(n, "calls are under way") }()
	s.eventually("no call is left", func() bool { n = s.calls(); return n == 0 })
}

// calls gives how many calls are under way.
func (s *scene) calls() int {
	var health struct {
		Parts []struct {
			Part   string
			Values map[string]any
		}
	}
	admin, err := s.h.Login(s.ctx, "admin")
	must(s.t, err)
	must(s.t, admin.Get(s.ctx, "/health", &health))
	for _, p := range health.Parts {
		if p.Part == "voice" {
			n, _ := p.Values["calls"].(float64)
			return int(n)
		}
	}
	s.t.Fatal("the health page has no part voice")
	return 0
}
