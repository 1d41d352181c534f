package voice

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/core/right"
	"github.com/kapok-hotline/kapok/engine/flow"
	"github.com/kapok-hotline/kapok/platform/section"
	"github.com/kapok-hotline/kapok/platform/sip"
	"github.com/kapok-hotline/kapok/platform/store"
)

// The rights of voice.
const (
	ManagePhones  right.Right = "voice.phone.manage"
	ManageTrunks  right.Right = "voice.trunk.manage"
	ManageNumbers right.Right = "voice.number.manage"
	ManagePrompts right.Right = "voice.prompt.manage"
	ManageFlows   right.Right = "voice.flow.manage"
	PlayRecording right.Right = "voice.recording.play"
	CallAbroad    right.Right = "voice.call.abroad" // asks nothing by itself: rules for calls out can name it
	// ManageRecordings is for keys, retention, legal hold and erasure.
	ManageRecordings right.Right = "voice.recording.manage"
)

// Rights gives the rights voice declares.
func (m *Module) Rights() []right.Right {
	return []right.Right{CallAbroad, ManagePhones, ManageTrunks, ManageNumbers, ManagePrompts, ManageFlows, PlayRecording, ManageRecordings, ManageSpeech, PlaySecret, SeeCallbacks, ManageCallbacks}
}

// Sections gives what of voice can be configured.
func (m *Module) Sections() []section.Section {
	return []section.Section{
		section.Of(m.phoneSection()),
		section.Of(trunkSection()),
		section.Of(citySection()),
		section.Of(segmentSection()),
		section.Of(areaSection()),
		section.Of(ruleSection()),
		screeningSection(),
		section.Of(section.Spec[Prompt]{
			Key: "prompts", Order: 52, Right: ManagePrompts,
			ID:   func(p Prompt) string { return string(p.Code) },
			Load: func(ctx context.Context, tx *store.Tx) ([]Prompt, error) { return promptTable.Load(ctx, tx) },
			Put: func(ctx context.Context, tx *store.Tx, p Prompt) error {
				return promptTable.Put(ctx, tx, string(p.Code), p)
			},
			Drop: func(ctx context.Context, tx *store.Tx, code string) error { return promptTable.Drop(ctx, tx, code) },
		}),
		section.Of(section.Spec[flow.Graph]{
			Key: "flows", Order: 60, Right: ManageFlows,
			ID:    func(g flow.Graph) string { return string(g.Code) },
			Load:  loadGraphs,
			Put:   m.publish,
			Drop:  dropFlow,
			Check: checkFlow,
		}),
		section.Of(section.Spec[Number]{
			Key: "numbers", Order: 75, Right: ManageNumbers,
			ID:   func(n Number) string { return string(n.Code) },
			Site: func(n Number) id.Site { return n.Site },
			Load: func(ctx context.Context, tx *store.Tx) ([]Number, error) { return numberTable.Load(ctx, tx) },
			Put: func(ctx context.Context, tx *store.Tx, n Number) error {
				return numberTable.Put(ctx, tx, string(n.Code), n)
			},
			Drop: func(ctx context.Context, tx *store.Tx, code string) error { return numberTable.Drop(ctx, tx, code) },
		}),
		section.Of(section.Spec[Settings]{
			Key: "settings", Order: 76, Right: ManageNumbers, Single: true,
			Load: func(ctx context.Context, tx *store.Tx) ([]Settings, error) {
				s, err := settingsTable.Load(ctx, tx)
				if err == nil && len(s) == 0 {
					s = []Settings{defaultSettings()}
				}
				return s, err
			},
			Put: func(ctx context.Context, tx *store.Tx, s Settings) error {
				return settingsTable.Put(ctx, tx, "settings", s)
			},
		}),
		section.Of(retentionSection()),
		section.Of(surveySection()),
		speechSection(),
	}
}

// phoneSection keeps the digests of a password, never the password; an empty one keeps those there are.
func (m *Module) phoneSection() section.Spec[Phone] {
	stored := func(ctx context.Context, tx *store.Tx, code id.Phone) (phoneRow, error) {
		body, err := store.One(ctx, tx, `SELECT body FROM voice_phone WHERE code = ?`, store.Col[string], string(code))
		if errors.Is(err, store.ErrNotFound) {
			return phoneRow{}, nil
		}
		var row phoneRow
		if err == nil {
			err = json.Unmarshal([]byte(body), &row)
		}
		return row, err
	}
	return section.Spec[Phone]{
		Key: "phones", Order: 50, Right: ManagePhones, Check: checkPhone,
		ID:   func(p Phone) string { return string(p.Code) },
		Site: func(p Phone) id.Site { return p.Site },
		Load: func(ctx context.Context, tx *store.Tx) ([]Phone, error) {
			rows, err := phoneTable.Load(ctx, tx)
			out := make([]Phone, 0, len(rows))
			for _, r := range rows {
				out = append(out, r.Phone)
			}
			return out, err
		},
		Put: func(ctx context.Context, tx *store.Tx, p Phone) error {
			row, err := stored(ctx, tx, p.Code)
			if err != nil {
				return err
			}
			if p.Number != "" && p.Pin && p.Password == "" && row.MD5 == "" {
				return fault.New(fault.Invalid, "voice.phone.pin").At("password")
			}
			if p.Password != "" {
				d := digests(string(p.Code), m.deps.Realm, p.Password)
				row.MD5, row.SHA256 = d[sip.MD5], d[sip.SHA256]
			}
			p.Password = ""
			row.Phone = p
			return phoneTable.Put(ctx, tx, string(p.Code), row)
		},
		Drop: func(ctx context.Context, tx *store.Tx, code string) error { return phoneTable.Drop(ctx, tx, code) },
		Secret: func(ctx context.Context, tx *store.Tx, p Phone) (bool, error) {
			row, err := stored(ctx, tx, p.Code)
			return row.MD5 == sip.HA1(sip.MD5, string(p.Code), m.deps.Realm, p.Password), err
		},
	}
}

// checkPhone asks of a phone outside the house that it can be dialled, and that a PIN can be keyed.
func checkPhone(all section.Lookup, p Phone) []section.Problem {
	var out []section.Problem
	if p.Number == "" {
		return nil
	}
	if !dialable(p.Number) || slices.Contains(all.Codes("numbers"), p.Number) || slices.Contains(all.Codes("phones"), p.Number) {
		out = append(out, section.Complaint("number", "voice.phone.number", "number", p.Number))
	}
	if n := len(p.Password); n > 0 && (n < pinShortest || n > pinLongest || strings.Trim(p.Password, "0123456789") != "") {
		out = append(out, section.Complaint("password", "voice.phone.pin"))
	}
	return out
}

func trunkSection() section.Spec[Trunk] {
	stored := func(ctx context.Context, tx *store.Tx, code id.Trunk) (Trunk, error) {
		all, err := trunkTable.Load(ctx, tx)
		for _, t := range all {
			if t.Code == code {
				return t, err
			}
		}
		return Trunk{}, err
	}
	return section.Spec[Trunk]{
		Key: "trunks", Order: 51, Right: ManageTrunks,
		ID:   func(t Trunk) string { return string(t.Code) },
		Site: func(t Trunk) id.Site { return t.Site },
		Load: func(ctx context.Context, tx *store.Tx) ([]Trunk, error) {
			all, err := trunkTable.Load(ctx, tx)
			for i := range all {
				all[i].Password = ""
			}
			return all, err
		},
		Put: func(ctx context.Context, tx *store.Tx, t Trunk) error {
			if t.Password == "" {
				old, err := stored(ctx, tx, t.Code)
				if err != nil {
					return err
				}
				t.Password = old.Password
			}
			return trunkTable.Put(ctx, tx, string(t.Code), t)
		},
		Drop: func(ctx context.Context, tx *store.Tx, code string) error { return trunkTable.Drop(ctx, tx, code) },
		Secret: func(ctx context.Context, tx *store.Tx, t Trunk) (bool, error) {
			old, err := stored(ctx, tx, t.Code)
			return old.Password == t.Password, err
		},
		Check: checkTrunk,
	}
}

func checkTrunk(_ section.Lookup, t Trunk) []section.Problem {
	var out []section.Problem
	for i, a := range t.Accept {
		if _, err := parsePrefix(a); err != nil {
			out = append(out, section.Complaint("accept["+strconv.Itoa(i)+"]", "voice.trunk.address", "address", a))
		}
	}
	if t.Kind == "register" && (t.User == "" || len(t.Peers) == 0) {
		out = append(out, section.Complaint("user", "voice.trunk.register"))
	}
	if t.Kind == "ip" && len(t.Accept)+len(t.Peers) == 0 {
		out = append(out, section.Complaint("accept", "voice.trunk.nobody"))
	}
	return out
}

func loadGraphs(ctx context.Context, tx *store.Tx) ([]flow.Graph, error) {
	rows, err := newestFlows(ctx, tx)
	out := make([]flow.Graph, 0, len(rows))
	for _, r := range rows {
		out = append(out, r.graph)
	}
	return out, err
}

// publish keeps a flow as its next version.
func (m *Module) publish(ctx context.Context, tx *store.Tx, g flow.Graph) error {
	body, err := json.Marshal(g)
	if err != nil {
		return err
	}
	_, err = store.Exec(ctx, tx, `INSERT INTO voice_flow (code, version, at, body)
		SELECT ?, COALESCE(MAX(version), 0) + 1, ?, ? FROM voice_flow WHERE code = ?`,
		string(g.Code), m.now().UnixMilli(), string(body), string(g.Code))
	if err != nil {
		return err
	}
	return noteVersion(ctx, tx, g.Code)
}

func dropFlow(ctx context.Context, tx *store.Tx, code string) error {
	if err := forgetFlow(ctx, tx, code); err != nil {
		return err
	}
	return store.Change(ctx, tx, `DELETE FROM voice_flow WHERE code = ?`, code)
}

// checkFlow compiles the graph among everything else that will hold.
func checkFlow(all section.Lookup, g flow.Graph) []section.Problem {
	_, problems := flow.Compile(g, flow.Env{
		Prompts: all.Codes("prompts"), Queues: all.Codes("queues"), Skills: all.Codes("skills"),
		Calendars: all.Codes("calendars"), Flows: all.Codes("flows"), Users: all.Codes("users"),
	})
	out := make([]section.Problem, 0, len(problems))
	for _, p := range problems {
		out = append(out, fromFlow(p))
	}
	return out
}

func fromFlow(p flow.Problem) section.Problem {
	return section.Problem{Path: p.Path(), Code: p.Code, Params: p.Params}
}
