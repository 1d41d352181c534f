package voice

import (
	"strings"
	"testing"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
)

// outHouse is a house whose agent a1, of Shaoguan, sits at the phone 8001, with a trunk each of the city and the province.
func outHouse(t *testing.T) (h *house, agent, city, prov *line) {
	t.Helper()
	h = province(t, nil)
	agent, city, prov = h.phone("8001"), h.line(), h.line()
	h.agents["a1"] = contact.Endpoint{Agent: "a1", Phone: "8001"}
	ctx := t.Context()
	for code, peer := range map[id.Trunk]*line{"sgct": city, "prov": prov} {
		site := map[id.Trunk]id.Site{"sgct": "sg", "prov": "gd"}[code]
		must(t, trunkTable.Put(ctx, h.deps.DB, string(code), Trunk{
			Code: code, Site: site, Kind: "ip", CallerID: "02012366", OwnIDOnly: code == "prov", Accept: []string{"127.9.9.9/32"}, Peers: []string{peer.Addr.String()},
		}))
	}
	must(t, h.reload(ctx))
	return h, agent, city, prov
}

// result gives the call-out facts of the newest contact, in a line.
func (h *house) result() string {
	c := h.contact()
	h.mu.Lock()
	defer h.mu.Unlock()
	var out []string
	for _, f := range h.facts {
		if f.contact != string(c) {
			continue
		}
		switch b := f.body.(type) {
		case event.CalloutBegun:
			out = append(out, "begun "+b.Number+" "+b.Purpose+"/"+b.Ref)
		case event.CalloutAnswered:
			out = append(out, "answered "+string(b.Trunk)+" "+b.Shown+" "+b.Ref)
		case event.CalloutEnded:
			out = append(out, "ended "+b.Result+" "+b.Ref)
		}
	}
	return strings.Join(out, ", ")
}

// TestRowD4CallOut: an agent's call out rings the agent first, then the person by the trunk of the agent's city with that
// city's number, or by the province's when the city's does not take it; how it went is a fact with what it was for.
func TestRowD4CallOut(t *testing.T) {
	ask := contact.Outcall{Agent: "a1", Number: "0755-8333 0000", Purpose: "missed", Ref: "m1"}
	begun := "begun 075583330000 missed/m1, "
	begin := func(t *testing.T) (h *house, agent, city, prov *line) {
		h, agent, city, prov = outHouse(t)
		c, err := h.CallOut(t.Context(), ask)
		must(t, err)
		if c == "" || c != h.contact() {
			t.Errorf("the call is %q, its contact %q", c, h.contact())
		}
		h.tells("dial a1 1m0s")
		if in := agent.lift(); in.Get("X-Kapok-Kind") != "own" {
			t.Errorf("the agent's phone is told that it rings for %q", in.Get("X-Kapok-Kind"))
		}
		h.tells("taken a1")
		return h, agent, city, prov
	}
	t.Run("answered", func(t *testing.T) {
		h, agent, city, _ := begin(t)
		in := city.Expect("INVITE")
		if from := in.Get("From"); !strings.Contains(from, "sip:075112366@") {
			t.Errorf("the person sees %s", from)
		}
		if to := in.Get("To"); !strings.Contains(to, "sip:075583330000@") {
			t.Errorf("called is %s", to)
		}
		if err := h.Hold(t.Context(), h.contact(), "a1", true); fault.CodeOf(err) != "voice.call.not_yours" {
			t.Errorf("held while nobody is there: %v", err)
		}
		city.Respond(in, 180, "Ringing", "city", "")
		city.Respond(in, 200, "OK", "city", city.sdp())
		city.connect(in.Body)
		city.Expect("ACK")
		h.hear("they talk", agent, city)
		must(t, h.Hold(t.Context(), h.contact(), "a1", true))
		h.hushed("the person hears music", city)
		must(t, h.Hold(t.Context(), h.contact(), "a1", false))
		h.hear("they talk again", agent, city)
		must(t, h.Hangup(t.Context(), h.contact(), "a1"))
		city.Expect("BYE")
		h.tells("done a1")
		h.ends(contact.ByAgent, contact.Answered)
		if got, want := h.result(), begun+"answered sgct 075112366 m1, ended answered m1"; got != want {
			t.Errorf("told is %q, want %q", got, want)
		}
		h.has("recording.stored", 1)
	})
	t.Run("by the province", func(t *testing.T) {
		h, agent, city, prov := begin(t)
		city.Respond(city.Expect("INVITE"), 503, "Service Unavailable", "city", "")
		in := prov.lift()
		if from := in.Get("From"); !strings.Contains(from, "sip:02012366@") {
			t.Errorf("the person sees %s", from)
		}
		h.hear("they talk", agent, prov)
		prov.within(in, "BYE", 2, "")
		h.ends(contact.ByCaller, contact.Answered)
		if got, want := h.result(), begun+"answered prov 02012366 m1, ended answered m1"; got != want {
			t.Errorf("told is %q, want %q", got, want)
		}
	})
	for _, x := range []struct {
		what   string
		code   int
		reason string
		want   string
	}{
		{"busy", 486, "Busy Here", "busy"},
		{"refused", 603, "Decline", "refused"},
		{"no such number", 404, "Not Found", "unreachable"},
	} {
		t.Run(x.what, func(t *testing.T) {
			h, agent, city, _ := begin(t)
			city.Respond(city.Expect("INVITE"), x.code, x.reason, "city", "")
			agent.Expect("BYE")
			h.tells("done a1")
			h.ends(contact.BySystem, contact.Unreached)
			if got := h.result(); got != begun+"ended "+x.want+" m1" {
				t.Errorf("told is %q", got)
			}
		})
	}
	t.Run("the agent gives up", func(t *testing.T) {
		h, _, city, _ := begin(t)
		city.Respond(city.Expect("INVITE"), 180, "Ringing", "city", "")
		must(t, h.Hangup(t.Context(), h.contact(), "a1"))
		city.Expect("CANCEL")
		h.tells("done a1")
		h.ends(contact.ByAgent, contact.Unreached)
		if got := h.result(); got != begun+"ended agent m1" {
			t.Errorf("told is %q", got)
		}
	})
	t.Run("the agent's phone is busy", func(t *testing.T) {
		h, agent, _, _ := outHouse(t)
		_, err := h.CallOut(t.Context(), ask)
		must(t, err)
		agent.Respond(agent.Expect("INVITE"), 486, "Busy Here", "agent", "")
		h.tells("done a1")
		h.ends(contact.ByAgent, contact.Unreached)
		if got := h.result(); got != begun+"ended agent m1" {
			t.Errorf("told is %q", got)
		}
	})
	t.Run("given on", func(t *testing.T) {
		h, _, city, _ := begin(t)
		in := city.lift()
		second := h.phone("8002")
		h.agents["a2"] = contact.Endpoint{Agent: "a2", Phone: "8002"}
		h.has("callout.answered", 1)
		must(t, h.Transfer(t.Context(), h.contact(), "a1", contact.Target{Kind: contact.ToAgent, Code: "a2"}))
		second.lift()
		h.hear("person and second agent talk", city, second)
		city.within(in, "BYE", 2, "")
		h.ends(contact.ByCaller, contact.Answered)
	})
}

// TestRowD4CallOutRefused: rules and rights for calls out hold; who is busy cannot.
func TestRowD4CallOutRefused(t *testing.T) {
	h, _, _, _ := outHouse(t)
	ctx := t.Context()
	rules := []CallRule{
		{Code: "all", Classes: []string{"local", "mobile", "domestic"}, PerHour: 2},
		{Code: "abroad", Right: string(CallAbroad), Classes: []string{"abroad"}, PerHour: 2},
	}
	for _, r := range rules {
		must(t, ruleTable.Put(ctx, h.deps.DB, r.Code, r))
	}
	must(t, h.reload(ctx))
	for _, x := range []struct{ number, code string }{
		{"0085221234567", "voice.callout.class"},
		{"16812345", "voice.callout.class"},
		{"8002", "voice.callout.inside"},
		{"12ab", "voice.callout.number"},
		{"", "voice.callout.number"},
	} {
		if _, err := h.CallOut(ctx, contact.Outcall{Agent: "a1", Number: x.number}); fault.CodeOf(err) != x.code {
			t.Errorf("%q: want %s: %v", x.number, x.code, err)
		}
	}
	h.mu.Lock()
	h.busy = true
	h.mu.Unlock()
	for range 2 { // counted against the hour whether it comes about or not
		if _, err := h.CallOut(ctx, contact.Outcall{Agent: "a1", Number: "13900000137"}); fault.CodeOf(err) != "routing.rejected.no_room" {
			t.Errorf("a busy agent: %v", err)
		}
	}
	if _, err := h.CallOut(ctx, contact.Outcall{Agent: "a1", Number: "13900000137"}); fault.CodeOf(err) != "voice.callout.often" {
		t.Errorf("the third within the hour: %v", err)
	}
	if h.contact() != "" || h.Calls() != 0 {
		t.Error("what is refused leaves a contact")
	}
}
