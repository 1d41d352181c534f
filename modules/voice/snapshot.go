package voice

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/engine/flow"
	"github.com/kapok-hotline/kapok/platform/clock"
	"github.com/kapok-hotline/kapok/platform/sip"
	"github.com/kapok-hotline/kapok/platform/store"
)

// snapshot is the configuration as one value: replaced whole when it changes; live calls keep what they hold.
type snapshot struct {
	phones   map[id.Phone]phoneRow
	trunks   map[id.Trunk]Trunk
	numbers  map[id.Number]Number
	prompts  map[id.Prompt]Prompt
	flows    map[id.Flow]compiled
	settings Settings
	atlas    *atlas
	rules    []CallRule
	lines    map[id.Queue]*sortedLine // with a screening; nil: there are none
}

type compiled struct {
	flow    *flow.Flow
	version int
	cities  bool // it asks for the caller's city
}

var (
	phoneTable    = store.Docs[phoneRow]{Table: "voice_phone"}
	trunkTable    = store.Docs[Trunk]{Table: "voice_trunk"}
	numberTable   = store.Docs[Number]{Table: "voice_number"}
	promptTable   = store.Docs[Prompt]{Table: "voice_prompt"}
	settingsTable = store.Docs[Settings]{Table: "voice_settings"}
)

// defaultSettings hold until somebody sets them.
func defaultSettings() Settings { return Settings{Recording: true, Language: "zh", HoldLimitS: 120} }

func (m *Module) reload(ctx context.Context) error {
	s, err := m.load(ctx)
	if err != nil {
		return err
	}
	if err := m.loadSurveys(ctx); err != nil {
		return err
	}
	if err := m.loadSpeech(ctx); err != nil {
		return err
	}
	m.snap.Store(s)
	m.maker.plan(s)
	err = m.sip.SetTrunks(s.sipTrunks(m.carriers(s)))
	m.lines.nudge()
	return err
}

func (m *Module) load(ctx context.Context) (*snapshot, error) {
	db := m.deps.DB
	s := &snapshot{
		phones: map[id.Phone]phoneRow{}, trunks: map[id.Trunk]Trunk{}, numbers: map[id.Number]Number{},
		prompts: map[id.Prompt]Prompt{}, flows: map[id.Flow]compiled{}, settings: defaultSettings(),
	}
	phones, err := phoneTable.Load(ctx, db)
	if err != nil {
		return nil, err
	}
	for _, p := range phones {
		s.phones[p.Code] = p
	}
	trunks, err := trunkTable.Load(ctx, db)
	if err != nil {
		return nil, err
	}
	for _, t := range trunks {
		s.trunks[t.Code] = t
	}
	numbers, err := numberTable.Load(ctx, db)
	if err != nil {
		return nil, err
	}
	for _, n := range numbers {
		s.numbers[n.Code] = n
	}
	prompts, err := promptTable.Load(ctx, db)
	if err != nil {
		return nil, err
	}
	for _, p := range prompts {
		s.prompts[p.Code] = p
	}
	settings, err := settingsTable.Load(ctx, db)
	if err != nil {
		return nil, err
	}
	if len(settings) > 0 {
		s.settings = settings[0]
	}
	if s.atlas, err = loadAtlas(ctx, db); err != nil {
		return nil, err
	}
	if s.rules, err = ruleTable.Load(ctx, db); err != nil {
		return nil, err
	}
	if err := m.loadLines(ctx, s); err != nil {
		return nil, err
	}
	return s, m.loadFlows(ctx, s)
}

// flowRow is a published version of a flow.
type flowRow struct {
	version int
	graph   flow.Graph
}

// newestFlows gives the newest version of each flow.
func newestFlows(ctx context.Context, q store.Querier) ([]flowRow, error) {
	return store.All(ctx, q, `SELECT f.version, f.body FROM voice_flow f
		WHERE f.version = (SELECT MAX(g.version) FROM voice_flow g WHERE g.code = f.code) ORDER BY f.code`,
		func(r store.Scanner) (row flowRow, err error) {
			var body string
			if err = r.Scan(&row.version, &body); err != nil {
				return row, err
			}
			return row, json.Unmarshal([]byte(body), &row.graph)
		})
}

// loadFlows compiles what was checked when it was published; a flow that no longer compiles is left out aloud.
func (m *Module) loadFlows(ctx context.Context, s *snapshot) error {
	rows, err := newestFlows(ctx, m.deps.DB)
	if err != nil {
		return err
	}
	for _, row := range rows {
		f, problems := flow.Compile(row.graph, flow.Env{})
		if len(problems) > 0 {
			m.deps.Log.Error("a flow cannot run and is left out", "flow", row.graph.Code, "problems", problems)
			continue
		}
		s.flows[row.graph.Code] = compiled{flow: f, version: row.version, cities: f.UsesCity()}
	}
	return nil
}

// entry is what every call of a number brings into a flow: the switches and greetings of the moment.
func (s *snapshot) entry(now time.Time, version int, number id.Number) flow.Entry {
	e := flow.Entry{Version: version, At: now.UnixMilli(), BypassMenu: s.settings.NoMenu, Notice: string(s.notice(number))}
	if s.settings.Emergency {
		e.Emergency = &flow.Emergency{Prompt: string(s.settings.EmergencyOf)}
	}
	if len(s.settings.Greetings) == 0 {
		return e // reading a zone costs as much as the rest of a call's guidance
	}
	zone, err := clock.Zone("")
	if err != nil {
		return e
	}
	for _, g := range s.settings.Greetings {
		from, err1 := clock.SlotStart(g.From, 0, zone)
		to, err2 := clock.SlotStart(g.To, clock.Slots, zone) // the end of the last day
		if err1 == nil && err2 == nil {
			e.Greetings = append(e.Greetings, flow.Greeting{Prompt: string(g.Prompt), From: from, Until: to})
		}
	}
	return e
}

// notice is the prompt that tells callers of a number that they are recorded; "" where nobody is, or nothing is to be
// said.
func (s *snapshot) notice(number id.Number) id.Prompt {
	n := s.numbers[number]
	switch {
	case !s.settings.Recording || n.NoNotice:
		return ""
	case n.Notice != "":
		return n.Notice
	}
	return s.settings.Notice
}

// sipTrunks says the trunks in the words of platform/sip. Those that carry the calls of outside phones are asked as often
// as the phones of remote seats, where they are asked at all.
func (s *snapshot) sipTrunks(carriers map[id.Trunk]bool) []sip.TrunkConfig {
	var out []sip.TrunkConfig
	for _, t := range s.trunks {
		c := sip.TrunkConfig{ID: string(t.Code), Options: time.Duration(t.OptionsS) * time.Second}
		if t.OptionsS == 0 {
			c.Options = -1 // nobody is asked how they are
		}
		if carriers[t.Code] && t.OptionsS > 0 {
			c.Options, c.Within = min(c.Options, carrierEvery), lineWithin
		}
		for _, p := range t.Peers {
			if t.Protocol != "" && t.Protocol != "udp" {
				p = "sip:" + p + ";transport=" + t.Protocol
			}
			c.Targets = append(c.Targets, p)
		}
		for _, a := range t.Accept {
			if prefix, err := parsePrefix(a); err == nil {
				c.Allow = append(c.Allow, prefix)
			}
		}
		if t.User != "" {
			c.Auth = &sip.Credentials{User: t.User, Password: t.Password}
		}
		if t.Kind == "register" && len(t.Peers) > 0 {
			host, _, _ := strings.Cut(t.Peers[0], ":")
			c.Register = &sip.TrunkRegister{AOR: sip.URI{Scheme: "sip", User: t.User, Host: host}}
		}
		out = append(out, c)
	}
	slices.SortFunc(out, func(a, b sip.TrunkConfig) int { return strings.Compare(a.ID, b.ID) })
	return out
}

// wayOut chooses the trunk for an outside number: the first that has a peer, by code.
func (s *snapshot) wayOut(number string) (trunk string, to sip.URI, ok bool) {
	if !dialable(number) {
		return "", to, false
	}
	codes := make([]string, 0, len(s.trunks))
	for code, t := range s.trunks {
		if len(t.Peers) > 0 {
			codes = append(codes, string(code))
		}
	}
	if len(codes) == 0 {
		return "", to, false
	}
	slices.Sort(codes)
	return codes[0], sip.URI{Scheme: "sip", User: number}, true
}

// dialable lets digits through and nothing else: what an agent types goes into a SIP address.
func dialable(number string) bool {
	if len(number) < 3 || len(number) > 20 {
		return false
	}
	return strings.Trim(number, "0123456789") == "" || number[0] == '+' && strings.Trim(number[1:], "0123456789") == ""
}

// NumberName names a number of the hotline.
func (m *Module) NumberName(n id.Number) (zh, en string) {
	name := m.snap.Load().numbers[n].Name
	return name, name
}

// NumberCalendar gives the calendar of a number of the hotline, "" when it has none.
func (m *Module) NumberCalendar(n id.Number) string { return m.snap.Load().numbers[n].Calendar }

// Alive says whether the contact's call is under way in this process.
func (m *Module) Alive(c id.Contact) bool { return m.find(c) != nil }
