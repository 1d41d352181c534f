package phone

import "testing"

func TestClass(t *testing.T) {
	for raw, want := range map[string]Class{
		"110": Emergency, "120": Emergency, "020110": Emergency,
		"12366": Service, "95588": Service, "10086": Service, "4001234567": Service, "02012366": Service,
		"02083330000": Local, "83330000": Local, "07558333000": LongWay, "01065000000": LongWay,
		"13900000137": Cellular, "19912345678": Cellular,
		"13491234567": Premium, "17401234567": Premium, "16800": Premium, "16888888": Premium, "02016812345": Premium,
		"+85221234567": Abroad, "0012025550143": Abroad, "+8821612345678": Abroad, "00": Inside,
		"8001": Inside, "99999999999": Abroad, "": Inside,
	} {
		if got := Parse(raw, "020").Class("020"); got != want {
			t.Errorf("a call to %q is %s, want %s", raw, got, want)
		}
	}
}

func FuzzClass(f *testing.F) {
	f.Add("0085221234567", "020")
	f.Add("168", "")
	f.Fuzz(func(t *testing.T, raw, home string) {
		n := Parse(raw, home)
		c := n.Class(home)
		if c == "" || n.Kind == Foreign && c != Abroad {
			t.Fatalf("%q (%+v) is of class %q", raw, n, c)
		}
	})
}
