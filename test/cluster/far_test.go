package cluster

import (
	"bytes"
	"errors"
	"io/fs"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/test/house"
	"github.com/kapok-hotline/kapok/test/ua"
)

// people is a telephone outside where whoever is called answers.
type people struct {
	*ua.Phone
	mu   sync.Mutex
	rang map[string]int // by the last eight digits of the number called
}

func (y *town) outside() *people {
	y.t.Helper()
	p, err := ua.Open("127.0.0.1", y.two.SIP, "outside", "")
	must(y.t, err)
	y.t.Cleanup(p.Close)
	o := &people{Phone: p, rang: map[string]int{}}
	p.OnCall = func(c *ua.Call) {
		number, _, _ := strings.Cut(strings.TrimPrefix(c.Invite.Start, "INVITE sip:"), "@")
		o.mu.Lock()
		o.rang[number[max(len(number)-8, 0):]]++
		o.mu.Unlock()
		c.Ring()
		_ = c.Answer(y.ctx, 700) // the test sees that nobody talks
	}
	return o
}

func (o *people) calls(number string) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.rang[number[max(len(number)-8, 0):]]
}

// furnish gives the bureau a line to the people outside, a number for messages, and callbacks in its queue.
func (y *town) furnish(o *people) {
	y.t.Helper()
	bureau, err := house.Bureau(3,
		"trunks:\n", "trunks:\n  - {code: aout, name: 外线, site: gz, kind: ip, caller_id: \"02012366\", peers: [\""+o.Addr()+"\"], accept: [\"127.9.9.9/32\"]}\n",
		"numbers:\n  - {code: \"12366\"", "numbers:\n  - {code: \"12370\", name: 留言, site: gz, flow: voicemail}\n  - {code: \"12366\"",
		"\nsettings: {recording", "\nmissed_rules: {short_s: 1, tries: 5, keep_days: 7}\n\nsettings: {recording",
		"prompts: [voicemail], limit: 2m", "prompts: [beep], limit: 2m",
		"announce_s: 40, target: 0.914, music: music, calendar: hotline, on_full: full, on_max_wait: voicemail", "announce_s: 40, callback_s: 2, callback_tries: 1, target: 0.914, music: music, calendar: hotline, on_full: full, on_max_wait: voicemail")
	must(y.t, err)
	must(y.t, y.two.Apply(y.ctx, bureau))
}

func (y *town) hears(who string, m *ua.Media, hz float64, want bool) {
	y.t.Helper()
	y.eventually(who, func() bool {
		share, level := ua.Share(m.Heard(400*time.Millisecond), hz)
		return (share > 0.15 && level > -45) == want
	})
}

// code gives the code of a refusal.
func code(err error) string {
	p, _ := errors.AsType[*house.Problem](err)
	if p == nil {
		return ""
	}
	return p.Code
}

// The pages and phones are at one process, the calls, recordings and messages at another: every verb reaches them. Then
// that process ends as in a power cut: what it promised is kept by exactly one of the two others, and what lies on its
// disk is said to lie there.
func TestRowB5WhatAnotherProcessHolds(t *testing.T) {
	y := raise(t, 3)
	o := y.outside()
	y.furnish(o)
	manager, err := y.two.Login(y.ctx, "manager")
	must(t, err)
	a := y.agent(1, y.two, y.two)

	// The recording of a talk stands still and goes on at the agent's word.
	caller := y.call(y.one, 51)
	contact := a.talks()
	talk := <-a.calls
	y.hears("the agent hears the caller", talk.Media, 440, true)
	for _, on := range []bool{false, true} {
		must(t, a.Post(y.ctx, "/calls/"+contact+"/recording", map[string]bool{"on": on}, nil))
		time.Sleep(300 * time.Millisecond)
	}

	// A leader, whose phone is at a third process, takes part.
	lead := y.leads("8003", y.three)
	verb := func(v string) {
		t.Helper()
		must(t, y.leader.Post(y.ctx, "/desk/team/1001/"+v, map[string]string{"contact": contact, "phone": "8003", "why": "a try"}, nil))
	}
	verb("listen")
	ear := <-lead
	y.hears("the leader hears the caller", ear.Media, 440, true)
	y.hears("the leader hears the agent", ear.Media, 880, true)
	y.hears("the caller does not hear the leader", caller.Media, 1320, false)
	verb("whisper")
	y.hears("the agent hears the leader", talk.Media, 1320, true)
	y.hears("the caller does not hear the whisper", caller.Media, 1320, false)
	verb("barge")
	y.hears("the caller hears the leader", caller.Media, 1320, true)
	must(t, y.leader.Post(y.ctx, "/desk/team/supervision/end", map[string]string{"contact": contact}, nil))
	<-ear.Done()

	// Parked by one, taken back by another whose desk is at a third process.
	must(t, a.Post(y.ctx, "/desk/contacts/"+contact+"/park", nil, nil))
	y.eventually("the agent has parked the caller", func() bool { return a.state() == "wrapup" })
	must(t, a.WrapUp(y.ctx, contact, "0101"))
	b := y.agent(2, y.three, y.two)
	slot := ""
	y.eventually("the slot is seen at the third process", func() bool {
		slot = b.parked(contact)
		return slot != ""
	})
	must(t, b.Post(y.ctx, "/desk/parked/"+slot, nil, nil))
	if got := b.talks(); got != contact {
		t.Errorf("%s is taken back, not %s", got, contact)
	}
	again := <-b.calls
	y.hears("who took back hears the caller", again.Media, 440, true)

	// Taken over.
	must(t, y.leader.Post(y.ctx, "/desk/team/1002/listen", map[string]string{"contact": contact, "phone": "8003", "why": "a try"}, nil))
	<-lead
	must(t, y.leader.Post(y.ctx, "/desk/team/1002/take_over", map[string]string{"contact": contact, "phone": "8003", "why": "a try"}, nil))
	<-again.Done()
	y.hears("the caller hears who took over", caller.Media, 1320, true)
	caller.Hangup(y.ctx)
	y.eventually("the agent wraps up", func() bool { return b.state() == "wrapup" })
	must(t, b.WrapUp(y.ctx, contact, "0101"))
	must(t, b.Post(y.ctx, "/desk/signout", nil, nil))

	// The recording lies with the process of the call, and is heard, looked at and destroyed from here.
	var s *story
	y.eventually("the talk is told whole", func() bool {
		s = y.story(caller.number)
		return s.Contact.Outcome == "answered" && len(s.Recordings) == 1
	})
	for kind, n := range map[string]int{"recording.paused": 1, "recording.resumed": 1, "contact.parked": 1, "contact.unparked": 1} {
		if s.count(kind) != n {
			t.Errorf("%d times %s: %s", s.count(kind), kind, s.kinds())
		}
	}
	sound := "/recordings/" + s.Recordings[0].ID + "/sound"
	wav, err := y.leader.Raw(y.ctx, "GET", sound, nil)
	must(t, err)
	sides, err := ua.Channels(wav)
	must(t, err)
	for i, hz := range []float64{440, 880} {
		if share, level := ua.Loudest(sides[i], hz); share < 0.8 || level < -40 {
			t.Errorf("channel %d has %.2f of its tone at %.0f dB", i, share, level)
		}
	}
	var shape struct{ Left []int }
	must(t, y.leader.Get(y.ctx, "/recordings/"+s.Recordings[0].ID+"/peaks", &shape))
	if len(shape.Left) == 0 {
		t.Error("a recording of another process has no shape")
	}
	if files(t, y.one) != 1 || files(t, y.two) != 0 {
		t.Errorf("%d and %d files", files(t, y.one), files(t, y.two))
	}
	must(t, manager.Post(y.ctx, "/recordings/"+s.Recordings[0].ID+"/erase", map[string]string{"reason": "asked for"}, nil))
	if files(t, y.one) != 0 {
		t.Error("the file is still there")
	}
	if _, err := y.leader.Raw(y.ctx, "GET", sound, nil); code(err) != "voice.recording.erased" {
		t.Errorf("an erased recording: %v", err)
	}
	y.eventually("the proof is told", func() bool { return y.story(caller.number).count("recording.erased") == 1 })

	// A message lies with the process that took it.
	speaker := y.dial(y.one, 52, "12370")
	time.Sleep(2 * time.Second) // something is said
	speaker.Hangup(y.ctx)
	y.eventually("the message is heard at another process", func() bool {
		id, message := y.missed(speaker.number)
		if message == "" {
			return false
		}
		wav, err := a.Raw(y.ctx, http.MethodGet, "/missed/"+id+"/messages/"+message, nil)
		must(t, err)
		return bytes.HasPrefix(wav, []byte("RIFF")) && len(wav) > 4000
	})

	// A call out from a desk at another process than the phone's.
	far, err := y.one.Login(y.ctx, "1001")
	must(t, err)
	must(t, far.Post(y.ctx, "/desk/callouts", map[string]string{"number": "020-8333 0000"}, nil))
	defer func() {
		if t.Failed() {
			t.Log(a.state(), y.story("02083330000").kinds(), o.calls("02083330000"))
		}
	}()
	contact = a.talks()
	if o.calls("02083330000") != 1 {
		t.Errorf("the person was called %d times", o.calls("02083330000"))
	}
	must(t, far.Post(y.ctx, "/desk/contacts/"+contact+"/hangup", nil, nil))
	y.eventually("the agent wraps up", func() bool { return a.state() == "wrapup" })
	must(t, y.two.Doctor(y.ctx))

	// A test call is placed at one process and made there.
	var ticket struct{ ID, User, Secret, Target string }
	graph := map[string]any{"code": "t", "name": "T", "start": "e", "nodes": []any{
		map[string]any{"id": "e", "kind": "play", "prompts": []string{"closed"}, "next": "h"}, map[string]any{"id": "h", "kind": "hangup"},
	}}
	must(t, manager.Post(y.ctx, "/voice/flow-calls", map[string]any{"graph": graph}, &ticket))
	tester, err := ua.Open("127.0.0.1", y.two.SIP, ticket.User, ticket.Secret)
	must(t, err)
	t.Cleanup(tester.Close)
	trial, err := tester.Dial(y.ctx, ua.Dial{Number: ticket.Target, Tone: 440})
	must(t, err)
	y.eventually("the prompt is heard", func() bool {
		_, level := ua.Share(trial.Media.Heard(time.Second), 300)
		return level > -40
	})
	trial.Hangup(y.ctx)
	y.eventually("the test call is over", func() bool {
		var v struct{ State string }
		must(t, manager.Get(y.ctx, "/voice/flow-calls/"+ticket.ID, &v))
		return v.State == "ended"
	})

	// While the agent wraps up a caller wishes to be called back, and the process they called dies.
	wish := y.call(y.one, 53)
	y.eventually("the wish is noted", func() bool {
		if !done(wish) {
			_ = wish.Info(y.ctx, '1')
			time.Sleep(700 * time.Millisecond)
		}
		return done(wish)
	})
	y.eventually("the promise is seen at another process", func() bool { return y.promises("open") == 1 })
	kept := y.call(y.one, 54)
	y.eventually("somebody waits", func() bool { return y.waiting() == 1 })
	time.Sleep(1500 * time.Millisecond) // all are told of
	died := time.Now()
	y.one.Kill()
	kept.Media.Forget()
	id, message := y.missed(speaker.number)
	if _, err := a.Raw(y.ctx, http.MethodGet, "/missed/"+id+"/messages/"+message, nil); code(err) != "voice.recording.elsewhere" {
		t.Errorf("a message on the disk of a dead process: %v", err)
	}
	must(t, a.WrapUp(y.ctx, contact, "0101"))
	y.within(60*time.Second, "the person is called back", func() bool { return o.calls(wish.number) > 0 })
	t.Logf("called back %v after the process died", time.Since(died))
	contact = a.talks()
	time.Sleep(time.Second)
	must(t, a.Post(y.ctx, "/desk/contacts/"+contact+"/hangup", nil, nil))
	y.eventually("the promise is kept", func() bool { return y.promises("open") == 0 })
	y.eventually("the agent wraps up", func() bool { return a.state() == "wrapup" })
	must(t, a.WrapUp(y.ctx, contact, "0101"))
	y.within(30*time.Second, "who waited at the dead process is lost", func() bool { return y.story(kept.number).count("contact.lost") == 1 })
	if n := o.calls(wish.number); n != 1 {
		t.Errorf("the person was called %d times", n)
	}
	must(t, y.two.Doctor(y.ctx))
	must(t, y.three.Doctor(y.ctx))
}

// leads registers a leader's phone and gives the calls it answers.
func (y *town) leads(number string, at *house.House) <-chan *ua.Call {
	y.t.Helper()
	p, err := ua.Open("127.0.0.1", at.SIP, number, house.Password)
	must(y.t, err)
	y.t.Cleanup(p.Close)
	calls := make(chan *ua.Call, 4)
	slow := sync.OnceFunc(func() { time.Sleep(6 * time.Second) }) // longer than a question to another process waits by itself
	p.OnCall = func(c *ua.Call) {
		c.Ring()
		slow()
		if c.Answer(y.ctx, 1320) == nil {
			calls <- c
		}
	}
	must(y.t, p.Register(y.ctx, time.Hour))
	return calls
}

// parked gives the slot a contact is in, as the agent's desk shows it.
func (a *agent) parked(contact string) string {
	var d struct {
		Parked []struct {
			Contact string
			Slot    int
		}
	}
	must(a.y.t, a.Get(a.y.ctx, "/desk", &d))
	for _, p := range d.Parked {
		if p.Contact == contact {
			return strconv.Itoa(p.Slot)
		}
	}
	return ""
}

// missed gives a caller's row on the list of the missed, and their message.
func (y *town) missed(number string) (id, message string) {
	y.t.Helper()
	var list struct {
		Items []struct{ ID, Number, Message string }
	}
	must(y.t, y.leader.Get(y.ctx, "/missed?limit=200&view=open", &list))
	for _, r := range list.Items {
		if strings.HasSuffix(number, r.Number[len(r.Number)-4:]) {
			return r.ID, r.Message
		}
	}
	return "", ""
}

// promises counts the callbacks of a view.
func (y *town) promises(view string) int {
	y.t.Helper()
	var all []struct{ ID string }
	must(y.t, y.leader.Get(y.ctx, "/voice/callbacks?view="+view, &all))
	return len(all)
}

// files counts the recordings on a process's disk.
func files(t *testing.T, h *house.House) (n int) {
	t.Helper()
	err := filepath.WalkDir(filepath.Join(h.Data, "recordings"), func(name string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err == nil && !d.IsDir() && strings.HasSuffix(name, ".krec") {
			n++
		}
		return err
	})
	must(t, err)
	return n
}
