package voice

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/section"
	"github.com/kapok-hotline/kapok/platform/sip"
	"github.com/kapok-hotline/kapok/platform/sip/siptest"
)

const branchMobile = "13900000001"

// mobileHouse is outHouse with a phone m1 of Shaoguan that is a mobile, and m2, which asks for the PIN 2468 and shows the
// caller; a caller waits for an agent.
func mobileHouse(t *testing.T) (h *house, caller, city, prov *line) {
	t.Helper()
	h, _, city, prov = outHouse(t)
	d := digests("m2", "kapok", "2468")
	for _, p := range []phoneRow{
		{Phone: Phone{Code: "m1", Site: "sg", Number: branchMobile}},
		{Phone: Phone{Code: "m2", Site: "sg", Number: branchMobile, Pin: true, ShowCaller: true}, MD5: d[sip.MD5]},
	} {
		must(t, phoneTable.Put(t.Context(), h.deps.DB, string(p.Code), p))
	}
	must(t, h.reload(t.Context()))
	caller = h.callFrom("02083331111", "12367")
	h.waits(1)
	return h, caller, city, prov
}

// pick answers the call to the mobile, and speaks and hears there; nobody has been let in yet.
func (h *house) pick(mobile *line) siptest.Msg {
	h.t.Helper()
	in := mobile.lift()
	h.until("the question for a key is heard", func() bool { mobile.mu.Lock(); defer mobile.mu.Unlock(); return mobile.heard > 5 })
	if s := h.story(); strings.Contains(s, "leg.answered\nleg.answered") {
		h.t.Errorf("who lifted the phone has the caller without a key:\n%s", s)
	}
	return in
}

// TestRowA4Mobile: a branch agent's line may be a mobile. It is called by the trunk of the branch's city, under the
// city's number; who answers takes the call by pressing 1; from then on it is a talk like any other.
func TestRowA4Mobile(t *testing.T) {
	h, caller, city, _ := mobileHouse(t)
	done := h.offer(t.Context(), "m1", "a1")
	in := city.Expect("INVITE sip:" + branchMobile)
	if from := in.Get("From"); !strings.Contains(from, "sip:075112366@") {
		t.Errorf("the mobile is shown %s", from)
	}
	city.Respond(in, 180, "Ringing", "agent", "")
	city.Respond(in, 200, "OK", "agent", city.sdp())
	city.connect(in.Body)
	city.Expect("ACK")
	h.until("the question for a key is heard", func() bool { city.mu.Lock(); defer city.mu.Unlock(); return city.heard > 5 })
	if caller.loud() {
		t.Error("the caller hears whoever lifted the phone before the key")
	}
	for _, key := range []byte("73") { // mean nothing
		city.press(key)
	}
	select {
	case err := <-done:
		t.Fatalf("taken by a wrong key: %v", err)
	default:
	}
	city.press('1')
	must(t, <-done)
	h.until("they hear each other", func() bool { return caller.loud() && city.loud() })
	ctx, c := t.Context(), h.contact()
	must(t, h.Hold(ctx, c, "a1", true))
	h.until("the caller hears music", func() bool { return !caller.loud() })
	must(t, h.Hold(ctx, c, "a1", false))
	h.until("they talk again", caller.loud)
	h.mu.Lock()
	var leg event.LegStarted
	for _, f := range h.facts {
		if b, ok := f.body.(event.LegStarted); ok && b.Role == "agent" {
			leg = b
		}
	}
	h.mu.Unlock()
	if leg.Agent != "a1" || leg.Queue != "vat" || leg.Peer != "m1" {
		t.Errorf("the agent's leg is told as %+v", leg)
	}
	city.within(in, "BYE", 2, "")
	caller.Expect("BYE")
	h.ends(contact.ByAgent, contact.Answered)
	h.tells("done a1")
}

// TestRowA4MobileKeys: what may happen at a mobile that rings; the caller waits on where nobody took the call.
func TestRowA4MobileKeys(t *testing.T) {
	for _, c := range []struct {
		what  string
		phone id.Phone
		does  func(h *house, l *line)
		want  string // the fault, "" for a talk
	}{
		{"2 declines", "m1", func(h *house, l *line) { h.pick(l); l.press('2') }, "contact.refused"},
		{"hanging up declines", "m1", func(h *house, l *line) { in := h.pick(l); l.within(in, "BYE", 2, "") }, "contact.refused"},
		{"the agent declines at the desk", "m1", func(h *house, l *line) { h.pick(l); must(h.t, h.Hangup(h.t.Context(), h.contact(), "a1")) }, "contact.refused"},
		{"it is busy", "m1", func(_ *house, l *line) { l.Respond(l.Expect("INVITE"), 486, "Busy Here", "agent", "") }, "contact.busy"},
		{"an answering machine speaks and presses nothing", "m1", func(h *house, l *line) { h.pick(l) }, "missed"},
		{"nobody answers", "m1", func(_ *house, l *line) { l.Respond(l.Expect("INVITE"), 180, "Ringing", "agent", "") }, "missed"},
		{"the PIN takes it", "m2", func(h *house, l *line) { h.pick(l); keys(l, "2468") }, ""},
		{"the PIN after a slip", "m2", func(h *house, l *line) { h.pick(l); keys(l, "13#2468") }, ""},
		{"1 is no PIN", "m2", func(h *house, l *line) { h.pick(l); keys(l, "1#1#1#") }, "contact.refused"},
		{"a star declines where a PIN is asked for", "m2", func(h *house, l *line) { h.pick(l); keys(l, "2*") }, "contact.refused"},
	} {
		t.Run(c.what, func(t *testing.T) {
			h, caller, city, _ := mobileHouse(t)
			missed := fault.New(fault.Unavailable, "missed")
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			done := h.offer(ctx, c.phone, "a1")
			c.does(h, city)
			if c.want == "missed" {
				h.has("leg.started agent", 1)
				cancel(missed)
			}
			if err := <-done; fault.CodeOf(err) != c.want || c.want == "" && err != nil {
				t.Fatalf("the offer ended with %v", err)
			}
			if c.want == "" {
				h.until("they hear each other", func() bool { return caller.loud() && city.loud() })
			} else if h.find(h.contact()) == nil || strings.Contains(h.story(), "leg.ended caller") {
				t.Fatalf("the caller is gone:\n%s", h.story())
			}
			caller.Request("BYE", "")
			outcome := contact.Abandoned
			if c.want == "" {
				outcome = contact.Answered
			}
			h.ends(contact.ByCaller, outcome)
		})
	}
}

func keys(l *line, s string) {
	for _, k := range []byte(s) {
		l.press(k)
	}
}

// TestRowA4MobileShown: the phone is shown the city's number, or the caller's where it is set so and the carrier passes
// it on; who calls to tip off is shown to no carrier.
func TestRowA4MobileShown(t *testing.T) {
	for _, c := range []struct {
		what, phone string
		province    bool // the city's trunk is out of order
		secret      bool
		want        string
	}{
		{"the city's number", "m1", false, false, "075112366"},
		{"the caller's number", "m2", false, false, "02083331111"},
		{"the province passes on its own alone", "m2", true, false, "02012366"},
		{"a tip-off stays unseen", "m2", false, true, "075112366"},
	} {
		t.Run(c.what, func(t *testing.T) {
			h, caller, city, prov := mobileHouse(t)
			if c.secret {
				must(t, numberTable.Put(t.Context(), h.deps.DB, "12367", Number{Code: "12367", Site: "gz", Flow: "straight", Secret: true}))
				must(t, h.reload(t.Context()))
			}
			done := h.offer(t.Context(), id.Phone(c.phone), "a1")
			at := city
			if c.province {
				city.Respond(city.Expect("INVITE"), 503, "Service Unavailable", "x", "")
				at = prov
			}
			in := at.Expect("INVITE")
			if from := in.Get("From"); !strings.Contains(from, "sip:"+c.want+"@") {
				t.Errorf("shown is %s, want %s", from, c.want)
			}
			at.Respond(in, 486, "Busy Here", "agent", "")
			if err := <-done; fault.CodeOf(err) != "contact.busy" {
				t.Errorf("the offer ended with %v", err)
			}
			caller.Request("BYE", "")
			h.ends(contact.ByCaller, contact.Abandoned)
		})
	}
}

// TestRowA4MobileTrunk: when the trunks to the mobiles break without a word, that is seen within 5 s and their agents are
// rung no more; when one is back, so are they.
func TestRowA4MobileTrunk(t *testing.T) {
	h := province(t, nil)
	city, prov := h.line(), h.line()
	var dead, asked atomic.Int64
	for _, l := range []*line{city, prov} {
		l.SetAuto(func(m siptest.Msg) string {
			if !strings.HasPrefix(m.Start, "OPTIONS") || dead.Load() != 0 {
				return ""
			}
			asked.Add(1)
			return l.Reply(m, 200, "OK", "trunk", "")
		})
	}
	ctx, db := t.Context(), h.deps.DB
	for code, peer := range map[id.Trunk]*line{"sgct": city, "prov": prov} {
		site := map[id.Trunk]id.Site{"sgct": "sg", "prov": "gd"}[code]
		must(t, trunkTable.Put(ctx, db, string(code), Trunk{Code: code, Site: site, Kind: "ip", Peers: []string{peer.Addr.String()}, OptionsS: 600}))
	}
	must(t, phoneTable.Put(ctx, db, "m1", phoneRow{Phone: Phone{Code: "m1", Site: "sg", Number: branchMobile}}))
	must(t, h.reload(ctx))
	at := contact.Endpoint{Agent: "a1", Phone: "m1"}
	h.tells("endpoint m1 true")
	h.until("the trunks are asked", func() bool { return asked.Load() >= 4 })
	if !h.Registered(at) {
		t.Fatal("the mobile cannot be rung")
	}
	dead.Store(1)
	h.tells("endpoint m1 false")
	if h.Registered(at) {
		t.Error("a mobile that no trunk leads to is rung")
	}
	dead.Store(0)
	h.until("it is back", func() bool { return h.Registered(at) })
	h.until("and told so", func() bool {
		h.mu.Lock()
		defer h.mu.Unlock()
		return strings.Count(strings.Join(h.told, "\n"), "endpoint m1 true") == 2
	})
	if worst := 2 * (carrierEvery + lineWithin); worst >= 5*time.Second {
		t.Errorf("a break may stay unseen for %v", worst)
	}
	must(t, phoneTable.Drop(ctx, db, "m1"))
	must(t, h.reload(ctx))
	h.until("it is no phone any more", func() bool {
		h.mu.Lock()
		defer h.mu.Unlock()
		return strings.Count(strings.Join(h.told, "\n"), "endpoint m1 false") == 2
	})
}

// TestRowA4MobileRules: the rules for calls out hold for agents' own phones outside: whom they forbid to call at this
// hour, or such a number, is not rung there; and calls brought to an agent count as none of theirs.
func TestRowA4MobileRules(t *testing.T) {
	h, _, city, _ := mobileHouse(t)
	at := contact.Endpoint{Agent: "a1", Phone: "m1"}
	if !h.Registered(at) || !h.Outside(at) || h.Outside(contact.Endpoint{Agent: "a1", Phone: "8001"}) {
		t.Fatal("the mobile cannot be rung, or is not known for one")
	}
	must(t, ruleTable.Put(t.Context(), h.deps.DB, "one", CallRule{Code: "one", Classes: []string{"mobile"}, PerHour: 1}))
	must(t, h.reload(t.Context()))
	for range 2 {
		done := h.offer(t.Context(), "m1", "a1")
		city.Respond(city.Expect("INVITE"), 486, "Busy Here", "agent", "")
		if err := <-done; fault.CodeOf(err) != "contact.busy" {
			t.Fatalf("an offer ended with %v", err)
		}
	}
	must(t, ruleTable.Put(t.Context(), h.deps.DB, "one", CallRule{Code: "one", Classes: []string{"service", "local"}}))
	must(t, h.reload(t.Context()))
	if h.Registered(at) {
		t.Error("an agent is rung at a number the rules forbid")
	}
	if err := <-h.offer(t.Context(), "m1", "a1"); fault.CodeOf(err) != "voice.callout.class" {
		t.Errorf("an offer against the rules ended with %v", err)
	}
}

// TestRowA4MobileAsked: a mobile's agent is asked and given calls as every other, and who is on a mobile asks from the
// desk; an outside phone is no line to register with.
func TestRowA4MobileAsked(t *testing.T) {
	h, _, city, _ := mobileHouse(t)
	h.agents["a2"] = contact.Endpoint{Agent: "a2", Phone: "m1"}
	phone := h.phone("8002")
	done := h.offer(t.Context(), "8002", "a3")
	phone.lift()
	must(t, <-done)
	must(t, h.Consult(t.Context(), h.contact(), "a3", contact.Target{Kind: contact.ToAgent, Code: "a2"}, false))
	h.pick(city)
	city.press('1')
	h.tells("taken a2")
	h.until("the two agents hear each other", func() bool { return city.loud() && phone.loud() })
	must(t, h.ConsultComplete(t.Context(), h.contact(), "a3"))
	h.tells("done a3")
	if _, ok := h.credentials(t.Context(), "m2", "kapok"); ok {
		t.Error("a PIN is a password to register with")
	}
}

func TestCheckPhone(t *testing.T) {
	codes := listed{of: map[string][]string{"numbers": {"12366"}, "phones": {"8001"}}}
	for _, c := range []struct {
		p    Phone
		want string
	}{
		{Phone{Number: branchMobile}, ""},
		{Phone{Password: "Talking-Tree"}, ""},
		{Phone{Number: branchMobile, Pin: true, Password: "2468"}, ""},
		{Phone{Number: "one-two"}, "number voice.phone.number"},
		{Phone{Number: "12366"}, "number voice.phone.number"},
		{Phone{Number: "8001"}, "number voice.phone.number"},
		{Phone{Number: branchMobile, Password: "246"}, "password voice.phone.pin"},
		{Phone{Number: branchMobile, Password: "24a8"}, "password voice.phone.pin"},
	} {
		got := ""
		for _, p := range checkPhone(codes, c.p) {
			got += p.Path + " " + p.Code
		}
		if got != c.want {
			t.Errorf("%+v: %q, want %q", c.p, got, c.want)
		}
	}
}

// listed is a configuration that knows nothing but codes.
type listed struct {
	section.Lookup
	of map[string][]string
}

func (l listed) Codes(s string) []string { return l.of[s] }
