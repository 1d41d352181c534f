package main

import (
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
)

func TestMedianAndSpread(t *testing.T) {
	for _, c := range []struct {
		values         []float64
		mid, low, high float64
	}{
		{nil, 0, 0, 0},
		{[]float64{3}, 3, 3, 3},
		{[]float64{9, 1, 2}, 2, 1, 9},
		{[]float64{4, 1, 3, 2}, 2.5, 1, 4},
	} {
		if mid, low, high := median(c.values); mid != c.mid || low != c.low || high != c.high {
			t.Errorf("%v: %v %v %v", c.values, mid, low, high)
		}
	}
}

// A busy machine's figure is never called good, nor its miss a miss.
func TestVerdict(t *testing.T) {
	for _, c := range []struct {
		row  row
		busy bool
		want verdict
	}{
		{row{Met: true}, false, good},
		{row{Met: false}, false, missed},
		{row{Met: true}, true, unsure},
		{row{Met: false}, true, unsure},
		{row{Met: true, Error: "no agents"}, false, failed},
		{row{Met: false, Doubt: "the load was late itself"}, false, unsure},
	} {
		if c.row.judge(c.busy); c.row.Verdict != c.want {
			t.Errorf("%+v busy=%v: want %s", c.row, c.busy, c.want)
		}
	}
}

// What was refused, slow or broken in an overload, and how long it lasted, is told from the calls alone.
func TestOverloadReckoning(t *testing.T) {
	t0 := time.Unix(1000, 0)
	at := func(ms int) time.Time { return t0.Add(time.Duration(ms) * time.Millisecond) }
	good := func() *call { return &call{placed: t0, answered: at(100), bridged: at(300), ended: at(500)} }
	told := func() *call {
		return &call{placed: t0, ended: at(5), code: 503, retryAfter: true, fault: "refused 503"}
	}
	late := &call{placed: at(10_000 + 1500), fault: "refused 503", code: 503, retryAfter: true}
	for _, c := range []struct {
		name          string
		during, after []*call
		met           bool
		again         float64
	}{
		{"served or told", []*call{good(), told()}, []*call{good()}, true, 0},
		{"soon clean again", []*call{good(), told()}, []*call{late, good()}, true, 1.5},
		{"not clean within 5 s", []*call{good()}, []*call{{placed: at(17_000), fault: "refused 503"}}, false, 7},
		{"refused without a time", []*call{{placed: t0, ended: at(5), code: 503, fault: "refused 503"}}, nil, false, 0},
		{"answered, but no agent", []*call{{placed: t0, answered: at(90), fault: "no agent"}}, nil, false, 0},
		{"the answer came late", []*call{{placed: t0, answered: at(2100), bridged: at(2200)}}, nil, false, 0},
		{"the agent came late", []*call{{placed: t0, answered: at(90), bridged: at(5100)}}, nil, false, 0},
	} {
		var r row
		r.overload(100, 10*time.Second, at(10_000), c.during, c.after)
		if r.Met != c.met || r.Value != c.again {
			t.Errorf("%s: met %v, clean again after %v s\n%s", c.name, r.Met, r.Value, strings.Join(r.Notes, "\n"))
		}
	}
}

func TestMessages(t *testing.T) {
	m, ok := read([]byte("INVITE sip:8001@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=z\r\nFrom: <sip:13800000001@h>;tag=1\r\nTo: <sip:8001@h>\r\n" +
		"Call-ID: x\r\nCSeq: 1 INVITE\r\nContact: <sip:kapok@127.0.0.1:5060>\r\n\r\nv=0\r\nm=audio 4000 RTP/AVP 8\r\n"))
	if !ok || m.method() != "INVITE" || m.status() != 0 || user(m.get("from")) != "13800000001" || uri(m.get("Contact")) != "sip:kapok@127.0.0.1:5060" || mediaPort(m.body) != 4000 {
		t.Errorf("%+v", m)
	}
	a, ok := read([]byte(respond(&m, 486, "Busy Here", "b", "", "Retry-After: 5")))
	if !ok || a.status() != 486 || a.method() != "INVITE" || a.get("To") != "<sip:8001@h>;tag=b" || a.get("Retry-After") != "5" || a.get("Content-Length") != "0" {
		t.Errorf("%+v", a)
	}
	if _, ok := read([]byte("\r\n\r")); ok {
		t.Error("a keep-alive is no message")
	}
	// RFC 2617 §3.5 has no MD5 example without a body of its own; this one is checked against the formula by hand.
	c, _ := read([]byte("SIP/2.0 401 x\r\nWWW-Authenticate: Digest realm=\"k\", nonce=\"n\", qop=\"auth\"\r\n\r\n"))
	want := sum(sum("u:k:p") + ":n:00000001:bench:auth:" + sum("REGISTER:sip:h"))
	if h := authorize(&c, "u", "p", "REGISTER", "sip:h"); !strings.Contains(h, want) {
		t.Error(h)
	}
}

// The bench's bureau is the demo's, with nothing that turns callers away and as many agents as asked for.
func TestBureau(t *testing.T) {
	text, err := bureau(staffing{people: 50})
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Agents, Phones, Users []map[string]any
		Queues                []map[string]any
	}
	if err := yaml.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Agents) != 50 || len(file.Phones) != 50 || len(file.Users) < 50 {
		t.Error(len(file.Agents), len(file.Phones), len(file.Users))
	}
	for _, q := range file.Queues {
		if q["max_length"] != nil || q["on_no_agents"] != nil {
			t.Error(q)
		}
	}
}

func TestOwnFigures(t *testing.T) {
	before, err := used(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	own := ownTime()
	x := 0.0
	for i := range 50_000_000 {
		x += math.Sqrt(float64(i))
	}
	after, err := used(os.Getpid())
	if err != nil || x == 0 {
		t.Fatal(err)
	}
	if d := (after - before) - (ownTime() - own); d > 10*tick || d < -10*tick {
		t.Errorf("/proc and getrusage differ by %v", d)
	}
	if n, err := resident(os.Getpid()); err != nil || n < 1<<20 {
		t.Error(n, err)
	}
}
