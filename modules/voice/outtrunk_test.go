package voice

import (
	"strings"
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/core/right"
)

// tree is a province of sites, and who holds what.
type tree struct {
	parent map[id.Site]id.Site
	site   map[id.User]id.Site
	rights map[id.User]right.Right
}

func (t tree) Up(s id.Site) []id.Site {
	out := []id.Site{s}
	for t.parent[s] != "" {
		s = t.parent[s]
		out = append(out, s)
	}
	return out
}
func (t tree) SiteOf(u id.User) id.Site { return t.site[u] }
func (t tree) Holds(u id.User, r right.Right, _ id.Site) bool {
	return t.rights[u] == r
}

// province lays out gd › (gz › gz-east, sg) with a trunk each for gd and sg, and one of zh that nobody else uses.
func province(t *testing.T, peers map[id.Trunk]string) *house {
	t.Helper()
	h := newHouse(t)
	sites := tree{parent: map[id.Site]id.Site{"gz": "gd", "sg": "gd", "zh": "gd", "gz-east": "gz"}, site: map[id.User]id.Site{"a1": "sg"}}
	h.deps.Sites, h.deps.Staff = sites, sites
	db, ctx := h.deps.DB, t.Context()
	must(t, trunkTable.Drop(ctx, db, "ct"))
	for _, x := range []Trunk{
		{Code: "in", Site: "gd", Accept: []string{"127.0.0.1/32"}},
		{Code: "prov", Site: "gd", CallerID: "02012366", OwnIDOnly: true},
		{Code: "sgct", Site: "sg", CallerID: "07510000000"},
		{Code: "zhct", Site: "zh"},
	} {
		x.Kind, x.Accept = "ip", append(x.Accept, "127.9.9.9/32")
		if p := peers[x.Code]; p != "" {
			x.Peers = []string{p}
		}
		must(t, trunkTable.Put(ctx, db, string(x.Code), x))
	}
	for _, c := range []City{
		{Code: "shaoguan", Name: "韶关", Area: "0751", Site: "sg", Trunk: "sgct", CallerID: "075112366"},
		{Code: "guangzhou", Name: "广州", Area: "020", Site: "gz"},
		{Code: "shenzhen", Name: "深圳", Area: "0755", Away: true, Site: "gd"},
	} {
		must(t, cityTable.Put(ctx, db, c.Code, c))
	}
	must(t, h.reload(ctx))
	return h
}

func TestOutTrunk(t *testing.T) {
	h := province(t, map[id.Trunk]string{"prov": "127.0.0.1:5", "sgct": "127.0.0.1:6", "zhct": "127.0.0.1:7"})
	for site, want := range map[id.Site]string{
		"sg":      "sgct 075112366, prov 02012366", // the carrier of the province passes on its own number only
		"gz-east": "prov 02012366",
		"gd":      "prov 02012366",
		"zh":      "zhct , prov 02012366",
		"nowhere": "prov 02012366, sgct 07510000000, zhct ",
	} {
		var got []string
		for _, w := range h.outTrunk(site) {
			got = append(got, string(w.trunk)+" "+w.shown)
		}
		if strings.Join(got, ", ") != want {
			t.Errorf("calls out of %s leave by %q, want %q", site, strings.Join(got, ", "), want)
		}
	}
}

// A transfer to an outside number from a call of Shaoguan leaves by the city's trunk; when that does not take it, by
// the province's.
func TestCallOutFailsOver(t *testing.T) {
	for _, c := range []struct {
		what   string
		answer int
		reason string
		full   bool
	}{{"the city's trunk is out of order", 503, "Service Unavailable", false}, {"the city's trunk is full", 0, "", true}} {
		t.Run(c.what, func(t *testing.T) {
			h := province(t, nil)
			city, prov := h.line(), h.line()
			ctx := t.Context()
			limit := 0
			if c.full {
				limit = 1
			}
			must(t, trunkTable.Put(ctx, h.deps.DB, "sgct", Trunk{Code: "sgct", Site: "sg", Kind: "ip", Accept: []string{"127.9.9.9/32"}, Peers: []string{city.Addr.String()}, MaxCalls: limit}))
			must(t, trunkTable.Put(ctx, h.deps.DB, "prov", Trunk{Code: "prov", Site: "gd", Kind: "ip", Accept: []string{"127.9.9.9/32"}, Peers: []string{prov.Addr.String()}}))
			must(t, numberTable.Put(ctx, h.deps.DB, "12367", Number{Code: "12367", Site: "sg", Flow: "straight"}))
			must(t, h.reload(ctx))
			if c.full {
				if _, ok := h.out.loads.enter("sgct", h.snap.Load().trunks["sgct"], h.now()); !ok {
					t.Fatal("an empty trunk has no room")
				}
			}
			caller, _, _ := h.talk()
			before, _ := h.out.loads.now("prov") // all peers are at one address: the caller's call counts on the same trunk
			must(t, h.Transfer(ctx, h.contact(), "a1", contact.Target{Kind: contact.ToNumber, Code: "02083330000"}))
			if c.answer != 0 {
				city.Respond(city.Expect("INVITE"), c.answer, c.reason, "city", "")
			}
			in := prov.lift()
			h.until("caller and outside talk", func() bool { return caller.loud() && prov.loud() })
			if n, _ := h.out.loads.now("prov"); n != before+1 {
				t.Errorf("the province's trunk has %d calls, %d before", n, before)
			}
			prov.within(in, "BYE", 2, "")
			caller.Expect("BYE")
			h.ends(contact.ByAgent, contact.Answered)
			h.until("the channel is free", func() bool { n, _ := h.out.loads.now("prov"); return n == 0 })
		})
	}
}

func TestTrunkLimits(t *testing.T) {
	var l trunkLoads
	at := time.Unix(1000, 0)
	two := Trunk{MaxCalls: 2}
	first, ok := l.enter("a", two, at)
	_, ok2 := l.enter("a", two, at)
	if _, ok3 := l.enter("a", two, at); !ok || !ok2 || ok3 {
		t.Errorf("two channels took %v %v %v", ok, ok2, ok3)
	}
	first()
	if _, ok := l.enter("a", two, at); !ok {
		t.Error("a channel given back is not taken again")
	}
	if calls, refused := l.now("a"); calls != 2 || refused != 1 {
		t.Errorf("%d calls, %d refused", calls, refused)
	}
	rate, taken := Trunk{MaxRate: 5}, 0
	for i := range 40 { // 20 a second for two seconds
		if _, ok := l.enter("b", rate, at.Add(time.Duration(i)*50*time.Millisecond)); ok {
			taken++
		}
	}
	if taken < 13 || taken > 15 { // a second's worth at once, then five a second
		t.Errorf("at 5 calls a second, %d of 40 within two seconds are taken", taken)
	}
}

// A trunk's limit refuses the call beyond it, and counts it.
func TestTrunkFull(t *testing.T) {
	h := newHouse(t)
	must(t, trunkTable.Put(t.Context(), h.deps.DB, "ct", Trunk{Code: "ct", Site: "gz", Kind: "ip", Accept: []string{"127.0.0.1/32"}, MaxCalls: 1}))
	must(t, h.reload(t.Context()))
	first := h.call("12367")
	h.waits(1)
	l := h.line()
	l.Call = l.NewCall("sip:12367@" + h.sip.Addr("udp").String())
	l.SendInvite(l.sdp())
	m := l.Expect("SIP/2.0 503")
	l.Call.To = m.Tag("To")
	l.Raw([]byte(l.Call.Text("ACK", l.Branch, "")))
	first.Request("BYE", "")
	h.until("the channel is free", func() bool { n, _ := h.out.loads.now("ct"); return n == 0 })
	if _, refused := h.out.loads.now("ct"); refused != 1 {
		t.Errorf("%d calls were refused", refused)
	}
	h.call("12367")
	h.waits(2)
}

func TestTrunkFailed(t *testing.T) {
	for _, c := range []struct {
		err  error
		want bool
	}{
		{fault.New(fault.Unavailable, "contact.unreachable"), true},
		{fault.New(fault.Unavailable, "contact.unreachable", "code", 503), true},
		{fault.New(fault.Unavailable, "contact.unreachable", "code", 408), true},
		{fault.New(fault.Unavailable, "contact.unreachable", "code", 404), false},
		{fault.New(fault.Unavailable, "contact.unreachable", "code", 604), false},
		{fault.New(fault.Conflict, "contact.busy"), false},
	} {
		if got := trunkFailed(c.err); got != c.want {
			t.Errorf("%v: the next trunk is tried: %v", c.err, got)
		}
	}
}

// An agent may not give a call to a number the rules keep them from; the caller stays with them.
func TestTransferAgainstTheRules(t *testing.T) {
	h := newHouse(t)
	out := h.line()
	ctx := t.Context()
	must(t, trunkTable.Put(ctx, h.deps.DB, "ct", Trunk{Code: "ct", Kind: "ip", Site: "gz", Accept: []string{"127.0.0.1/32"}, Peers: []string{out.Addr.String()}, CallerID: "02012366"}))
	must(t, h.reload(ctx))
	caller, _, _ := h.talk()
	to := contact.Target{Kind: contact.ToNumber, Code: "0085221234567"}
	if err := h.Transfer(ctx, h.contact(), "a1", to); fault.CodeOf(err) != "voice.callout.class" {
		t.Errorf("a call abroad: %v", err)
	}
	h.until("the caller talks on", caller.loud)
	caller.Request("BYE", "")
	h.ends(contact.ByCaller, contact.Answered)
}

// Who is called back sees the city's number, not their own.
func TestCalledPersonSeesOurNumber(t *testing.T) {
	h := newHouse(t)
	out := h.line()
	ctx := t.Context()
	must(t, trunkTable.Put(ctx, h.deps.DB, "ct", Trunk{Code: "ct", Kind: "ip", Site: "gz", Accept: []string{"127.0.0.1/32"}, Peers: []string{out.Addr.String()}, CallerID: "02012366"}))
	must(t, h.reload(ctx))
	h.callFrom("13900000137", "12367")
	h.waits(1)
	c := h.find(h.contact())
	s := &side{id: "x", role: "party", number: "13900000137"}
	must(t, h.openLeg(c, s))
	done := make(chan error, 1)
	go func() {
		d, _, err := h.Module.dial(ctx, c, s, "callback")
		if err == nil {
			err = d.Bye(ctx)
		}
		done <- err
	}()
	in := out.Expect("INVITE")
	if from := in.Get("From"); !strings.Contains(from, "sip:02012366@") {
		t.Errorf("the person sees %s", from)
	}
	out.Respond(in, 200, "OK", "person", out.sdp())
	out.Respond(out.Expect("BYE"), 200, "OK", "", "")
	must(t, <-done)
	must(t, s.leg.Close())
}
