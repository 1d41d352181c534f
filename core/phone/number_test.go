package phone

import (
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	for _, c := range []struct {
		raw, home string
		kind      Kind
		national  string
		area      string
		show      string
		mask      string
	}{
		{"13900000137", "", Mobile, "013900000137", "", "13900000137", "139****0137"},
		{"013900000137", "", Mobile, "013900000137", "", "13900000137", "139****0137"},
		{"+8613900000137", "", Mobile, "013900000137", "", "13900000137", "139****0137"},
		{"008613900000137", "", Mobile, "013900000137", "", "13900000137", "139****0137"},
		{"8613900000137", "", Mobile, "013900000137", "", "13900000137", "139****0137"},
		{"+86013900000137", "", Mobile, "013900000137", "", "13900000137", "139****0137"},
		{"1795113900000137", "", Mobile, "013900000137", "", "13900000137", "139****0137"},
		{"139 0000 0137", "", Mobile, "013900000137", "", "13900000137", "139****0137"},
		{"１３９００００0137", "", Mobile, "013900000137", "", "13900000137", "139****0137"},
		{"sip:+8613900000137@10.0.0.1;user=phone", "", Mobile, "013900000137", "", "13900000137", "139****0137"},
		{"19900000001", "", Mobile, "019900000001", "", "19900000001", "199****0001"},
		{"020-83330000", "", Fixed, "02083330000", "020", "020-83330000", "020-****0000"},
		{"(020)8333 0000", "", Fixed, "02083330000", "020", "020-83330000", "020-****0000"},
		{"+862083330000", "", Fixed, "02083330000", "020", "020-83330000", "020-****0000"},
		{"862083330000", "", Fixed, "02083330000", "020", "020-83330000", "020-****0000"},
		{"83330000", "020", Fixed, "02083330000", "020", "020-83330000", "020-****0000"},
		{"83330000", "", Other, "83330000", "", "83330000", "83****00"},
		{"8333000", "0751", Fixed, "07518333000", "0751", "0751-8333000", "0751-****000"},
		{"07698333000", "", Fixed, "07698333000", "0769", "0769-8333000", "0769-****000"},
		{"01065000000", "", Fixed, "01065000000", "010", "010-65000000", "010-****0000"},
		{"12366", "020", Short, "12366", "", "12366", "12366"},
		{"02012366", "", Short, "02012366", "020", "02012366", "02012366"},
		{"110", "", Short, "110", "", "110", "110"},
		{"10086", "", Short, "10086", "", "10086", "10086"},
		{"95588", "", Short, "95588", "", "95588", "95588"},
		{"4001234567", "", TollFree, "4001234567", "", "4001234567", "4001234567"},
		{"+85221234567", "", Foreign, "0085221234567", "", "+85221234567", "+852****4567"},
		{"0085221234567", "", Foreign, "0085221234567", "", "+85221234567", "+852****4567"},
		{"+12025550143", "", Foreign, "0012025550143", "", "+12025550143", "+120****0143"},
		{"", "020", Withheld, "", "", "", ""},
		{"anonymous", "020", Withheld, "", "", "", ""},
		{"Restricted", "", Withheld, "", "", "", ""},
		{"8001", "", Other, "8001", "", "8001", "****"},
		{"026123", "", Other, "026123", "", "026123", "****"},
		{"+", "", Other, "", "", "", "****"},
	} {
		n := Parse(c.raw, c.home)
		if n.Kind != c.kind || n.National != c.national || n.Area != c.area {
			t.Errorf("Parse(%q, %q) = %+v, want %s %s %s", c.raw, c.home, n, c.kind, c.national, c.area)
		}
		if n.Show() != c.show || n.Mask() != c.mask {
			t.Errorf("%q: shown %q, masked %q; want %q, %q", c.raw, n.Show(), n.Mask(), c.show, c.mask)
		}
	}
}

func TestDial(t *testing.T) {
	for _, c := range []struct{ raw, home, want string }{
		{"02083330000", "020", "83330000"},
		{"02083330000", "0755", "02083330000"},
		{"013900000137", "020", "13900000137"},
		{"12366", "020", "12366"},
	} {
		if got := Parse(c.raw, "").Dial(c.home); got != c.want {
			t.Errorf("%s dialled from %s is %s, want %s", c.raw, c.home, got, c.want)
		}
	}
}

func TestCities(t *testing.T) {
	all := Cities()
	if len(all) != 21 {
		t.Fatalf("Guangdong has 21 cities, not %d", len(all))
	}
	own := 0
	for _, c := range all {
		if !IsArea(c.Area) || c.NameEn == "" {
			t.Errorf("%+v", c)
		}
		if got, ok := CityOf(Parse(c.Area+"8333000", "").Area); !ok || got != c {
			t.Errorf("a call from %s (%s) is put in %+v", c.Name, c.Area, got)
		}
		if !c.Provincial {
			own++
		}
	}
	if sz, _ := CityOf("0755"); own != 1 || sz.Provincial {
		t.Error("Shenzhen alone has a platform of its own")
	}
	if _, ok := CityOf("010"); ok {
		t.Error("Beijing is not in Guangdong")
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"+8613900000137", "020-83330000", "", "12366", "+852 2123", "anonymous", "8001"} {
		f.Add(s, "020")
	}
	f.Fuzz(func(t *testing.T, raw, home string) {
		n := Parse(raw, home)
		if len(n.National) > MaxDigits+4 || strings.Trim(n.National, "0123456789") != "" {
			t.Fatalf("Parse(%q) kept %q", raw, n.National)
		}
		if again := Parse(n.National, ""); n.Kind != Other && again != n {
			t.Fatalf("%q is %+v, but its national form is %+v", raw, n, again)
		}
		if m := n.Mask(); (n.Kind == Mobile || n.Kind == Fixed) && !strings.Contains(m, "****") {
			t.Fatalf("%q is masked as %q", raw, m)
		}
	})
}
