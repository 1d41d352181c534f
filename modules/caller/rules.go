package caller

import (
	"context"
	"strconv"
	"strings"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/core/phone"
	"github.com/kapok-hotline/kapok/platform/section"
	"github.com/kapok-hotline/kapok/platform/store"
)

// Rules say what calling too often means, and what is never held against anybody.
type Rules struct {
	Calls     int         `json:"calls" minimum:"0" maximum:"100" doc:"talks with agents that are nobody's business; who asks for one more is limited; 0: no such rule"`
	WithinMin int         `json:"within_min" minimum:"1" maximum:"1440" default:"60" doc:"minutes within which they are counted"`
	ShortS    int         `json:"short_s" minimum:"0" maximum:"120" default:"15" doc:"a talk shorter than this does not count: the line may have broken"`
	Do        string      `json:"do" enum:"message,last,notice" default:"last" doc:"message: they hear a prompt and the call ends; last: they wait behind others, ten minutes at most; notice: the agent is told"`
	Prompt    id.Prompt   `json:"prompt,omitempty" ref:"prompts" doc:"of message; empty: the shipped one"`
	Exempt    []string    `json:"exempt,omitempty" doc:"numbers that are never counted, by how they begin: switchboards of companies and offices"`
	Queues    []id.Queue  `json:"queues,omitempty" ref:"queues" doc:"queues where no rule about callers holds, marks included: emergencies. Those for tip-offs never have one"`
	Numbers   []id.Number `json:"numbers,omitempty" ref:"numbers" doc:"numbers of ours where no rule about callers holds"`
}

func defaultRules() Rules { return Rules{WithinMin: 60, ShortS: 15, Do: contact.LimitLast} }

// Mark says that a number, or numbers that begin so, pester. It ends by itself.
type Mark struct {
	Code     string   `json:"code" minLength:"1" maxLength:"40"`
	Number   string   `json:"number" minLength:"3" maxLength:"32" doc:"whole, or its beginning"`
	Begins   bool     `json:"begins,omitempty" doc:"every number that begins so, by seven digits at least"`
	Reason   string   `json:"reason" minLength:"2" maxLength:"300"`
	From     int64    `json:"from" doc:"unix ms"`
	Until    int64    `json:"until" doc:"unix ms; a year after from at most"`
	Do       string   `json:"do" enum:"message,last,skill,notice" doc:"message: they hear a prompt and the call ends; last: they wait behind others; skill: only agents with it take them; notice: the agent is told"`
	Skill    id.Skill `json:"skill,omitempty" ref:"skills" doc:"of skill"`
	Asked    id.User  `json:"asked" minLength:"1" maxLength:"64" doc:"who asked for it"`
	Approved id.User  `json:"approved" minLength:"1" maxLength:"64" doc:"who approved it: somebody else"`
}

// Bounds of marks.
const (
	longest   = 366 * dayMs // a mark lasts at most
	dayMs     = int64(24 * 3600 * 1000)
	leastHead = 7 // digits a beginning has at least: fewer are a whole town
	mostMarks = 5000
)

var (
	rulesTable = store.Docs[Rules]{Table: "caller_rules"}
	markTable  = store.Docs[Mark]{Table: "caller_mark"}
)

// rulesKey and marksKey name the sections.
const (
	rulesKey = "caller_rules"
	marksKey = "caller_marks"
)

// Sections gives what can be configured.
func (m *Module) Sections() []section.Section {
	return []section.Section{
		section.Of(section.Spec[Rules]{
			Key: rulesKey, Order: 95, Right: Manage, Single: true,
			Load:  func(ctx context.Context, tx *store.Tx) ([]Rules, error) { return loadRules(ctx, tx) },
			Put:   func(ctx context.Context, tx *store.Tx, r Rules) error { return rulesTable.Put(ctx, tx, rulesKey, r) },
			Check: func(_ section.Lookup, r Rules) []section.Problem { return checkRules(r) },
		}),
		section.Of(section.Spec[Mark]{
			Key: marksKey, Order: 96, Right: Manage,
			ID:    func(k Mark) string { return k.Code },
			Load:  func(ctx context.Context, tx *store.Tx) ([]Mark, error) { return markTable.Load(ctx, tx) },
			Put:   func(ctx context.Context, tx *store.Tx, k Mark) error { return markTable.Put(ctx, tx, k.Code, k) },
			Drop:  func(ctx context.Context, tx *store.Tx, code string) error { return markTable.Drop(ctx, tx, code) },
			Check: checkMark,
		}),
	}
}

func loadRules(ctx context.Context, q store.Querier) ([]Rules, error) {
	r, err := rulesTable.Load(ctx, q)
	if err == nil && len(r) == 0 {
		r = []Rules{defaultRules()}
	}
	return r, err
}

func checkRules(r Rules) []section.Problem {
	var out []section.Problem
	for i, b := range r.Exempt {
		if head := beginning(b); len(head) < 3 || len(head) > 20 {
			out = append(out, section.Complaint("exempt["+strconv.Itoa(i)+"]", "caller.number.wrong", "number", b))
		}
	}
	return out
}

func checkMark(all section.Lookup, k Mark) []section.Problem {
	var out []section.Problem
	wrong := func(path, code string, params ...any) { out = append(out, section.Complaint(path, code, params...)) }
	switch number := k.key(); {
	case number == "":
		wrong("number", "caller.number.wrong", "number", k.Number)
	case k.Begins && len(number) < leastHead:
		wrong("number", "caller.number.head", "digits", leastHead)
	}
	if k.Until <= k.From || k.Until-k.From > longest {
		wrong("until", "caller.mark.until", "days", longest/dayMs)
	}
	if k.Asked == k.Approved {
		wrong("approved", "caller.mark.own")
	}
	if (k.Do == contact.LimitSkill) != (k.Skill != "") {
		wrong("skill", "caller.mark.skill")
	}
	if strings.TrimSpace(k.Reason) == "" {
		wrong("reason", "caller.mark.reason")
	}
	if codes := all.Codes(marksKey); len(codes) > mostMarks {
		wrong("code", "caller.mark.many", "most", mostMarks)
	}
	return out
}

// key gives what callers are compared with: a number in national form or its beginning; "" when it is neither.
func (k Mark) key() string {
	if k.Begins {
		return beginning(k.Number)
	}
	return known(k.Number)
}

// known brings a number into the form callers have; "" for what cannot be a caller of the outside: withheld, an
// extension, a service such as 110.
func known(raw string) string {
	switch n := phone.Parse(raw, ""); n.Kind {
	case phone.Mobile, phone.Fixed, phone.TollFree, phone.Foreign:
		return n.National
	}
	return ""
}

// beginning brings the beginning of a number into the form callers have: mobile numbers have a 0 before them; "" when
// it has anything but digits.
func beginning(raw string) string {
	s := strings.NewReplacer(" ", "", "-", "").Replace(raw)
	if strings.Trim(s, "0123456789") != "" {
		return ""
	}
	if len(s) > 1 && s[0] == '1' && s[1] >= '3' {
		s = "0" + s
	}
	return s
}

// reload reads rules and marks.
func (m *Module) reload(ctx context.Context) error {
	rules, err := loadRules(ctx, m.deps.DB)
	if err != nil {
		return err
	}
	marks, err := markTable.Load(ctx, m.deps.DB)
	if err == nil {
		m.rules.Store(bookOf(rules[0], marks))
		m.tell()
	}
	return err
}
