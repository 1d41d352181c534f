package day

import (
	"testing"
	"time"
	_ "time/tzdata"
)

func hours(t testing.TB, texts ...string) Hours {
	t.Helper()
	var out Hours
	for _, s := range texts {
		var sp Spell
		if err := sp.UnmarshalText([]byte(s)); err != nil {
			t.Fatal(err)
		}
		out = append(out, sp)
	}
	return out
}

// office is a calendar with lunch break, the first days of October off and the Sunday before worked.
func office(t testing.TB) *Calendar {
	t.Helper()
	zone, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		t.Fatal(err)
	}
	c := &Calendar{Code: "gz", Zone: zone, Holidays: &Holidays{Days: map[string]Entry{
		"2014-09-28": {Name: "国庆节"}, "2014-10-11": {Name: "国庆节"},
	}, Years: map[int]bool{2014: true}}, Own: map[string]Own{
		"2014-11-15": {Hours: hours(t, "09:00-12:00"), Name: "征期加班"},
		"2014-11-17": {Name: "系统升级"},
	}}
	for d := 1; d <= 7; d++ {
		c.Holidays.Days[date(2014, 10, d)] = Entry{Off: true, Name: "国庆节"}
	}
	for wd := time.Monday; wd <= time.Friday; wd++ {
		c.Week[wd] = hours(t, "08:30-12:00", "14:00-17:30")
	}
	return c
}

func at(t testing.TB, c *Calendar, s string) time.Time {
	t.Helper()
	v, err := time.ParseInLocation("2006-01-02 15:04", s, c.Zone)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestAt(t *testing.T) {
	c := office(t)
	for _, k := range []struct {
		at    string
		state State
		name  string
		next  string
		until string
	}{
		{"2014-09-26 08:29", Closed, "", "2014-09-26 08:30", ""},
		{"2014-09-26 08:30", Open, "", "", "2014-09-26 12:00"},
		{"2014-09-26 11:59", Open, "", "", "2014-09-26 12:00"},
		{"2014-09-26 12:00", Lunch, "", "2014-09-26 14:00", ""},
		{"2014-09-26 14:00", Open, "", "", "2014-09-26 17:30"},
		{"2014-09-26 17:30", Closed, "", "2014-09-28 08:30", ""}, // Friday evening: the Sunday is worked
		{"2014-09-27 10:00", Closed, "", "2014-09-28 08:30", ""},
		{"2014-09-28 10:00", Open, "国庆节", "", "2014-09-28 12:00"},
		{"2014-09-28 13:00", Lunch, "国庆节", "2014-09-28 14:00", ""},
		{"2014-09-30 17:30", Closed, "", "2014-10-08 08:30", ""},
		{"2014-10-01 10:00", Holiday, "国庆节", "2014-10-08 08:30", ""},
		{"2014-10-05 10:00", Holiday, "国庆节", "2014-10-08 08:30", ""},
		{"2014-10-11 16:00", Open, "国庆节", "", "2014-10-11 17:30"},
		{"2014-10-12 10:00", Closed, "", "2014-10-13 08:30", ""},
		{"2014-11-15 10:00", Open, "征期加班", "", "2014-11-15 12:00"},
		{"2014-11-15 14:30", Closed, "征期加班", "2014-11-18 08:30", ""},
		{"2014-11-17 10:00", Holiday, "系统升级", "2014-11-18 08:30", ""},
	} {
		st := c.At(at(t, c, k.at))
		write := func(v time.Time) string {
			if v.IsZero() {
				return ""
			}
			return v.Format("2006-01-02 15:04")
		}
		if st.State != k.state || st.Name != k.name || write(st.Next) != k.next || write(st.Until) != k.until || st.Unpublished {
			t.Errorf("%s: %s %q next %q until %q", k.at, st.State, st.Name, write(st.Next), write(st.Until))
		}
	}
	if st := c.At(at(t, c, "2015-01-01 10:00")); st.State != Open || !st.Unpublished {
		t.Errorf("a year without a table goes by the week and says so: %+v", st)
	}
}

func TestAlwaysAndNever(t *testing.T) {
	c := office(t)
	never := &Calendar{}
	if st := never.At(at(t, c, "2014-10-01 10:00")); st.State != Closed || !st.Next.IsZero() {
		t.Errorf("a calendar without hours: %+v", st)
	}
	if _, ok := never.AddWorking(at(t, c, "2014-10-01 10:00"), time.Second); ok {
		t.Error("a calendar without hours never gets there")
	}
	if _, ok := never.AddWorkdays("2014-10-01", 1); ok {
		t.Error("nor to a working day")
	}
	c.Always = true
	from := at(t, c, "2014-10-01 10:00")
	if st := c.At(from); st.State != Open || st.Name != "国庆节" || !st.Until.IsZero() {
		t.Errorf("always: %+v", st)
	}
	if got := c.Working(from, from.Add(50*time.Hour)); got != 50*time.Hour {
		t.Errorf("always works %v", got)
	}
}

func TestNightsAndMidnight(t *testing.T) {
	c := office(t)
	c.Week[time.Friday] = hours(t, "20:00-24:00")
	c.Week[time.Saturday] = hours(t, "00:00-08:00")
	st := c.At(at(t, c, "2014-11-21 23:00"))
	if st.State != Open || st.Until.Format("2006-01-02 15:04") != "2014-11-22 08:00" {
		t.Errorf("%+v", st)
	}
	if got := c.Working(at(t, c, "2014-11-21 12:00"), at(t, c, "2014-11-22 12:00")); got != 12*time.Hour {
		t.Errorf("the night has %v", got)
	}
}

func TestWorking(t *testing.T) {
	c := office(t)
	for _, k := range []struct {
		from, to string
		want     time.Duration
	}{
		{"2014-11-03 08:30", "2014-11-03 17:30", 7 * time.Hour},
		{"2014-11-03 11:00", "2014-11-03 15:00", 2 * time.Hour},
		{"2014-11-03 12:10", "2014-11-03 13:50", 0},
		{"2014-09-26 16:30", "2014-09-28 09:30", 2 * time.Hour}, // over the Saturday into the worked Sunday
		{"2014-09-30 17:00", "2014-10-08 09:00", time.Hour},     // over the holidays
		{"2014-11-03 15:00", "2014-11-03 11:00", 0},
	} {
		if got := c.Working(at(t, c, k.from), at(t, c, k.to)); got != k.want {
			t.Errorf("%s to %s: %v, want %v", k.from, k.to, got, k.want)
		}
	}
}

func TestAddWorking(t *testing.T) {
	c := office(t)
	for _, k := range []struct {
		from string
		d    time.Duration
		want string
	}{
		{"2014-11-03 09:00", time.Hour, "2014-11-03 10:00"},
		{"2014-11-03 11:30", time.Hour, "2014-11-03 14:30"},
		{"2014-11-03 11:00", time.Hour, "2014-11-03 12:00"},
		{"2014-09-26 17:00", 14 * time.Hour, "2014-09-29 17:00"},
		{"2014-09-30 17:00", time.Hour, "2014-10-08 09:00"},
		{"2014-10-03 02:00", time.Minute, "2014-10-08 08:31"},
		{"2014-10-03 02:00", 0, "2014-10-03 02:00"},
	} {
		got, ok := c.AddWorking(at(t, c, k.from), k.d)
		if !ok || got.Format("2006-01-02 15:04") != k.want {
			t.Errorf("%s + %v = %v, want %s", k.from, k.d, got, k.want)
		}
		if back := c.Working(at(t, c, k.from), got); ok && back != k.d {
			t.Errorf("%s + %v, taken back, is %v", k.from, k.d, back)
		}
	}
	for _, k := range []struct {
		from string
		n    int
		want string
	}{
		{"2014-09-26", 2, "2014-09-29"}, {"2014-09-30", 1, "2014-10-08"}, {"2014-09-30", 5, "2014-10-13"}, {"2014-10-01", 0, "2014-10-01"},
	} {
		if got, ok := c.AddWorkdays(k.from, k.n); !ok || got != k.want {
			t.Errorf("%d working days after %s: %s, want %s", k.n, k.from, got, k.want)
		}
	}
}

func TestSeasons(t *testing.T) {
	c := office(t)
	summer := c.Week
	summer[time.Monday] = hours(t, "08:30-12:00", "15:00-18:00")
	c.Seasons = []Season{{From: "06-15", To: "09-14", Week: summer}, {From: "12-20", To: "01-10", Week: Week{}}, {From: "2014-03-31", To: "2014-03-31", Week: summer}}
	for date, want := range map[string]int{"2014-06-09": 420, "2014-06-16": 390, "2014-09-15": 420, "2014-12-29": 0, "2014-01-06": 0, "2014-01-13": 420, "2014-03-31": 390} {
		if got := c.Day(date).Hours.Minutes(); got != want {
			t.Errorf("%s works %d minutes, want %d", date, got, want)
		}
	}
}

func TestSpells(t *testing.T) {
	for text, want := range map[string]string{"08:30-12:00": "08:30-12:00", "8:30 - 12:00": "08:30-12:00", "20:00–24:00": "20:00-24:00", "09:00~10:00": "09:00-10:00"} {
		if got := hours(t, text)[0].String(); got != want {
			t.Errorf("%s is read as %s", text, got)
		}
	}
	for _, bad := range []string{"", "8-12", "08:30", "12:00-08:30", "08:30-08:30", "08:30-24:01", "08:60-09:00", "-1:00-02:00", "08:3-09:00"} {
		var s Spell
		if err := s.UnmarshalText([]byte(bad)); err == nil {
			t.Errorf("%q is read as %s", bad, s)
		}
	}
	if got := hours(t, "14:00-17:30", "08:30-12:00", "11:00-13:00").Sort(); len(got) != 2 || got[0].String() != "08:30-13:00" || got.Minutes() != 480 {
		t.Errorf("sorted: %v", got)
	}
	if !Valid("2014-09-28") || Valid("2014-9-28") || Valid("2014-02-30") || date(2014, 9, 8) != "2014-09-08" || date(12345, 1, 1) != "12345-01-01" {
		t.Error("dates")
	}
}

func FuzzWorking(f *testing.F) {
	f.Add(int64(1_411_900_000), int64(86_400), int64(3600))
	f.Fuzz(func(t *testing.T, from, length, add int64) {
		c := office(t)
		a := time.Unix(from%4e9, 0)
		b := a.Add(time.Duration(length%1e7) * time.Second)
		got := c.Working(a, b)
		if got < 0 || b.After(a) && got > b.Sub(a) {
			t.Fatalf("%v of work in %v", got, b.Sub(a))
		}
		d := time.Duration(add%1e6) * time.Second
		if end, ok := c.AddWorking(a, d); ok && d > 0 && c.Working(a, end) != d {
			t.Fatalf("%v + %v = %v, which has %v", a, d, end, c.Working(a, end))
		}
	})
}
