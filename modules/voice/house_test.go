package voice

import (
	"context"
	"crypto/md5" //nolint:gosec // the digest of RFC 2617 is what desk phones speak
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/day"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/core/span"
	"github.com/kapok-hotline/kapok/engine/flow"
	"github.com/kapok-hotline/kapok/platform/audio"
	"github.com/kapok-hotline/kapok/platform/clock"
	"github.com/kapok-hotline/kapok/platform/sip"
	"github.com/kapok-hotline/kapok/platform/sip/siptest"
	"github.com/kapok-hotline/kapok/platform/store"
	"github.com/kapok-hotline/kapok/platform/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// house is voice on loopback, with queues that do what the test says.
type house struct {
	*Module
	t    *testing.T
	end  context.CancelFunc
	done chan error

	mu      sync.Mutex
	facts   []fact
	entered []Waiting
	queue   []id.Queue
	told    []string                     // leave, done, taken … of the brain
	refuse  error                        // of the next Enter
	agents  map[id.User]contact.Endpoint // whom Take gives
	busy    bool                         // Take gives nobody
	hours   day.State

	callback Callback     // the rule of every queue
	promised []id.Contact // taken out of their queue to be called back
	rules    *manners     // about callers; nil: none
}

type fact struct {
	at      time.Time
	contact string
	body    event.Body
}

func (h *house) Post(at time.Time, _ id.Site, subject, _ string, body event.Body) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.facts = append(h.facts, fact{at, subject, body})
}

func (h *house) Enter(_ context.Context, q id.Queue, w Waiting) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.refuse; err != nil {
		h.refuse = nil
		return err
	}
	h.entered, h.queue = append(h.entered, w), append(h.queue, q)
	return nil
}

func (h *house) note(format string, v ...any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.told = append(h.told, fmt.Sprintf(format, v...))
}

func (h *house) Leave(context.Context, id.Contact) error { h.note("leave"); return nil }
func (h *house) Done(_ context.Context, _ id.Contact, a id.User) error {
	h.note("done %s", a)
	return nil
}
func (h *house) Known(q id.Queue) bool { return q == "vat" || q == "iit" || q == "tipoff" }
func (h *house) Agent(_ context.Context, number string) (id.User, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for a, at := range h.agents {
		if string(at.Phone) == number || string(a) == number {
			return a, true
		}
	}
	return "", false
}

func (h *house) Take(_ context.Context, _ id.Contact, a id.User, _ id.Queue) (contact.Endpoint, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if a == "" { // whoever is free
		for user := range h.agents {
			a = user
		}
	}
	at, ok := h.agents[a]
	if !ok || h.busy {
		return at, fault.New(fault.Conflict, "routing.rejected.no_room")
	}
	return at, nil
}

func (h *house) Taken(_ context.Context, _ id.Contact, a id.User) error {
	h.note("taken %s", a)
	return nil
}

func (h *house) Seize(ctx context.Context, c id.Contact, a id.User) (contact.Endpoint, error) {
	h.note("seize %s", a)
	return h.Take(ctx, c, a, "")
}

func (h *house) Dial(ctx context.Context, c id.Contact, a id.User, from id.Queue, wrapup time.Duration) (contact.Endpoint, error) {
	h.note("dial %s %s", a, wrapup)
	return h.Take(ctx, c, a, from)
}

func (h *house) Endpoint(_ context.Context, at contact.Endpoint, up bool) error {
	h.note("endpoint %s%s %v", at.Agent, at.Phone, up)
	return nil
}

func (h *house) Sound(q id.Queue) Sound {
	h.mu.Lock()
	defer h.mu.Unlock()
	return Sound{Record: true, Secret: q == "tipoff", Callback: h.callback}
}

func (h *house) State(string, time.Time) (day.State, string, time.Time, error) {
	return h.hours, "", time.Time{}, nil
}

const password = "secret-8001"

// newHouse makes a house whose number 12366 leads through a menu, 12367 straight to the queue vat, 12368 to an agent
// and 12369 outside; with the phones 8001 to 8003 and a trunk that is everybody on loopback.
func newHouse(t *testing.T, change ...func(*Settings)) *house {
	t.Helper()
	return newHouseWith(t, nil, change...)
}

// newHouseWith makes one of several houses.
func newHouseWith(t *testing.T, far Far, change ...func(*Settings)) *house {
	t.Helper()
	h := &house{t: t, done: make(chan error, 1), agents: map[id.User]contact.Endpoint{}, hours: day.Open}
	db := storetest.SQLite(t)
	local := netip.MustParseAddr("127.0.0.1")
	var err error
	d := Deps{
		DB: db, Clock: clock.System(), Facts: h, Queues: h, Line: h, Hours: h, Manners: h, Log: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelInfo})), Data: t.TempDir(),
		Key: make([]byte, 32), SIP: []string{"127.0.0.1:0"}, Advertise: local, RTPFirst: 32000, RTPLast: 39998, Realm: "kapok", Far: far,
	}
	d.Presence, _ = far.(Presence)
	h.Module, err = New(d)
	must(t, err)
	must(t, db.Migrate(t.Context(), "voice", h.Migrations()))
	must(t, db.Migrate(t.Context(), "ledger", os.DirFS("../../platform/ledger/migrations")))
	for _, code := range []id.Phone{"8001", "8002", "8003"} {
		d := digests(string(code), "kapok", password)
		must(t, phoneTable.Put(t.Context(), db, string(code), phoneRow{Phone: Phone{Code: code, Site: "gz"}, MD5: d[sip.MD5]}))
	}
	must(t, trunkTable.Put(t.Context(), db, "ct", Trunk{Code: "ct", Site: "gz", Kind: "ip", Accept: []string{"127.0.0.1/32"}}))
	s := defaultSettings()
	for _, f := range change {
		f(&s)
	}
	must(t, settingsTable.Put(t.Context(), db, "settings", s))
	none := 0
	second := span.Span(time.Second)
	for number, g := range map[id.Number]flow.Graph{
		"12366": {Code: "menu", Start: "menu", Nodes: []flow.Node{
			{
				ID: "menu", Kind: flow.MenuKind, Prompts: []string{"beep"}, First: second, Retries: &none, Timeout: "late", Invalid: "q", Bypass: "q",
				Keys: []flow.Key{{Key: "1", To: "q"}, {Key: "2", To: "id"}},
			},
			{ID: "id", Kind: flow.GatherKind, Prompts: []string{"beep"}, Var: "pin", Max: 3, First: second, Inter: second, Retries: &none, Timeout: "late", Invalid: "late", Next: "q"},
			{ID: "q", Kind: flow.QueueKind, Queue: "vat", Failed: "sorry"},
			{ID: "late", Kind: flow.PlayKind, Prompts: []string{"beep"}, Served: true, Next: "end"},
			{ID: "sorry", Kind: flow.HangupKind, Outcome: contact.Turned},
			{ID: "end", Kind: flow.HangupKind},
		}},
		"12367": {Code: "straight", Start: "q", Nodes: []flow.Node{{ID: "q", Kind: flow.QueueKind, Queue: "vat", Failed: "sorry"}, {ID: "sorry", Kind: flow.HangupKind, Outcome: contact.Turned}}},
		"12368": {Code: "agent", Start: "x", Nodes: []flow.Node{{ID: "x", Kind: flow.TransferKind, To: &contact.Target{Kind: contact.ToAgent, Code: "a2"}, Failed: "q"}, {ID: "q", Kind: flow.QueueKind, Queue: "iit"}}},
	} {
		body, err := json.Marshal(g)
		must(t, err)
		_, err = store.Exec(t.Context(), db, `INSERT INTO voice_flow (code, version, at, body) VALUES (?, 1, 0, ?)`, string(g.Code), string(body))
		must(t, err)
		must(t, numberTable.Put(t.Context(), db, string(number), Number{Code: number, Site: "gz", Flow: g.Code, Calendar: "gz"}))
	}
	ctx, cancel := context.WithCancel(context.Background())
	h.end = cancel
	go func() { h.done <- h.Start(ctx) }()
	select {
	case <-h.Ready():
	case err := <-h.done:
		t.Fatal(err)
	}
	t.Cleanup(h.stop)
	return h
}

func (h *house) stop() {
	h.end()
	if err := <-h.done; err != nil {
		h.t.Error(err)
	}
	h.done <- nil
}

// line is a SIP peer with a socket for its media, on which it speaks a tone and counts what it hears.
type line struct {
	*siptest.Peer
	*siptest.Call
	rtp   *net.UDPConn
	quiet chan struct{}

	mu      sync.Mutex
	pressed uint32 // keys
	to      *net.UDPAddr
	heard   int     // packets
	level   float64 // of the newest packet

	tone float64        // Hz it speaks in place of the loud one; 0: that; below 0: it is silent
	ear  func(a []byte) // told of each packet's A-law
}

func (h *house) line() *line {
	h.t.Helper()
	return h.lineAt(net.IPv4(127, 0, 0, 1))
}

// lineAt is a line at another address: 127.0.0.1 is the trunk's.
func (h *house) lineAt(ip net.IP) *line {
	h.t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	must(h.t, err)
	l := &line{Peer: siptest.NewAt(h.t, ip, h.sip.Addr("udp")), rtp: conn, quiet: make(chan struct{})}
	var work sync.WaitGroup
	work.Go(l.listen)
	work.Go(l.speak)
	h.t.Cleanup(func() {
		close(l.quiet)
		_ = conn.Close()
		work.Wait()
	})
	return l
}

func (l *line) sdp(lines ...string) string {
	port := l.rtp.LocalAddr().(*net.UDPAddr).Port
	if len(lines) == 0 {
		lines = []string{fmt.Sprintf("m=audio %d RTP/AVP 8 101", port), "a=rtpmap:8 PCMA/8000", "a=rtpmap:101 telephone-event/8000", "a=sendrecv"}
	}
	return "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n" + strings.Join(lines, "\r\n") + "\r\n"
}

// connect sends media to where a session description says.
func (l *line) connect(sdp string) {
	for _, s := range strings.Split(sdp, "\n") {
		var port int
		if n, _ := fmt.Sscanf(strings.TrimSpace(s), "m=audio %d", &port); n == 1 {
			l.mu.Lock()
			l.to = &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port}
			l.mu.Unlock()
		}
	}
}

func (l *line) listen() {
	b := make([]byte, 2048)
	for {
		n, err := l.rtp.Read(b)
		if err != nil {
			return
		}
		if n < 13 || b[1]&0x7f != 8 {
			continue
		}
		sum := 0.0
		for _, v := range b[12:n] {
			s := float64((v^0x55)&0x7f) / 127
			sum += s * s
		}
		l.mu.Lock()
		l.heard++
		l.level = math.Sqrt(sum / float64(n-12))
		ear := l.ear
		l.mu.Unlock()
		if ear != nil {
			ear(b[12:n])
		}
	}
}

// speak sends a loud tone every 20 ms.
func (l *line) speak() {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for seq := uint16(0); ; seq++ {
		select {
		case <-tick.C:
		case <-l.quiet:
			return
		}
		p := make([]byte, 172)
		p[0], p[1] = 0x80, 8
		binary.BigEndian.PutUint16(p[2:], seq)
		binary.BigEndian.PutUint32(p[4:], uint32(seq)*160)
		binary.BigEndian.PutUint32(p[8:], 7)
		for i := range p[12:] {
			p[12+i] = 0x2a // the loudest A-law there is, alternating
			if i%8 < 4 {
				p[12+i] = 0xaa
			}
		}
		l.mu.Lock()
		to, tone := l.to, l.tone
		l.mu.Unlock()
		for i := range p[12:] {
			if tone < 0 {
				p[12+i] = audio.SilenceA
			} else if tone != 0 {
				p[12+i] = audio.EncodeA(int16(6000 * math.Sin(2*math.Pi*tone*float64(int(seq)*160+i)/8000)))
			}
		}
		if to != nil {
			_, _ = l.rtp.WriteTo(p, to)
		}
	}
}

// press sends a key as RFC 4733 events.
func (l *line) press(key byte) {
	l.mu.Lock()
	to := l.to
	l.pressed++
	at := l.pressed * 100000
	l.mu.Unlock()
	for i := range 8 {
		p := make([]byte, 16)
		p[0], p[1] = 0x80, 101
		binary.BigEndian.PutUint16(p[2:], uint16(60000+i))
		binary.BigEndian.PutUint32(p[4:], at)
		binary.BigEndian.PutUint32(p[8:], 7)
		p[12], p[13] = byte(strings.IndexByte("0123456789*#", key)), 10
		if i >= 5 {
			p[13] |= 0x80
		}
		binary.BigEndian.PutUint16(p[14:], uint16(160*(min(i, 5)+1)))
		_, _ = l.rtp.WriteTo(p, to)
		time.Sleep(20 * time.Millisecond)
	}
}

// loud says whether a loud tone is heard now.
func (l *line) loud() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.level > 0.9
}

// call dials a number and talks.
func (h *house) call(number string) *line {
	h.t.Helper()
	l := h.line()
	l.Call = l.NewCall("sip:" + number + "@" + h.sip.Addr("udp").String())
	l.Establish(l.sdp())
	l.connect(l.Answer_.Body)
	return l
}

// phone registers a desk phone.
func (h *house) phone(code string) *line {
	h.t.Helper()
	return h.phoneAt(net.IPv4(127, 0, 0, 2), code)
}

func (h *house) phoneAt(ip net.IP, code string) *line {
	h.t.Helper()
	l := h.lineAt(ip)
	to := h.sip.Addr("udp").String()
	text := func(seq int, auth string) string {
		return "REGISTER sip:kapok SIP/2.0\nVia: SIP/2.0/UDP {addr};branch={branch}\nMax-Forwards: 70\nFrom: <sip:" + code + "@kapok>;tag=r\nTo: <sip:" + code +
			"@kapok>\nCall-ID: reg-" + code + "\nCSeq: " + fmt.Sprint(seq) + " REGISTER\nContact: <sip:" + code + "@{addr}>\nExpires: 300\n" + auth + "\n"
	}
	l.Send(text(1, ""), "{to}", to)
	m := l.Expect("SIP/2.0 401")
	nonce := between(m.Get("WWW-Authenticate"), `nonce="`, `"`)
	a1, a2 := sum(code+":kapok:"+password), sum("REGISTER:sip:kapok")
	auth := fmt.Sprintf("Authorization: Digest username=\"%s\", realm=\"kapok\", nonce=\"%s\", uri=\"sip:kapok\", algorithm=MD5, qop=auth, nc=00000001, cnonce=\"x\", response=\"%s\"\n",
		code, nonce, sum(a1+":"+nonce+":00000001:x:auth:"+a2))
	l.Send(text(2, auth), "{to}", to)
	l.Expect("SIP/2.0 200")
	return l
}

func sum(s string) string { d := md5.Sum([]byte(s)); return hex.EncodeToString(d[:]) } //nolint:gosec // RFC 2617

func between(s, a, b string) string {
	_, s, _ = strings.Cut(s, a)
	s, _, _ = strings.Cut(s, b)
	return s
}

// offer rings a phone for the newest contact, as routing does; the channel gives how it ended.
func (h *house) offer(ctx context.Context, phone id.Phone, agent id.User) chan error {
	h.t.Helper()
	done := make(chan error, 1)
	c := h.contact()
	go func() {
		done <- h.Connect(ctx, contact.Offer{ID: "1-1", Contact: c, Queue: h.queued(), Endpoint: contact.Endpoint{Agent: agent, Phone: phone}}, func() bool { return true })
	}()
	return done
}

func (h *house) queued() id.Queue {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.queue[len(h.queue)-1]
}

// lift answers the next call to a phone; hang is what hangs up.
func (l *line) lift() siptest.Msg {
	m := l.Expect("INVITE")
	l.Respond(m, 180, "Ringing", "agent", "")
	l.Respond(m, 200, "OK", "agent", l.sdp())
	l.connect(m.Body)
	l.Expect("ACK")
	return m
}

// within sends a request of ours in the dialog of a call that was made to us.
func (l *line) within(invite siptest.Msg, method string, seq int, body string, extra ...string) {
	head := method + " " + invite.ContactURI() + " SIP/2.0\nVia: SIP/2.0/UDP {addr};branch={branch}\nMax-Forwards: 70\nFrom: " + invite.Get("To") + ";tag=agent\nTo: " +
		invite.Get("From") + "\nCall-ID: " + invite.Get("Call-ID") + "\nCSeq: " + fmt.Sprint(seq) + " " + method + "\nContact: <sip:peer@{addr}>\n"
	for _, x := range extra {
		head += x + "\n"
	}
	if body != "" && !strings.Contains(head, "Content-Type") {
		head += "Content-Type: application/sdp\n"
	}
	l.Send(head + "\n" + body)
}

// contact gives the newest contact.
func (h *house) contact() id.Contact {
	h.mu.Lock()
	defer h.mu.Unlock()
	for i := len(h.facts) - 1; i >= 0; i-- {
		if _, ok := h.facts[i].body.(event.ContactStarted); ok {
			return id.Contact(h.facts[i].contact)
		}
	}
	return ""
}

// waits returns when n entries to queues have come.
func (h *house) waits(n int) Waiting {
	h.t.Helper()
	h.until(fmt.Sprint(n, " entries to a queue"), func() bool { h.mu.Lock(); defer h.mu.Unlock(); return len(h.entered) >= n })
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.entered[n-1]
}

func (h *house) until(what string, f func() bool) {
	h.t.Helper()
	for range 3000 { // half a minute: the machine may be busy
		if f() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	h.t.Fatalf("%s did not come about:\n%s", what, h.story())
}

// has returns when the facts of the newest contact hold the kind n times.
func (h *house) has(kind string, n int) {
	h.t.Helper()
	h.until(fmt.Sprint(n, " ", kind), func() bool { return strings.Count(h.story(), kind) >= n })
}

// story gives the facts of the newest contact, by kind, with what matters of some.
func (h *house) story() string {
	c := h.contact()
	h.mu.Lock()
	defer h.mu.Unlock()
	var out []string
	for _, f := range h.facts {
		if f.contact != string(c) {
			continue
		}
		s := f.body.Kind()
		switch b := f.body.(type) {
		case event.ContactStepped:
			s += " " + b.Node + b.Key
		case event.LegStarted:
			s += " " + b.Role
		case event.LegEnded:
			s += " " + b.Role
		case event.ContactEnded:
			s += " " + string(b.By) + " " + string(b.Outcome)
		}
		out = append(out, s)
	}
	return strings.Join(out, "\n")
}

// ends returns when the contact has ended, and checks what must hold of every contact: one start, one end that is its
// last word but recordings, legs that add up, each leg ended once.
func (h *house) ends(by contact.Party, outcome contact.Outcome) {
	h.t.Helper()
	h.has("contact.ended", 1)
	h.until("the call is gone", func() bool { return h.Calls() == 0 })
	time.Sleep(50 * time.Millisecond) // what comes too late comes now
	if s := h.story(); !strings.Contains(s, "contact.ended "+string(by)+" "+string(outcome)) {
		h.t.Errorf("want %s %s:\n%s", by, outcome, s)
	}
	c := h.contact()
	h.mu.Lock()
	defer h.mu.Unlock()
	legs, over := map[id.Leg]time.Time{}, false
	for _, f := range h.facts {
		if f.contact != string(c) {
			continue
		}
		kind := f.body.Kind()
		if over && !strings.HasPrefix(kind, "recording.") {
			h.t.Errorf("%s comes after the end", kind)
		}
		switch b := f.body.(type) {
		case event.LegStarted:
			legs[b.Leg] = f.at
		case event.LegEnded:
			from, ok := legs[b.Leg]
			if !ok {
				h.t.Errorf("leg %s ends without being there", b.Role)
			}
			delete(legs, b.Leg)
			if parts, whole := b.RingMs+b.TalkMs+b.HoldMs, f.at.UnixMilli()-from.UnixMilli(); parts != whole {
				h.t.Errorf("the parts of the %s's leg are %d ms and it lasted %d", b.Role, parts, whole)
			}
		case event.ContactEnded:
			over = true
		}
	}
	if len(legs) > 0 {
		h.t.Errorf("%d legs never ended", len(legs))
	}
}

func (h *house) tells(what string) {
	h.t.Helper()
	h.until("the brain is told "+what, func() bool {
		h.mu.Lock()
		defer h.mu.Unlock()
		return strings.Contains(strings.Join(h.told, "\n")+"\n", what+"\n")
	})
}

// block makes the folder of recordings a file, so that nothing can be written there.
func (h *house) block() {
	h.t.Helper()
	must(h.t, os.WriteFile(filepath.Join(h.deps.Data, "recordings"), nil, 0o600))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
