package taxid

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// The synthetic codes and their twins with a wrong check digit; testdata/synthetic.json says where from.
func TestSynthetic(t *testing.T) {
	b, err := os.ReadFile("testdata/synthetic.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Items []struct{ USCC, District, Masked, Bad_check string }
	}
	if err := json.Unmarshal(b, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Items) != 44 {
		t.Fatalf("%d items", len(file.Items))
	}
	for _, i := range file.Items {
		if KindOf(i.USCC) != USCC || District(i.USCC) != i.District || Mask(i.USCC) != i.Masked {
			t.Errorf("%s: %s, district %s, masked %s", i.USCC, KindOf(i.USCC), District(i.USCC), Mask(i.USCC))
		}
		if KindOf(i.Bad_check) != Bad {
			t.Errorf("%s with a wrong check digit is a %s", i.Bad_check, KindOf(i.Bad_check))
		}
	}
}

func TestKindOf(t *testing.T) {
	for _, c := range []struct {
		in   string
		want Kind
		org  string
	}{
		// Codes that the firms print on their own sites, here to prove the arithmetic only.
		{"914403001922038216", USCC, "192203821"},
		{"9144030071526726XG", USCC, "71526726X"},
		{" 9144-0300 7152 6726xg ", USCC, "71526726X"},
		{"９１４４０３００７１５２６７２６ＸＧ", USCC, "71526726X"},
		{"44030071526726X", Legacy, "71526726X"}, // the same firm before 2015
		{"44030071526726*", Legacy, "71526726X"}, // as keyed on a telephone
		{"440300715267261", Bad, ""},
		{"11010519491231002X", Person, ""}, // the example of GB 11643-1999
		{"110105194912310021", Bad, ""},
		{"110105194913310013", Bad, ""}, // no thirteenth month
		{"11010519491231002X01", Person20, ""},
		{"11010519491231002XAB", Bad, ""},
		{"9144030071526726XI", Bad, ""}, // I is not of the alphabet
		{"9144AB0071526726XG", Bad, ""},
		{"", Bad, ""},
		{"123", Bad, ""},
		{strings.Repeat("9", 40), Bad, ""},
		{"税号", Bad, ""},
	} {
		s := Clean(c.in)
		if got := KindOf(s); got != c.want || Valid(c.in) != (c.want != Bad) {
			t.Errorf("%q is %s, want %s", c.in, got, c.want)
		}
		if got := OrganisationCode(s); got != c.org {
			t.Errorf("%q has organisation code %q, want %q", c.in, got, c.org)
		}
	}
}

func TestMask(t *testing.T) {
	for in, want := range map[string]string{
		"91440103MA99QUKA41": "914***********KA41", "11010519491231002X": "110***********002X", "1234567": "*******", "12345678": "123*5678", "": "", "张三": "**",
	} {
		if got := Mask(in); got != want {
			t.Errorf("Mask(%s) = %s, want %s", in, got, want)
		}
	}
}

// Any one wrong character, and any two neighbours swapped, is found in a unified social credit code.
func TestSlipsAreFound(t *testing.T) {
	const good = "91440103MA99QUKA41"
	for i := range 18 {
		for _, r := range alphabet31 {
			if byte(r) == good[i] {
				continue
			}
			if bad := good[:i] + string(r) + good[i+1:]; KindOf(bad) == USCC {
				t.Errorf("%s passes for %s", bad, good)
			}
		}
		if i < 17 && good[i] != good[i+1] {
			if bad := good[:i] + string(good[i+1]) + string(good[i]) + good[i+2:]; KindOf(bad) == USCC {
				t.Errorf("%s passes for %s", bad, good)
			}
		}
	}
}

func FuzzTaxID(f *testing.F) {
	for _, s := range []string{"91440103MA99QUKA41", "11010519491231002X", "44030071526726X", "", "\xff", "税"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c := Clean(s)
		if len(c) > 36 || Clean(c) != c {
			t.Fatalf("Clean(%q) = %q, cleaned again %q", s, c, Clean(c))
		}
		if k := KindOf(c); k != Bad && (District(c) == "" || !strings.Contains(Mask(c), "*")) {
			t.Fatalf("%q, a %s", c, k)
		}
	})
}
