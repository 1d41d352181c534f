package outbound

import (
	"context"
	"slices"
	"strings"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/section"
	"github.com/kapok-hotline/kapok/platform/store"
)

// List is who is called, for what, by whom and when. The people on it are no configuration: they are brought in and
// worked off.
type List struct {
	Code          string    `json:"code" minLength:"1" maxLength:"32"`
	Name          string    `json:"name" minLength:"1" maxLength:"64"`
	NameEn        string    `json:"name_en,omitempty" maxLength:"64"`
	Kind          string    `json:"kind" enum:"visit,missed,correction,other" default:"visit" doc:"return visit, missed caller, correction of a wrong answer"`
	Mode          string    `json:"mode" enum:"preview,progressive" default:"preview" doc:"preview: the agent looks first and dials; progressive: dialled for agents who are idle"`
	Site          id.Site   `json:"site" ref:"sites" doc:"its agents, with all below it"`
	Queue         id.Queue  `json:"queue" ref:"queues" doc:"agents who meet its needs; its callers come first"`
	Script        string    `json:"script,omitempty" maxLength:"4000" doc:"what the agent reads out"`
	Priority      int       `json:"priority,omitempty" minimum:"-5" maximum:"5" doc:"of two lists for the same agents the higher comes first"`
	Weight        int       `json:"weight,omitempty" minimum:"0" maximum:"100" doc:"progressive: of lists of one priority that want the same agents each is dialled by its weight; 0: 1"`
	Tries         int       `json:"tries" minimum:"1" maximum:"10" default:"3"`
	GapMin        int       `json:"gap_min" minimum:"1" maximum:"10080" default:"60" doc:"minutes between two attempts"`
	RingS         int       `json:"ring_s" minimum:"10" maximum:"60" default:"40" doc:"how long the person's telephone rings"`
	Calendar      string    `json:"calendar,omitempty" ref:"calendars" doc:"nobody is called while it is closed, at lunch or on a holiday"`
	From          string    `json:"from" pattern:"^([01][0-9]|2[0-3]):[0-5][0-9]$" default:"09:00" doc:"nobody is called before"`
	To            string    `json:"to" pattern:"^([01][0-9]|2[0-3]):[0-5][0-9]$" default:"18:00" doc:"nor from then on"`
	KeepFree      int       `json:"keep_free,omitempty" minimum:"0" maximum:"1000" doc:"progressive: so many idle agents are left to callers"`
	IdleS         int       `json:"idle_s" minimum:"0" maximum:"600" default:"5" doc:"progressive: how long an agent has been idle before"`
	FromMissed    bool      `json:"from_missed,omitempty" doc:"missed callers come onto it by themselves while it is on, and go when anybody has spoken with them"`
	MissedOf      id.Queue  `json:"missed_of,omitempty" ref:"queues" doc:"only those who waited in this queue last; empty: all of the site"`
	Machine       string    `json:"machine,omitempty" enum:",hang_up,message" doc:"progressive: what is done with an answering machine; empty: nobody listens for one"`
	MachinePrompt id.Prompt `json:"machine_prompt,omitempty" ref:"prompts" doc:"what is said to it"`
	GreetingS     int       `json:"greeting_s,omitempty" minimum:"0" maximum:"5" doc:"who speaks longer before a pause is a machine; 0: 2.5 s"`
	KeepOn        bool      `json:"keep_on,omitempty" doc:"who has called in and been answered meanwhile is called all the same"`
}

// The modes.
const (
	Preview     = "preview"
	Progressive = "progressive"
)

// What is done with an answering machine.
const leaveMessage = "message"

// machine is what the telephone does with an answering machine; nil: nobody listens for one.
func (l List) machine() *contact.Machine {
	if l.Machine == "" || l.Mode != Progressive {
		return nil
	}
	m := &contact.Machine{GreetingS: l.GreetingS}
	if l.Machine == leaveMessage {
		m.Prompt = l.MachinePrompt
	}
	return m
}

var listTable = store.Docs[List]{Table: "outbound_list"}

// Sections gives the lists.
func (m *Module) Sections() []section.Section {
	return []section.Section{section.Of(section.Spec[List]{
		Key: "outbound_lists", Order: 97, Right: Manage,
		ID: func(l List) string { return l.Code }, Site: func(l List) id.Site { return l.Site },
		Load: func(ctx context.Context, tx *store.Tx) ([]List, error) { return listTable.Load(ctx, tx) },
		Put:  func(ctx context.Context, tx *store.Tx, l List) error { return listTable.Put(ctx, tx, l.Code, l) },
		Drop: m.dropList,
		Check: func(_ section.Lookup, l List) []section.Problem {
			if minutes(l.From) >= minutes(l.To) {
				return []section.Problem{section.Complaint("to", "outbound.list.hours", "from", l.From, "to", l.To)}
			}
			if l.Machine == leaveMessage && l.MachinePrompt == "" {
				return []section.Problem{section.Complaint("machine_prompt", "outbound.list.prompt")}
			}
			return nil
		},
	})}
}

// dropList removes a list with who was not called yet; whoever was stays in the figures.
func (m *Module) dropList(ctx context.Context, tx *store.Tx, code string) error {
	if err := listTable.Drop(ctx, tx, code); err != nil {
		return err
	}
	if _, err := store.Exec(ctx, tx, `DELETE FROM outbound_run WHERE list = ?`, code); err != nil {
		return err
	}
	_, err := store.Exec(ctx, tx, `DELETE FROM outbound_person WHERE list = ? AND state IN ('pending', 'shown', 'closed')`, code)
	return err
}

// list finds a list.
func (m *Module) list(code string) (List, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	i := slices.IndexFunc(m.lists, func(l List) bool { return l.Code == code })
	if i < 0 {
		return List{}, false
	}
	return m.lists[i], true
}

// running gives the lists being worked off, the most important first.
func (m *Module) running(mode string) []List {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []List
	for _, l := range m.lists {
		if m.on[l.Code] && (mode == "" || l.Mode == mode) {
			out = append(out, l)
		}
	}
	slices.SortStableFunc(out, func(a, b List) int {
		if a.Priority != b.Priority {
			return b.Priority - a.Priority
		}
		return strings.Compare(a.Code, b.Code)
	})
	return out
}

// reload reads the lists and which of them are on.
func (m *Module) reload(ctx context.Context) error {
	lists, err := listTable.Load(ctx, m.deps.DB)
	if err != nil {
		return err
	}
	on, err := store.All(ctx, m.deps.DB, `SELECT list FROM outbound_run`, store.Col[string])
	if err != nil {
		return err
	}
	m.mu.Lock()
	m.lists, m.on = lists, map[string]bool{}
	for _, code := range on {
		m.on[code] = true
	}
	m.mu.Unlock()
	m.nudge()
	return nil
}
