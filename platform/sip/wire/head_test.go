package wire

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParseURI(t *testing.T) {
	for in, want := range map[string]URI{
		"sip:alice@kapok.example":                    {Scheme: "sip", User: "alice", Host: "kapok.example"},
		"sips:a@h:5071;lr;x=1":                       {Scheme: "sips", User: "a", Host: "h", Port: 5071, Params: "lr;x=1"},
		"sip:10.0.0.1":                               {Scheme: "sip", Host: "10.0.0.1"},
		"tel:+8675512366;phone-context=x":            {Scheme: "tel", User: "+8675512366", Params: "phone-context=x"},
		"sip:user;par=u%40example.net@kapok.example": {Scheme: "sip", User: "user;par=u%40example.net", Host: "kapok.example"},
		"sip:x@rand.invalid;transport=ws":            {Scheme: "sip", User: "x", Host: "rand.invalid", Params: "transport=ws"},
		"sip:a@h?Subject=x":                          {Scheme: "sip", User: "a", Host: "h"},
		"isbn:2983792873":                            {Scheme: "isbn", User: "2983792873"},
	} {
		got, err := ParseURI(in)
		if d := cmp.Diff(want, got); err != nil || d != "" {
			t.Errorf("%s: %v %s", in, err, d)
		}
	}
	for _, in := range []string{"", "*", "sip:", "sip:a b@h", "sip:a@h\r\nX: y", "<sip:a@h>", "sip:a@h:99999", "sip:a@h:", strings.Repeat("x", 9000)} {
		if u, err := ParseURI(in); err == nil {
			t.Errorf("%.40q was read as %+v", in, u)
		}
	}
	for _, in := range []string{"sip:a@[2001:db8::1]:5060;transport=tcp", "sip:[2001:db8::1]", "tel:12366", "sip:a@h;lr"} {
		u, err := ParseURI(in)
		if err != nil || u.String() != in {
			t.Errorf("%s is written back as %s (%v)", in, u, err)
		}
	}
}

func TestParseAddress(t *testing.T) {
	for in, want := range map[string]Address{
		`"A \"B\" C" <sip:a@h>;tag=1`: {Display: `A "B" C`, URI: URI{Scheme: "sip", User: "a", Host: "h"}, Params: "tag=1"},
		`caller<sip:a@h>`:             {Display: "caller", URI: URI{Scheme: "sip", User: "a", Host: "h"}},
		`sip:a@h;tag=x;y="b;c"`:       {URI: URI{Scheme: "sip", User: "a", Host: "h"}, Params: `tag=x;y="b;c"`},
		`<sip:a@h;lr> ; tag = 9`:      {URI: URI{Scheme: "sip", User: "a", Host: "h", Params: "lr"}, Params: " tag = 9"},
	} {
		got, err := ParseAddress(in)
		if d := cmp.Diff(want, got); err != nil || d != "" {
			t.Errorf("%s: %v %s", in, err, d)
		}
	}
	for _, in := range []string{"", "<sip:a@h", `"a <sip:a@h>`, "< sip:a@h >", "<sip:a@h> x", "sip:a@h?x=y", "<>"} {
		if a, err := ParseAddress(in); err == nil {
			t.Errorf("%q was read as %+v", in, a)
		}
	}
	a := Address{Display: "x\r\nEvil: 1", URI: URI{User: "a\r\nb", Host: "h"}}
	if s := a.String(); strings.ContainsAny(s, "\r\n") {
		t.Errorf("%q could begin a new line", s)
	}
}

func TestTagsAndLists(t *testing.T) {
	for in, want := range map[string]string{
		`"x;tag=no" <sip:a@h;tag=no>;p;tag=yes`: "yes", "sip:a@h;tag=t": "t", "<sip:a@h>": "", `<sip:a@h>; TAG = "q"`: "q",
	} {
		if got := tagOf(in); got != want {
			t.Errorf("tag of %s: %q", in, got)
		}
		if s := StripTag(in); tagOf(s) != "" {
			t.Errorf("%s still has a tag", s)
		}
	}
	got := SplitList(`"a, b" <sip:x,y@h>, <sip:z@h> ,, c`)
	if d := cmp.Diff([]string{`"a, b" <sip:x,y@h>`, "<sip:z@h>", "c"}, got); d != "" {
		t.Error(d)
	}
}

func TestParseDTMF(t *testing.T) {
	for _, c := range []struct {
		ct, body string
		key      byte
		d        time.Duration
		ok       bool
	}{
		{"application/dtmf-relay", "Signal=5\r\nDuration=100\r\n", '5', 100 * time.Millisecond, true},
		{"Application/DTMF-Relay; x=y", "signal= *\nduration = 250", '*', 250 * time.Millisecond, true},
		{"application/dtmf-relay", "Signal=11", '#', 160 * time.Millisecond, true},
		{"application/dtmf", " d ", 'D', 160 * time.Millisecond, true},
		{"application/dtmf", "55", 0, 160 * time.Millisecond, false},
		{"application/sdp", "Signal=5", 0, 0, false},
		{"application/dtmf-relay", "Duration=100", 0, 100 * time.Millisecond, false},
	} {
		if k, d, ok := ParseDTMF(c.ct, []byte(c.body)); k != c.key || d != c.d || ok != c.ok {
			t.Errorf("%s %q: %c %v %v", c.ct, c.body, k, d, ok)
		}
	}
}

// FuzzURI: what is read is written back as something that reads the same.
func FuzzURI(f *testing.F) {
	for _, s := range []string{"sip:a@h:5060;lr", "tel:+86;x=y", "sip:[::1]", `"A" <sip:a@h>;tag=1`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		_, _ = ParseReplaces(s)
		digestParams(s)
		if a, err := ParseAddress(s); err == nil && strings.ContainsAny(a.String(), "\r\n\x00") {
			t.Fatalf("%q could begin a new line", a.String())
		}
		u, err := ParseURI(s)
		if err != nil {
			return
		}
		out := u.String()
		if strings.ContainsAny(out, "\r\n\x00 <>") {
			t.Fatalf("%q could begin a new line", out)
		}
		if _, err := ParseURI(out); err != nil {
			t.Fatalf("%q was written as %q: %v", s, out, err)
		}
	})
}
