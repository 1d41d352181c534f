package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"math"
	"net/http"
	"net/http/cookiejar"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/app/demo"
	"github.com/kapok-hotline/kapok/platform/clock"
	"github.com/kapok-hotline/kapok/platform/store"
	"github.com/kapok-hotline/kapok/platform/store/storetest"
	"github.com/kapok-hotline/kapok/sim/callers"
)

// demoHouse opens a house with the demo bureau and nothing running.
func demoHouse(t *testing.T, db string) *House {
	t.Helper()
	h, err := Open(t.Context(), Options{
		Data: t.TempDir(), DB: db, HTTP: "127.0.0.1:0", SIP: []string{"127.0.0.1:0"}, Advertise: netip.MustParseAddr("127.0.0.1"), Log: quiet(), Demo: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// storyPart is a marker for days of the story of which the last is yesterday: the doctor looks back a month.
func storyPart(t *testing.T, h *House, from, until int) *marker {
	t.Helper()
	zone, err := clock.Zone(demoZone)
	if err != nil {
		t.Fatal(err)
	}
	return &marker{
		Demo: markerDemo, Story: storyVersion, Seed: demoSeed, From: from, Until: until, file: filepath.Join(h.o.Data, markerName),
		Last: time.Now().In(zone).AddDate(0, 0, demo.Days-1-until).Format(time.DateOnly),
	}
}

func load(t *testing.T, h *House, ctx context.Context, m *marker, tell func(done, of int)) (demo.Sum, error) { //nolint:revive // ctx is what the test is about
	t.Helper()
	if _, err := h.demoBureau(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(h.identity.Refresh(t.Context()), h.calendar.Reload(t.Context())); err != nil {
		t.Fatal(err)
	}
	return h.loadHistory(ctx, m, tell)
}

func healthy(t *testing.T, h *House) {
	t.Helper()
	for _, f := range h.ledger.Check(t.Context()) {
		if f.Err != nil {
			t.Errorf("%s: %v", f.Name, f.Err)
		}
		for i, b := range f.Breaches {
			if i < 5 {
				t.Errorf("%s: %s %v", f.Name, b.Subject, b.Params)
			}
		}
	}
}

// reported reads what the reports say of all days.
func reported(t *testing.T, h *House) (s demo.Sum) {
	t.Helper()
	row, err := store.One(t.Context(), h.db, `SELECT SUM(entered), SUM(answered) FROM report_queue WHERE slot >= 0`, func(r store.Scanner) (v [2]int, err error) {
		return v, r.Scan(&v[0], &v[1])
	})
	if err != nil {
		t.Fatal(err)
	}
	n, err := store.One(t.Context(), h.db, `SELECT COUNT(*) FROM report_contact`, store.Col[int])
	if err != nil {
		t.Fatal(err)
	}
	return demo.Sum{Contacts: n, Entered: row[0], Answered: row[1]}
}

// TestHistory: ten days of the worst part on both databases; the reports say what was played, and every law holds.
func TestHistory(t *testing.T) {
	for name, address := range map[string]func(testing.TB) string{"sqlite": func(testing.TB) string { return "" }, "postgres": storetest.PostgresAddress} {
		t.Run(name, func(t *testing.T) {
			h := demoHouse(t, address(t))
			defer h.close()
			m := storyPart(t, h, 60, 70)
			var lines []int
			sum, err := load(t, h, t.Context(), m, func(done, of int) { lines = append(lines, 100*done/of) })
			if err != nil {
				t.Fatal(err)
			}
			if !slices.IsSorted(lines) || len(lines) != 10 || lines[9] != 100 {
				t.Errorf("progress: %v", lines)
			}
			if got := reported(t, h); got != sum {
				t.Errorf("reports say %+v, played were %+v", got, sum)
			}
			if math.Abs(sum.Rate()-.31) > .05 || sum.Contacts < 800 {
				t.Errorf("%+v: %.3f answered, want about .31", sum, sum.Rate())
			}
			people, err := store.One(t.Context(), h.db, `SELECT COUNT(*) FROM customer_person`, store.Col[int])
			if err != nil || people < 50 {
				t.Errorf("%d people known, %v", people, err)
			}
			healthy(t, h)
		})
	}
}

// TestHistoryGoesOn: a loading that is broken off goes on, and no fact is there twice.
func TestHistoryGoesOn(t *testing.T) {
	whole := demoHouse(t, "")
	defer whole.close()
	want, err := load(t, whole, t.Context(), storyPart(t, whole, 60, 80), func(int, int) {})
	if err != nil {
		t.Fatal(err)
	}
	h := demoHouse(t, "")
	defer h.close()
	m := storyPart(t, h, 60, 80)
	if err := m.write(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	if _, err := load(t, h, ctx, m, func(done, _ int) {
		if done == 17 {
			cancel()
		}
	}); err == nil {
		t.Fatal("the loading was not broken off")
	}
	m, err = readMarker(h.o.Data)
	if err != nil || m.Loaded || m.Done != 70 {
		t.Fatalf("the marker says %+v, %v", m, err)
	}
	if _, err := h.loadHistory(t.Context(), m, func(int, int) {}); err != nil || !m.Loaded {
		t.Fatal(err)
	}
	if got := reported(t, h); got != want || got != reported(t, whole) {
		t.Errorf("in two goes %+v, in one %+v", got, want)
	}
	healthy(t, h)
}

// TestDemoFolder: only what a demo made is ever emptied or filled.
func TestDemoFolder(t *testing.T) {
	now := time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)
	data := filepath.Join(t.TempDir(), "demo")
	o := demoOptions{days: demo.Days}
	o.cfg.Data = data
	m, err := demoFolder(o, now)
	if err != nil || m.Last != "2026-11-23" || m.Loaded {
		t.Fatalf("%+v, %v", m, err)
	}
	m.Done, m.Bureau = 20, true
	if err := errors.Join(m.write(), os.WriteFile(filepath.Join(data, "kapok.db"), []byte("x"), 0o600)); err != nil {
		t.Fatal(err)
	}
	if m, err = demoFolder(o, now); err != nil || m.Done != 20 {
		t.Fatalf("a second start: %+v, %v", m, err)
	}
	o.fresh = true
	if m, err = demoFolder(o, now); err != nil || m.Done != 0 {
		t.Fatalf("a fresh start: %+v, %v", m, err)
	}
	if _, err := os.Stat(filepath.Join(data, "kapok.db")); err == nil {
		t.Error("--fresh left the database")
	}
	o.cfg.DB = "postgres://elsewhere"
	if _, err := demoFolder(o, now); err == nil {
		t.Error("--fresh took a database elsewhere for the folder's")
	}
	foreign := t.TempDir()
	if err := os.WriteFile(filepath.Join(foreign, "letter.txt"), []byte("dear"), 0o600); err != nil {
		t.Fatal(err)
	}
	o.cfg.Data, o.cfg.DB = foreign, ""
	if _, err := demoFolder(o, now); err == nil {
		t.Error("a folder of somebody else's was taken")
	}
	if _, err := os.Stat(filepath.Join(foreign, "letter.txt")); err != nil {
		t.Error("and emptied")
	}
}

func TestDemoFlags(t *testing.T) {
	o, err := demoFlags([]string{"--speed", "3", "--http", "127.0.0.1:9", "--callers=false", "--fresh", "--agents=4", "--days", "0"})
	if err != nil || o.speed != 3 || o.callers || !o.fresh || o.agents != 4 || o.days != 0 || o.cfg.HTTP != "127.0.0.1:9" || o.cfg.Data != demoData {
		t.Errorf("%+v, %v", o, err)
	}
	for _, bad := range [][]string{{"--speed", "0"}, {"--agents", "34"}, {"--days", "151"}, {"--speed"}, {"--spped", "2"}, {"extra"}, {"--http", "off"}} {
		if _, err := demoFlags(bad); err == nil {
			t.Errorf("%v was taken", bad)
		}
	}
}

// TestTown: callers with key presses reach simulated agents, some give up and redial, and the books are right.
func TestTown(t *testing.T) {
	h := demoHouse(t, "")
	m := storyPart(t, h, 149, 150)
	phones, err := h.demoBureau(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ready, done := make(chan struct{}), make(chan error, 1)
	go func() { done <- h.Run(ctx, func() { close(ready) }) }()
	defer func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}()
	select {
	case <-ready:
	case <-time.After(30 * time.Second):
		t.Fatal("the house did not come up")
	}
	town, err := h.town(demoOptions{agents: 6, speed: 15}, phones)
	if err != nil {
		t.Fatal(err)
	}
	visit, leave := context.WithTimeout(ctx, 2*time.Minute)
	defer leave()
	left := make(chan error, 1)
	go func() { left <- town.Run(visit) }()
	var s callers.Stats
	for end := time.Now().Add(110 * time.Second); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		if s = town.Stats(); s.Answered >= 20 && s.GaveUp > 0 && s.Redialled > 0 {
			break
		}
	}
	leave()
	if err := <-left; err != nil {
		t.Error(err)
	}
	t.Logf("%+v", s)
	if s.Answered < 20 || s.GaveUp == 0 || s.Redialled == 0 {
		t.Errorf("%+v: want 20 answered, some given up, some redialled", s)
	}
	if n := town.Stats(); n.Calling != 0 || n.Talking != 0 || n.Seated != 0 {
		t.Errorf("left behind: %+v", n)
	}
	settle(t, h)
	healthy(t, h)
	counts := map[string]int{}
	for _, q := range []string{"wrapup.saved", "leg.held", "contact.abandoned", "contact.answered"} {
		counts[q], err = store.One(t.Context(), h.db, `SELECT COUNT(*) FROM ledger_fact WHERE kind = ?`, store.Col[int], q)
		if err != nil {
			t.Fatal(err)
		}
	}
	keys, err := store.One(t.Context(), h.db, `SELECT COUNT(*) FROM ledger_fact WHERE kind = 'contact.stepped' AND body LIKE '%"key":"1"%'`, store.Col[int])
	const crossed = 2 // calls a robot lifted in the moment the caller hung up: to the house they were given up
	if err != nil || keys == 0 || counts["wrapup.saved"] == 0 || int64(counts["contact.answered"]) < s.Answered-crossed {
		t.Errorf("%d keys, facts %v, %v", keys, counts, err)
	}
}

// settle waits until the last call has ended and its facts are written.
func settle(t *testing.T, h *House) {
	t.Helper()
	for range 100 {
		waiting, _ := h.journal.Waiting()
		if waiting == 0 && h.voice.Calls() == 0 {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Error("calls or facts are left over")
}

// screen is what a terminal would show.
type screen struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// TestDemo: the command comes up, says where it is, and the wallboard moves: on a machine with nothing else to do within ten seconds.
func TestDemo(t *testing.T) {
	t.Setenv("LC_ALL", "en_GB.UTF-8")
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	out, errs, code := &screen{}, &screen{}, make(chan int, 1)
	args := []string{
		"demo", "--days", "3", "--agents", "8", "--speed", "4", "--data", filepath.Join(t.TempDir(), "demo"), "--http", "127.0.0.1:0", "--https", "127.0.0.1:0",
		"--sip", "127.0.0.1:0", "--sips", "off", "--webrtc-port", freeUDP(), "--advertise-ip", "127.0.0.1",
	}
	go func() { code <- Main(ctx, args, strings.NewReader(""), out, errs) }()
	base := ""
	for range 600 {
		if m := regexp.MustCompile(`http://\S+`).FindString(out.String()); m != "" && strings.Contains(out.String(), "Ctrl-C") {
			base = m
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	if base == "" {
		t.Fatalf("no prompt: %s %s", out, errs)
	}
	for _, want := range []string{"history of", "leader1", "manager", "admin", "1001"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the prompt does not name %q:\n%s", want, out)
		}
	}
	if moved := moves(t, base, time.Minute); !moved {
		t.Errorf("the wallboard stands still: %s", errs)
	}
	cancel()
	select {
	case c := <-code:
		if c != 0 {
			t.Errorf("exit status %d: %s", c, errs)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("the demo does not end")
	}
	if strings.Contains(errs.String(), "level=ERROR") {
		t.Log(errs)
	}
}

// moves says whether anybody enters a queue within the time.
func moves(t *testing.T, base string, within time.Duration) bool {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	c := &http.Client{Jar: jar, Timeout: 5 * time.Second}
	in, err := c.Post(base+"/api/v1/demo/login", "application/json", strings.NewReader(`{"user":"leader1"}`))
	if err != nil || in.StatusCode >= 300 {
		t.Fatal(in, err)
	}
	_ = in.Body.Close()
	for end := time.Now().Add(within); time.Now().Before(end); time.Sleep(250 * time.Millisecond) {
		resp, err := c.Get(base + "/api/v1/wallboard")
		if err != nil {
			t.Fatal(err)
		}
		var w struct{ Queues []struct{ Entered int } }
		text, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err := errors.Join(err, json.Unmarshal(text, &w)); err != nil {
			t.Fatal(err)
		}
		for _, q := range w.Queues {
			if q.Entered > 0 {
				return true
			}
		}
	}
	return false
}
