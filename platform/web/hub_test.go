package web_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/web"
	"github.com/kapok-hotline/kapok/platform/web/webtest"
)

func publish(t *testing.T, b *webtest.Bench, topic string, to web.Audience, data any) {
	t.Helper()
	if err := b.Server.Hub().Publish(topic, to, data); err != nil {
		t.Fatal(err)
	}
}

func TestSocketDelivers(t *testing.T) {
	b := webtest.New(t)
	b.Tree("gz", "gd")
	b.Tree("sz", "gd")
	agent := b.As("agent").Socket("desk", "wallboard")
	leader := b.As("leader", webtest.At("sz")).Socket("desk", "wallboard")
	none := b.As("none").Socket("wallboard")

	publish(t, b, "desk", web.To("agent-1"), map[string]any{"state": "ready", "calls": []int(nil)})
	publish(t, b, "desk", web.To("leader-1"), "for the leader")
	publish(t, b, "wallboard", web.Holders("report.wallboard.see", "gz"), 1)
	publish(t, b, "wallboard", web.Holders("report.wallboard.see", "sz"), 2)
	publish(t, b, "wallboard", web.Holders("identity.self.use", ""), 3)

	want := func(s *webtest.Socket, who string, messages ...string) {
		t.Helper()
		for _, w := range messages {
			if m := s.Next(); m.Topic+" "+string(m.Data) != w {
				t.Errorf("%s received %s %s, want %s", who, m.Topic, m.Data, w)
			}
		}
	}
	want(agent, "the agent", `desk {"calls":[],"state":"ready"}`, "wallboard 1", "wallboard 3")
	want(leader, "the leader", `desk "for the leader"`, "wallboard 2", "wallboard 3")
	want(none, "who holds nothing", "wallboard 3")
}

func TestSocketResumes(t *testing.T) {
	b := webtest.New(t)
	c := b.As("agent")
	keep := c.Socket() // the user stays present
	_ = keep
	s := c.Socket("desk")
	publish(t, b, "desk", web.To("agent-1"), 1)
	publish(t, b, "desk", web.Holders("desk.self.use", ""), 2)
	first := s.Next()
	if m := s.Next(); m.Seq <= first.Seq {
		t.Errorf("seq went from %d to %d", first.Seq, m.Seq)
	}
	s.Close()
	publish(t, b, "desk", web.To("agent-1"), 3)
	publish(t, b, "desk", web.To("agent-2"), "not for us")

	resume := func(since uint64) *webtest.Socket {
		s := c.Socket()
		s.Send(map[string]any{"sub": []string{"desk"}, "since": map[string]uint64{"desk": since}})
		return s
	}
	s = resume(first.Seq)
	var last uint64
	for _, want := range []string{"2", "3"} {
		m := s.Next()
		if string(m.Data) != want {
			t.Errorf("missed %s, got %s", want, m.Data)
		}
		last = m.Seq
	}
	publish(t, b, "desk", web.To("agent-1"), 4)
	if m := s.Next(); string(m.Data) != "4" {
		t.Errorf("after resuming came %s", m.Data)
	}
	for name, since := range map[string]uint64{
		"too old": first.Seq - 1<<20, "of another process": last ^ 1, "from the future": last + 1<<30, "none": 0,
	} {
		if m := resume(since).Next(); !m.Reload || m.Seq < last {
			t.Errorf("a seq %s is answered %+v, want reload", name, m)
		}
	}
	for i := range 300 {
		publish(t, b, "desk", web.To("agent-1"), i)
	}
	if m := resume(last).Next(); !m.Reload {
		t.Errorf("more is missing than is kept, and the answer is %+v", m)
	}
}

func TestSocketEndsWithRights(t *testing.T) {
	b := webtest.New(t)
	s := b.As("agent").Socket("desk")
	b.Server.Hub().DropUser("agent-1")
	if _, err := s.Read(5 * time.Second); websocket.CloseStatus(err) != websocket.StatusServiceRestart {
		t.Errorf("closed with %v", err)
	}
}

func TestSocketFollowsRights(t *testing.T) {
	b := webtest.New(t)
	c := b.As("agent")
	s := c.Socket("wallboard")
	b.Change(c, func(who *web.Caller) { delete(who.Rights, "report.wallboard.see") })
	b.Server.Hub().RecheckUser("agent-1")
	// The socket learns it by itself; until then messages still come.
	for i := 0; ; i++ {
		publish(t, b, "wallboard", web.Holders("report.wallboard.see", ""), "secret")
		publish(t, b, "wallboard", web.To("agent-1"), "mine")
		m := s.Next()
		if string(m.Data) == `"mine"` {
			break
		}
		if s.Next(); i > 1000 {
			t.Fatal("the socket keeps a right that was taken")
		}
	}
	b.Change(c, func(who *web.Caller) { who.User = "" })
	b.Server.Hub().Recheck()
	if _, err := s.Read(5 * time.Second); websocket.CloseStatus(err) != 4401 {
		t.Errorf("closed with %v", err)
	}
}

func TestSocketRefusesNonsense(t *testing.T) {
	b := webtest.New(t)
	for name, sent := range map[string]any{
		"a number":        7,
		"too many topics": map[string]any{"sub": strings.Fields(strings.Repeat("a ", 33))},
		"a topic of HTML": map[string]any{"sub": []string{"<b>"}},
		"a long topic":    map[string]any{"sub": []string{strings.Repeat("a", 65)}},
	} {
		s := b.As("agent").Socket()
		s.Send(sent)
		if _, err := s.Read(5 * time.Second); websocket.CloseStatus(err) != websocket.StatusPolicyViolation {
			t.Errorf("%s: %v", name, err)
		}
	}
	b.As("").Get("/api/v1/socket").Fails(401, "web.session.missing")
}

func TestPresence(t *testing.T) {
	b := webtest.New(t)
	var mu sync.Mutex
	var told []string
	changed := make(chan struct{}, 16)
	b.Server.Hub().OnPresence(func(u id.User, present bool) {
		mu.Lock()
		told = append(told, fmt.Sprint(u, present))
		mu.Unlock()
		changed <- struct{}{}
	})
	wait := func() {
		t.Helper()
		select {
		case <-changed:
		case <-time.After(5 * time.Second):
			t.Fatal("nobody was told")
		}
	}
	c := b.As("agent")
	one := c.Socket("desk")
	wait()
	two := c.Socket("desk")
	one.Close()
	two.Close()
	wait()
	c.Socket("desk")
	wait()
	mu.Lock()
	defer mu.Unlock()
	if got := strings.Join(told, ", "); got != "agent-1true, agent-1false, agent-1true" {
		t.Errorf("told %s", got)
	}
}

func TestSlowPagesAreCutOff(t *testing.T) {
	b := webtest.New(t)
	c := b.As("agent")
	s := c.Socket("desk")
	big := strings.Repeat("x", 100_000)
	for range 2000 { // what the kernel's buffers and the queue cannot hold
		publish(t, b, "desk", web.To("agent-1"), big)
	}
	var err error
	for n := 0; err == nil; n++ {
		_, err = s.Read(5 * time.Second)
		if n > 2000 {
			t.Fatal("everything came")
		}
	}
}

func BenchmarkPublish(b *testing.B) {
	bench := webtest.New(b)
	for i := range 50 {
		bench.As("agent", webtest.User(id.User(fmt.Sprint(i)))).Socket("desk")
	}
	for b.Loop() {
		_ = bench.Server.Hub().Publish("desk", web.To("7"), map[string]any{"state": "ready"})
	}
}

func TestPublishToMakesOnlyWhatIsHeard(t *testing.T) {
	b := webtest.New(t)
	c := b.As("agent")
	keep := c.Socket()
	_ = keep
	made := 0
	say := func(what string) {
		t.Helper()
		if err := b.Server.Hub().PublishTo("desk", "agent-1", func() any { made++; return what }); err != nil {
			t.Fatal(err)
		}
	}
	say("before any page")
	if made != 0 {
		t.Error("made for nobody")
	}
	s := c.Socket("desk")
	say("first")
	seen := s.Next()
	if string(seen.Data) != `"first"` || made != 1 {
		t.Errorf("heard %s, made %d", seen.Data, made)
	}
	s.Close()
	say("while away")
	s = c.Socket()
	s.Send(map[string]any{"sub": []string{"desk"}, "since": map[string]uint64{"desk": seen.Seq}})
	if m := s.Next(); string(m.Data) != `"while away"` {
		t.Errorf("came back and heard %s", m.Data)
	}
}

func TestHeard(t *testing.T) {
	b := webtest.New(t)
	s := b.As("agent").Socket("desk")
	publish(t, b, "desk", web.To("agent-1"), 1) // the subscription has arrived when this does
	s.Next()
	for topic, want := range map[string]bool{"desk": true, "wallboard": false} {
		if got := b.Server.Hub().Heard(topic); got != want {
			t.Errorf("%s heard: %v, want %v", topic, got, want)
		}
	}
}
