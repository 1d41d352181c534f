package screen_test

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/kapok-hotline/kapok/engine/screen"
)

// What callers say, press and came for before, and what it is taken for.
func TestScreen(t *testing.T) {
	for _, c := range []struct {
		name string
		call screen.Call
		want screen.Kind
		from string // of a reason that speaks for it
	}{
		{"nothing is known", screen.Call{}, screen.Operation, ""},
		{"the key alone", screen.Call{Menu: screen.Policy}, screen.Policy, "menu"},
		{"an earlier contact alone", screen.Call{History: []screen.Past{{Kind: screen.Fault, Days: 1}}}, screen.Fault, "history"},
		{
			"what an earlier contact was about is judged by its text",
			screen.Call{History: []screen.Past{{Text: "增值税的税率是多少", Days: 1}}},
			screen.Policy, "history",
		},
		{"the key says more than a contact of a month ago", screen.Call{
			Menu: screen.Policy, History: []screen.Past{{Kind: screen.Fault, Days: 30}},
		}, screen.Policy, "menu"},
		{"a fault", screen.Call{Text: "申报的时候一直报错"}, screen.Fault, "word"},
		{"a wrong key gives way to plain words", screen.Call{Menu: screen.Policy, Text: "页面打不开，报错了"}, screen.Fault, "word"},
		{"in Cantonese", screen.Call{Text: "网页打唔开，冇反应"}, screen.Fault, "word"},
		{"a fault put aside is none", screen.Call{Text: "系统没有报错，请问入口在哪里"}, screen.Operation, "word"},
		{"law put aside is none", screen.Call{Text: "政策我清楚，不知道怎么操作"}, screen.Operation, "word"},
		{"a step put aside is none", screen.Call{Text: "怎么申报我会，就是想问税率是多少"}, screen.Policy, "word"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := screen.New(nil).Screen(c.call)
			if r.Kind != c.want {
				t.Errorf("%s, want %s: %+v", r.Kind, c.want, r.Reasons)
			}
			if c.from == "" {
				if len(r.Reasons) != 0 || r.Share > 0.34 {
					t.Errorf("reasons of nothing: %+v", r)
				}
			} else if !slices.ContainsFunc(r.Reasons, func(why screen.Reason) bool {
				return why.From == c.from && why.Kind == c.want && !why.Waved
			}) {
				t.Errorf("no %s speaks for it: %+v", c.from, r.Reasons)
			}
		})
	}
}

// Row A6: it says why: which words, which key, which earlier contact, and what was put aside.
func TestRowA6Explains(t *testing.T) {
	r := screen.New(nil).Screen(screen.Call{
		Text: "政策我清楚，点提交就报错", Menu: screen.Policy, History: []screen.Past{{Kind: screen.Fault, Days: 2}},
	})
	for _, want := range []screen.Reason{
		{From: "word", Word: "报错", Kind: screen.Fault},
		{From: "word", Word: "政策", Kind: screen.Policy, Waved: true},
		{From: "menu", Kind: screen.Policy},
		{From: "history", Kind: screen.Fault},
	} {
		if !slices.ContainsFunc(r.Reasons, func(got screen.Reason) bool {
			return got.From == want.From && got.Word == want.Word && got.Kind == want.Kind && got.Waved == want.Waved && got.Points > 0
		}) {
			t.Errorf("no %+v among %+v", want, r.Reasons)
		}
	}
	if r.Kind != screen.Fault || r.Share < 0.5 {
		t.Errorf("%+v", r)
	}
}

// The words of a house hold before those of the list, and may be new.
func TestHouseWords(t *testing.T) {
	call := screen.Call{Text: "蓝天助手闪退"}
	if k := screen.New([]screen.Word{{Text: "闪退", Kind: screen.Policy, Points: 5}}).Screen(call).Kind; k != screen.Policy {
		t.Errorf("%s: the house's word does not hold", k)
	}
	r := screen.New([]screen.Word{{Text: "蓝天助手", Kind: screen.Fault}}).Screen(screen.Call{Text: "蓝天助手"})
	if r.Kind != screen.Fault || len(r.Reasons) == 0 || r.Reasons[0].Word != "蓝天助手" {
		t.Errorf("%+v", r)
	}
}

// Whatever a recogniser hands over, there is one answer with a share, and a few reasons.
func FuzzScreen(f *testing.F) {
	f.Add("系统没有报错，怎么操作", "policy", 3)
	f.Add(strings.Repeat("报错，", 5000), "", -1)
	f.Add("\xff\xfe。，", "tax", 1<<40)
	s := screen.New(nil)
	f.Fuzz(func(t *testing.T, text, menu string, days int) {
		r := s.Screen(screen.Call{Text: text, Menu: screen.Kind(menu), History: []screen.Past{{Text: text, Days: days}}})
		if !r.Kind.Known() || !(r.Share > 0.33 && r.Share <= 1) || len(r.Reasons) > 8 {
			t.Errorf("%+v", r)
		}
		for _, why := range r.Reasons {
			if !utf8.ValidString(why.Word) {
				t.Errorf("%q", why.Word)
			}
		}
	})
}
