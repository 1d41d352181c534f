package web

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/coder/websocket"
	"github.com/google/go-cmp/cmp"

	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/right"
	"github.com/kapok-hotline/kapok/platform/clock"
)

func TestOwnTextsAreComplete(t *testing.T) {
	texts := ownTexts()
	if zh, en := texts.Keys("zh"), texts.Keys("en"); !slices.Equal(zh, en) {
		t.Error(cmp.Diff(zh, en))
	}
	for _, rule := range flawRules {
		if !texts.Has("zh", "fault."+rule.code) {
			t.Errorf("no text for %s", rule.code)
		}
	}
	for _, k := range []fault.Kind{fault.Invalid, fault.Unauthorised, fault.Forbidden, fault.NotFound, fault.Conflict, fault.TooMany, fault.Unavailable, fault.Internal} {
		if !texts.Has("zh", "fault.kind."+string(k)) {
			t.Errorf("no text for kind %s", k)
		}
	}
}

func TestSay(t *testing.T) {
	texts := NewTexts()
	add := func(zh, en string) error {
		return texts.Add(fstest.MapFS{"zh.json": {Data: []byte(zh)}, "en.json": {Data: []byte(en)}})
	}
	if err := add(`{"fault.a.b.c":"{n} 个,{who}","only":"只有中文"}`, `{"fault.a.b.c":"{n} of {who}"}`); err != nil {
		t.Fatal(err)
	}
	params := map[string]any{"n": 3, "who": "甲"}
	for _, c := range []struct {
		lang, key, want string
		params          map[string]any
	}{
		{"zh", "fault.a.b.c", "3 个,甲", params},
		{"en", "fault.a.b.c", "3 of 甲", params},
		{"en", "only", "只有中文", nil},
		{"fr", "only", "只有中文", nil},
		{"en", "fault.x.y.z", "x.y.z", params},
		{"en", "fault.a.b.c", "{n} of {who}", nil},
		{"en", "fault.a.b.c", "1 of {who}", map[string]any{"n": 1}},
	} {
		if got := texts.Say(c.lang, c.key, c.params); got != c.want {
			t.Errorf("Say(%s, %s) = %q, want %q", c.lang, c.key, got, c.want)
		}
	}
	if err := add(`{"only":"另一句"}`, `{}`); err == nil {
		t.Error("a module took another's key")
	}
	if err := add(`{"nested":{"a":"b"}}`, `{}`); err == nil {
		t.Error("a nested text was taken")
	}
	if err := texts.Add(fstest.MapFS{}); err == nil {
		t.Error("texts without files were taken")
	}
}

func TestLanguage(t *testing.T) {
	for header, want := range map[string]string{
		"": "zh", "en": "en", "en-US,en;q=0.9": "en", "zh-CN,zh;q=0.9,en;q=0.8": "zh", "fr, en;q=0.5, zh;q=0.4": "en",
		"en;q=x": "en", "de": "zh", ";;,,": "zh",
	} {
		if got := language(header); got != want {
			t.Errorf("%q reads %s, want %s", header, got, want)
		}
	}
}

func TestFilledLeavesWhatItIsGivenAlone(t *testing.T) {
	type inner struct {
		L []int
		O []int `json:",omitempty"`
		T time.Time
	}
	type outer struct {
		A []inner
		P *inner
		M map[string]inner
		N map[string]string
		X any
		B []byte
		E []string
	}
	in := outer{A: []inner{{}}, P: &inner{}, M: map[string]inner{"k": {}}, X: []inner(nil), E: []string{"x"}}
	b, err := json.Marshal(filled(in))
	if err != nil {
		t.Fatal(err)
	}
	zero := `"L":[],"T":"0001-01-01T00:00:00Z"`
	if want := `{"A":[{` + zero + `}],"P":{` + zero + `},"M":{"k":{` + zero + `}},"N":{},"X":[],"B":null,"E":["x"]}`; string(b) != want {
		t.Errorf("got  %s\nwant %s", b, want)
	}
	if in.A[0].L != nil || in.P.L != nil || in.M["k"].L != nil || in.N != nil {
		t.Error("the original was written to")
	}
}

func TestRingIsBounded(t *testing.T) {
	r := &ring{limit: 1000, floor: 10}
	for i := range 1000 {
		r.add(item{seq: uint64(11 + i), data: make([]byte, 1)})
	}
	if len(r.items) != ringLen || r.floor != r.items[0].seq-1 {
		t.Errorf("%d items from %d, floor %d", len(r.items), r.items[0].seq, r.floor)
	}
	r.add(item{seq: 5000, data: make([]byte, 900)})
	if r.bytes > 1000 || r.items[len(r.items)-1].seq != 5000 {
		t.Errorf("%d bytes in %d items", r.bytes, len(r.items))
	}
	r.add(item{seq: 5001, data: make([]byte, 5000)})
	if len(r.items) != 1 {
		t.Errorf("a message above the limit leaves %d items", len(r.items))
	}
}

func TestMadeUpTopicsDoNotPileUp(t *testing.T) {
	h := newHub(clock.System(), nil, nil)
	c := &conn{out: make(chan []byte, 10), subs: map[string]struct{}{"a": {}, "b": {}}, end: func(error) {}}
	c.caller.Store(&Caller{})
	h.add(c)
	h.subscribe(c, "a", 0)
	h.subscribe(c, "b", 0)
	if err := h.Publish("b", To("u"), 1); err != nil {
		t.Fatal(err)
	}
	h.remove(c)
	if _, ok := h.topics["a"]; ok || len(h.topics) != 1 {
		t.Errorf("topics left: %v", h.topics)
	}
}

func TestSocketsLearnWhatHoldsNow(t *testing.T) {
	for _, c := range []struct {
		name  string
		now   Caller
		err   error
		rank  string // of the caller afterwards
		ended bool
	}{
		{"other rights", Caller{Principal: right.Principal{User: "u", Name: "new"}}, nil, "new", false},
		{"the session ended", Caller{}, fault.New(fault.Unauthorised, "web.session.missing"), "old", true},
		{"somebody else", Caller{Principal: right.Principal{User: "v"}}, nil, "old", true},
		{"the database is away", Caller{}, fault.New(fault.Unavailable, "store.database.busy"), "old", false},
	} {
		ended := false
		s := &conn{end: func(err error) { ended = errors.Is(err, ending{closeEnded, "session ended"}) }}
		s.caller.Store(&Caller{Principal: right.Principal{User: "u", Name: "old"}})
		s.renew(c.now, c.err)
		if ended != c.ended || s.who().Name != c.rank {
			t.Errorf("%s: ended %v, caller %+v", c.name, ended, s.who())
		}
	}
}

func TestLimitersAreBounded(t *testing.T) {
	c := clock.NewManual(time.Unix(1e9, 0))
	l := newLimiters(c)
	route := &treatment{perMin: 60, burst: 2}
	for i := range maxLimiters {
		l.take(route, string(rune(i)))
	}
	l.take(route, "late")
	if n := len(l.by); n > maxLimiters {
		t.Errorf("%d buckets", n)
	}
	l = newLimiters(c)
	if l.take(route, "a")+l.take(route, "a") != 0 {
		t.Error("the burst was refused")
	}
	if wait := l.take(route, "a"); wait != time.Second {
		t.Errorf("wait %v, want 1s", wait)
	}
	c.Advance(time.Second)
	if l.take(route, "a") != 0 {
		t.Error("refused after the wait")
	}
}

func TestOrigin(t *testing.T) {
	for _, c := range []struct {
		name, remote, forwarded, proto string
		proxy                          bool
		ip                             string
		local, secure                  bool
	}{
		{"this machine", "127.0.0.1:999", "", "", false, "127.0.0.1", true, false},
		{"IPv6", "[::1]:999", "", "", false, "::1", true, false},
		{"elsewhere", "203.0.113.9:999", "", "", false, "203.0.113.9", false, false},
		{"a proxy nobody spoke of is not believed", "127.0.0.1:9", "198.51.100.1", "https", false, "127.0.0.1", false, false},
		{"a proxy we know", "127.0.0.1:9", "10.9.9.9, 198.51.100.1", "https", true, "198.51.100.1", false, true},
		{"somebody else who claims to be one", "203.0.113.9:9", "127.0.0.1", "https", true, "203.0.113.9", false, false},
		{"a proxy that sends nonsense", "127.0.0.1:9", "<script>", "", true, "127.0.0.1", false, false},
	} {
		s := New(Config{Proxy: c.proxy})
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = c.remote
		if c.forwarded != "" {
			r.Header.Set("X-Forwarded-For", c.forwarded)
			r.Header.Set("X-Forwarded-Proto", c.proto)
		}
		if o := s.origin(r); o.IP != c.ip || o.Local != c.local || o.Secure != c.secure {
			t.Errorf("%s: %+v", c.name, o)
		}
	}
}

func TestSessionCookie(t *testing.T) {
	with := func(o Origin) *http.Cookie {
		c := SessionCookie(context.WithValue(t.Context(), originKey, o), "secret")
		return &c
	}
	if c := with(Origin{Secure: true}); c.String() != "__Host-kapok=secret; Path=/; Max-Age=2592000; HttpOnly; Secure; SameSite=Lax" {
		t.Error(c.String())
	}
	if c := with(Origin{}); c.String() != "kapok=secret; Path=/; Max-Age=2592000; HttpOnly; SameSite=Lax" {
		t.Error(c.String())
	}
	if c := SessionCookie(context.WithValue(t.Context(), originKey, Origin{}), ""); c.MaxAge >= 0 {
		t.Error("the cookie stays")
	}
}

func TestCertificateIsRenewedAndKept(t *testing.T) {
	dir := t.TempDir()
	now := clock.NewManual(time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC))
	cfg := Config{Data: dir, Clock: now, Advertise: []string{"192.0.2.1"}}
	serial := func() string {
		t.Helper()
		c, err := newCertificates(cfg)
		if err != nil {
			t.Fatal(err)
		}
		cert, err := c.Get(nil)
		if err != nil {
			t.Fatal(err)
		}
		return cert.Leaf.SerialNumber.String()
	}
	first := serial()
	if serial() != first {
		t.Error("a start makes a new certificate")
	}
	cfg.Advertise = []string{"192.0.2.2"}
	second := serial()
	if second == first {
		t.Error("the certificate does not fit the new address")
	}
	c, err := newCertificates(cfg)
	if err != nil {
		t.Fatal(err)
	}
	now.Advance(certLife - certRenew + time.Hour)
	if cert, err := c.Get(nil); err != nil || cert.Leaf.SerialNumber.String() == second {
		t.Errorf("a running server lets its certificate end: %v", err)
	}
	info, err := os.Stat(filepath.Join(dir, "tls", "key.pem"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key has mode %v, %v", info.Mode(), err)
	}
	if err := os.WriteFile(filepath.Join(dir, "tls", "cert.pem"), []byte("broken"), 0o600); err != nil {
		t.Fatal(err)
	}
	now.Advance(2 * certRecheck)
	if _, err := c.Get(nil); err != nil {
		t.Errorf("a broken file of ours is not replaced: %v", err)
	}
	if _, err := newCertificates(Config{Clock: now, CertFile: "no.pem", KeyFile: "no.pem"}); err == nil {
		t.Error("a missing certificate was taken")
	}
}

func FuzzParseRequest(f *testing.F) {
	f.Add([]byte(`{"sub":["desk"],"since":{"desk":12}}`))
	f.Add([]byte(`{"unsub":["a:b"],"sub":[""]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		req, ok := parseRequest(websocket.MessageText, data)
		if !ok {
			return
		}
		for _, name := range slices.Concat(req.Sub, req.Unsub) {
			if !validTopic(name) {
				t.Errorf("topic %q", name)
			}
		}
	})
}

func FuzzReadFlaw(f *testing.F) {
	for _, rule := range flawRules {
		f.Add("body.items[0]", rule.pattern.String())
	}
	f.Fuzz(func(t *testing.T, location, message string) {
		if code, _, _ := readFlaw(location, message); !strings.HasPrefix(code, "web.") {
			t.Errorf("code %q", code)
		}
	})
}

func FuzzFillIn(f *testing.F) {
	f.Add("{a} and {b}, {", "x")
	f.Fuzz(func(t *testing.T, text, a string) {
		if got := fillIn(text, map[string]any{"zz": a}); !strings.Contains(text, "{zz}") && got != text {
			t.Errorf("%q became %q", text, got)
		}
	})
}
