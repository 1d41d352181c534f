package calls

import (
	"database/sql"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	_ "modernc.org/sqlite"

	"github.com/kapok-hotline/kapok/test/house"
	"github.com/kapok-hotline/kapok/test/ua"
)

// areas are the 21 cities of Guangdong by area code; Shenzhen has a hotline of its own.
var areas = map[string]string{
	"020": "guangzhou", "0751": "shaoguan", "0755": "", "0756": "zhuhai", "0754": "shantou", "0757": "foshan", "0750": "jiangmen",
	"0759": "zhanjiang", "0668": "maoming", "0758": "zhaoqing", "0752": "huizhou", "0753": "meizhou", "0660": "shanwei",
	"0762": "heyuan", "0662": "yangjiang", "0763": "qingyuan", "0769": "dongguan", "0760": "zhongshan", "0768": "chaozhou",
	"0663": "jieyang", "0766": "yunfu",
}

// whence gives a thousand numbers by where their calls belong: fixed and mobile of every city, by turns, and a few of
// other provinces. The segments that tell where the mobile ones were sold are of the test.
func whence() (belongs map[string]string, segments string) {
	belongs = map[string]string{}
	codes := slices.Sorted(maps.Keys(areas))
	var rows []string
	for i, code := range codes {
		city := areas[code]
		if city == "" {
			city = "shenzhen"
		}
		rows = append(rows, fmt.Sprintf(`{code: "1388%03d", city: %s}`, 100+i, city))
	}
	for i := range 1000 {
		code, n := codes[i%len(codes)], i/len(codes)
		switch {
		case i >= 990:
			belongs[fmt.Sprintf("010650%05d", i)[:11]] = ""
		case n%2 == 0 && code == "020":
			belongs[fmt.Sprintf("%s83%06d", code, i)] = areas[code]
		case n%2 == 0:
			belongs[fmt.Sprintf("%s83%05d", code, i)] = areas[code]
		default:
			belongs[fmt.Sprintf("01388%03d%04d", 100+i%len(codes), i)] = areas[code]
		}
	}
	return belongs, "[" + strings.Join(rows, ", ") + "]"
}

// provinceBureau is the example of the documentation with passwords, a trunk on loopback and the test's segments, open
// at any hour.
func provinceBureau(t *testing.T, segments string) string {
	t.Helper()
	root, err := house.Root()
	must(t, err)
	file, err := os.ReadFile(filepath.Join(root, "docs", "examples", "province.yaml"))
	must(t, err)
	text := string(file)
	for _, r := range [][2]string{
		{`peers: ["192.0.2.10:5060"], accept: ["192.0.2.0/28"], options_s: 30,`, `accept: ["127.0.0.1/32"], options_s: 0,`},
		{`peers: ["198.51.100.20:5060"], options_s: 30`, `accept: ["192.0.2.1/32"], options_s: 0`},
		{`peers: ["198.51.100.51:5060"], options_s: 30`, `accept: ["192.0.2.2/32"], options_s: 0`},
		{"segments: []", "segments: " + segments},
		{"max_calls: 2000, max_rate: 50", "max_calls: 2000, max_rate: 500"},
		{"calendars:\n", "calendars:\n  - {code: always, name: 全天, always: true}\n"},
		{"flow: province, calendar: office", "flow: province, calendar: always"},
		{", calendar: zhuhai}", "}"},
		{`{code: "1002", name: 韶关坐席`, `{code: "1002", password: ` + house.Password + `, must_change: false, name: 韶关坐席`},
		{`{code: "8002", name: 韶关 A01`, `{code: "8002", password: ` + house.Password + `, name: 韶关 A01`},
		{"{code: manager, name", "{code: leader1, password: " + house.Password + ", must_change: false, name: 班长, site: gd, roles: [leader, manager], locale: zh, active: true}\n  - {code: manager, name"},
		{"{code: sg-leader, name", "{code: sg-leader, password: " + house.Password + ", must_change: false, name"},
	} {
		if !strings.Contains(text, r[0]) {
			t.Fatalf("the example has no %q", r[0])
		}
		text = strings.ReplaceAll(text, r[0], r[1])
	}
	return text
}

// landed is where a caller's contact came to: the site it counts at, its queue, and when it began.
type landed struct {
	site, queue, outcome string
	at                   int64
}

// landings reads where every caller's newest answered contact came to.
func (s *scene) landings() map[string]landed {
	s.t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(s.h.Data, "kapok.db")+"?mode=ro&_pragma=busy_timeout(5000)")
	must(s.t, err)
	defer db.Close()
	rows, err := db.QueryContext(s.ctx, `SELECT sender, site, first_queue, outcome, started_at FROM report_contact WHERE ended_at > 0 ORDER BY started_at`)
	must(s.t, err)
	defer rows.Close()
	out := map[string]landed{}
	for rows.Next() {
		var from string
		var l landed
		must(s.t, rows.Scan(&from, &l.site, &l.queue, &l.outcome, &l.at))
		out[from] = l
	}
	must(s.t, rows.Err())
	return out
}

// TestRowA1 has a thousand callers of all 21 area codes, fixed and mobile, call one number: every one comes to the queue
// and counts at the site of their city; Shenzhen and other provinces are told where to call. Amid the calls the way of
// one city changes: it holds within five seconds, and a talk under way goes on.
func TestRowA1(t *testing.T) {
	belongs, segments := whence()
	if len(belongs) != 1000 {
		t.Fatalf("%d callers", len(belongs))
	}
	s := open(t)
	must(t, s.h.Apply(s.ctx, provinceBureau(t, segments)))
	var err error
	s.leader, err = s.h.Login(s.ctx, "leader1")
	must(t, err)

	agent := s.agent(2, lift(880))
	talk := s.callAs("07518000001")
	agent.talks()

	began := time.Now()
	calls := make(chan error, 1)
	numbers := slices.Sorted(maps.Keys(belongs))
	away := func(n string) bool { return belongs[n] == "" }
	served := slices.DeleteFunc(slices.Clone(numbers), away)
	told := slices.DeleteFunc(slices.Clone(numbers), func(n string) bool { return !away(n) })
	go func() { calls <- s.callers(served, 1500) }()
	turned := make(chan error, 1)
	go func() { turned <- s.callers(told, 20_000) }() // they listen to the end
	time.Sleep(5 * time.Second)                       // amid the calls
	must(t, s.h.Apply(s.ctx, `cities: [{code: zhaoqing, name: 肇庆, name_en: Zhaoqing, area: "0758", site: zhaoqing, queues: {general: yunfu_general}, caller_id: "075812366"}]`))
	changed := time.Now()
	s.until5(changed, "a new call from Zhaoqing goes the new way")
	must(t, <-calls)
	must(t, <-turned)
	for range 3 { // who was refused for a moment of overload, or cut short by it, calls again
		s.settled(len(numbers))
		missing := s.missing(numbers)
		if len(missing) == 0 {
			break
		}
		t.Logf("%d callers call again", len(missing))
		must(t, s.callers(missing, 20_000))
	}
	t.Logf("a thousand calls within %v", time.Since(began).Round(time.Second))

	s.hears(talk.Media, 880, "the agent, as before the change")
	if got := agent.state(); got != "talking" {
		t.Errorf("the agent of the call under way is %s", got)
	}
	talk.Hangup(s.ctx)
	s.ended(talk.number, "answered")

	lands := s.landings()
	right := 0
	for _, number := range numbers {
		city, l := belongs[number], lands[number]
		want := landed{site: city, queue: city + "_general"}
		switch {
		case city == "":
			want = landed{site: "gd"}
		case city == "zhaoqing" && l.at > changed.Add(5*time.Second).UnixMilli():
			want.queue = "yunfu_general"
		case city == "zhaoqing" && l.at > changed.Add(-5*time.Second).UnixMilli() && l.queue == "yunfu_general":
			want.queue = l.queue // within the change
		}
		if l.site == want.site && l.queue == want.queue && (city != "" || l.outcome == "turned") {
			right++
			continue
		}
		if right > len(numbers)-20 || right%50 == 0 {
			t.Logf("%s of %q came to site %q, queue %q (%s)", number, city, l.site, l.queue, l.outcome)
		}
	}
	if right != len(numbers) {
		t.Errorf("%d of %d callers came where they belong", right, len(numbers))
	}
	cityRights(s)
	s.clear()
	s.doctor()
}

// cityRights: whoever leads a city sees its contacts and not the next city's.
func cityRights(s *scene) {
	s.t.Helper()
	leader, err := s.h.Login(s.ctx, "sg-leader")
	must(s.t, err)
	var list struct {
		Items []struct {
			Site  string `json:"site"`
			Queue string `json:"queue"`
		} `json:"items"`
	}
	must(s.t, leader.Get(s.ctx, "/contacts?limit=100", &list))
	if len(list.Items) < 20 {
		s.t.Errorf("the leader of Shaoguan sees %d of the city's contacts", len(list.Items))
	}
	for _, c := range list.Items {
		if c.Queue != "" && c.Queue != "shaoguan_general" {
			s.t.Errorf("the leader of Shaoguan sees a contact of %s", c.Queue)
		}
	}
}

// callers lets each number call once, 30 a second, and listen for so many milliseconds.
func (s *scene) callers(numbers []string, listenMs int) error {
	list := filepath.Join(s.t.TempDir(), "numbers.csv")
	if err := os.WriteFile(list, []byte("SEQUENTIAL\n"+strings.Join(numbers, ";\n")+";\n"), 0o600); err != nil {
		return err
	}
	text, err := os.ReadFile(filepath.Join("testdata", "province.xml"))
	if err != nil {
		return err
	}
	scenario := filepath.Join(filepath.Dir(list), "province.xml")
	text = []byte(strings.Replace(string(text), `timeout="1500"`, fmt.Sprintf(`timeout="%d"`, listenMs), 1))
	if err := os.WriteFile(scenario, text, 0o600); err != nil {
		return err
	}
	err = s.sipp(s.h.SIP, "-sf", scenario, "-inf", list, "-m", fmt.Sprint(len(numbers)), "-r", "30", "-buff_size", "2000000")
	if err != nil {
		s.t.Logf("sipp: %.2000v", err) // who did not get through calls again
	}
	return nil
}

// settled waits until the figures know of all who have called.
func (s *scene) settled(n int) {
	last := -1
	for end := time.Now().Add(15 * time.Second); time.Now().Before(end); time.Sleep(500 * time.Millisecond) {
		now := len(s.landings())
		if now >= n && now == last {
			return
		}
		last = now
	}
}

// missing gives the numbers whose calls came to no end, or failed.
func (s *scene) missing(numbers []string) (out []string) {
	lands := s.landings()
	for _, n := range numbers {
		if l, ok := lands[n]; !ok || l.outcome == "failed" || l.outcome == "left" {
			out = append(out, n)
		}
	}
	return out
}

// until5 calls from Zhaoqing until the call goes the new way, at most five seconds after the change.
func (s *scene) until5(changed time.Time, what string) {
	s.t.Helper()
	for i := 0; ; i++ {
		began := time.Now()
		number := fmt.Sprintf("07588%06d", i)
		c := s.callAs(number)
		queue := ""
		s.story(number, number+" waits", func(st *story) bool {
			if len(st.Visits) > 0 {
				queue = st.Visits[0].Queue
			}
			return queue != ""
		})
		c.Hangup(s.ctx)
		if queue == "yunfu_general" {
			s.t.Logf("%s: call %d, begun %v after the change", what, i+1, began.Sub(changed).Round(time.Millisecond))
			return
		}
		if began.Sub(changed) > 5*time.Second {
			s.t.Fatalf("not within 5 s: %s", what)
		}
	}
}

// callAs is a call of 12366 by somebody with the number.
func (s *scene) callAs(number string) *caller {
	s.t.Helper()
	p, err := ua.Open("127.0.0.1", s.h.SIP, number, "")
	must(s.t, err)
	s.t.Cleanup(p.Close)
	c, err := p.Dial(s.ctx, ua.Dial{Number: "12366", Tone: 440})
	must(s.t, err)
	who := &caller{c, s, number}
	s.lines = append(s.lines, who)
	return who
}
