package voice

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/core/span"
	"github.com/kapok-hotline/kapok/engine/flow"
	"github.com/kapok-hotline/kapok/platform/store"
)

// memory is what callers keyed in before.
type memory map[string]string

func (m memory) CityOf(_ context.Context, caller string, _ time.Time) (string, error) {
	return m[caller], nil
}

func testAtlas() *atlas {
	a := &atlas{cities: map[string]City{}, areas: map[string]string{}, segments: map[string]string{"139": "guangzhou", "1390000": "shaoguan"}, longest: 7, area: defaultArea()}
	for _, c := range []City{
		{Code: "guangzhou", Area: "020", Site: "gz"},
		{Code: "shaoguan", Area: "0751", Site: "sg", Queues: map[string]string{"vat": "iit"}},
		{Code: "chaozhou", Area: "0768", Site: "cz", Queues: map[string]string{"vat": "iit"}},
		{Code: "shenzhen", Area: "0755", Away: true},
	} {
		a.cities[c.Code], a.areas[c.Area] = c, c.Code
	}
	return a
}

func TestPlaceOf(t *testing.T) {
	m := &Module{life: t.Context(), deps: Deps{Cities: memory{"013911110000": "shaoguan", "02083330000": "shaoguan", "013922220000": "gone"}}}
	m.deps.Clock = newHouse(t).deps.Clock
	for _, c := range []struct{ caller, city, how string }{
		{"02083330000", "guangzhou", "area"}, // a fixed line is where it is, whatever was keyed in on it
		{"07518333000", "shaoguan", "area"},
		{"07558333000", "shenzhen away", "area"},
		{"01065000000", " away", "area"},
		{"0085221234567", " away", "area"},
		{"013911110000", "shaoguan", "remembered"}, // its segment is Guangzhou's
		{"013922220000", "guangzhou", "segment"},   // the city remembered is no more
		{"013900001234", "shaoguan", "segment"},    // the longest beginning holds
		{"013900011234", "guangzhou", "segment"},
		{"018800000000", "", ""},
		{"", "", ""},
		{"12366", "", ""},
	} {
		p := m.placeOf(testAtlas(), c.caller)
		got := p.city.Code
		if p.away {
			got += " away"
		}
		if got != c.city || p.how != c.how {
			t.Errorf("%q belongs to %q by %q, want %q by %q", c.caller, got, p.how, c.city, c.how)
		}
	}
	var none *atlas
	if p := m.placeOf(none, "02083330000"); p.how != "" || p.away {
		t.Errorf("without cities: %+v", p)
	}
}

// callFrom is a call of a number.
func (h *house) callFrom(caller, number string) *line {
	h.t.Helper()
	l := h.line()
	l.Call = l.NewCall("sip:" + number + "@" + h.sip.Addr("udp").String())
	l.Call.From = strings.Replace(l.Call.From, "sip:", "sip:"+caller+"-", 1)
	l.SendInvite(l.sdp(), "P-Asserted-Identity: <sip:"+caller+"@carrier>")
	m := l.Expect("SIP/2.0 200")
	l.Answered(m)
	l.connect(m.Body)
	l.Ack("")
	return l
}

// cityHouse has the cities of testAtlas behind the number 12360.
func cityHouse(t *testing.T) *house {
	t.Helper()
	h := newHouse(t)
	ctx, db := t.Context(), h.deps.DB
	a := testAtlas()
	for _, c := range a.cities {
		c.Name, c.Greeting = c.Code, "beep"
		must(t, cityTable.Put(ctx, db, c.Code, c))
	}
	must(t, segmentTable.Put(ctx, db, "139", Segment{Code: "139", City: "guangzhou"}))
	must(t, areaTable.Put(ctx, db, "area", Area{Elsewhere: "beep", RememberDays: 365}))
	none, second := 0, span.Span(time.Second)
	g := flow.Graph{Code: "province", Start: "city", Nodes: []flow.Node{
		{ID: "city", Kind: flow.CityKind, Next: "q", Elsewhere: "away", Unknown: "ask"},
		{ID: "ask", Kind: flow.GatherKind, Prompts: []string{"beep"}, Var: "code", Min: 2, Max: 4, First: 3 * second, Inter: second, Retries: &none, Check: flow.AreaCode, Next: "keyed", Timeout: "q", Invalid: "q"},
		{ID: "keyed", Kind: flow.CityKind, Var: "code", Next: "q", Elsewhere: "away", Unknown: "q"},
		{ID: "q", Kind: flow.QueueKind, Queue: "vat", ByCity: true},
		{ID: "away", Kind: flow.HangupKind},
	}}
	body, err := json.Marshal(g)
	must(t, err)
	_, err = store.Exec(ctx, db, `INSERT INTO voice_flow (code, version, at, body) VALUES ('province', 1, 0, ?)`, string(body))
	must(t, err)
	must(t, numberTable.Put(ctx, db, "12360", Number{Code: "12360", Site: "gd", Flow: "province"}))
	must(t, h.reload(ctx))
	return h
}

// located gives the newest city fact as text.
func (h *house) located() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	out := ""
	for _, f := range h.facts {
		if b, ok := f.body.(event.ContactLocated); ok {
			out = strings.Join(strings.Fields(fmt.Sprintf("%s %s %s %s", b.City, b.Site, b.Area, b.How)), " ")
		}
	}
	return out
}

func TestCallsFindTheirCity(t *testing.T) {
	h := cityHouse(t)
	for i, c := range []struct {
		caller string
		site   id.Site
		queue  id.Queue
		want   string
	}{
		{"02083330000", "gz", "vat", "guangzhou gz 020 area"},
		{"07518333000", "sg", "iit", "shaoguan sg 0751 area"}, // has its own queue in place of vat
		{"13900000137", "gz", "vat", "guangzhou gz 020 segment"},
	} {
		h.callFrom(c.caller, "12360")
		w := h.waits(i + 1)
		if w.Site != c.site || h.queued() != c.queue || h.located() != c.want {
			t.Errorf("%s waits at %s in %s, located %q; want %s, %s, %q", c.caller, w.Site, h.queued(), h.located(), c.site, c.queue, c.want)
		}
	}
}

func TestCallsFromElsewhere(t *testing.T) {
	for caller, want := range map[string]string{"07558333000": "shenzhen 0755 area", "01065000000": "010 area"} {
		h := cityHouse(t)
		l := h.callFrom(caller, "12360")
		l.Expect("BYE")
		h.ends(contact.BySystem, contact.Turned)
		if got := h.located(); got != want {
			t.Errorf("%s: %q, want %q", caller, got, want)
		}
	}
}

// Who is not known keys in an area code; the cities may change meanwhile, and the call keeps those it began with.
func TestCallKeysItsCity(t *testing.T) {
	h := cityHouse(t)
	l := h.callFrom("18800000000", "12360")
	h.has("contact.stepped ask", 1)
	must(t, cityTable.Put(t.Context(), h.deps.DB, "chaozhou", City{Code: "chaozhou", Name: "x", Area: "0768", Site: "elsewhere"}))
	must(t, h.reload(t.Context()))
	time.Sleep(300 * time.Millisecond)
	for _, k := range "0768" {
		l.Request("INFO", "Signal="+string(k)+"\r\nDuration=160\r\n", "Content-Type: application/dtmf-relay")
		l.Expect("SIP/2.0 200")
	}
	w := h.waits(1)
	if w.Site != "cz" || h.queued() != "iit" || h.located() != "chaozhou cz 0768 keyed" {
		t.Errorf("waits at %s in %s, located %q", w.Site, h.queued(), h.located())
	}
	h.callFrom("07688333000", "12360") // a new call goes the new way at once
	if w := h.waits(2); w.Site != "elsewhere" || h.queued() != "vat" {
		t.Errorf("after the change: at %s in %s", w.Site, h.queued())
	}
}

func TestSilentCallerOfNoCity(t *testing.T) {
	h := cityHouse(t)
	h.callFrom("18800000000", "12360")
	if w := h.waits(1); w.Site != "gd" || h.queued() != "vat" || h.located() != "" {
		t.Errorf("waits at %s in %s, located %q; the province takes who is of no city", w.Site, h.queued(), h.located())
	}
}
