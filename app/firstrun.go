package app

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"

	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/modules/identity"
	"github.com/kapok-hotline/kapok/platform/section"
)

// starter is what every new bureau begins with: a queue, the shipped prompts, a flow, the desk's lists.
//
//go:embed starter.yaml
var starter []byte

// officeCalendar is the calendar the first-run wizard makes; the starter's flow and queue ask it.
const officeCalendar = "office"

// bootstrap makes a bureau of what the first-run wizard asked, in one change of the configuration: all or nothing.
func (h *House) bootstrap(ctx context.Context, s identity.Setup) error {
	items := s.Items()
	file := map[string]any{
		"bureau": items.Bureau, "sites": items.Sites, "roles": items.Roles, "users": items.Users,
		"calendars": []any{calendarOf(s.Hours)},
	}
	if s.Number != "" {
		file["numbers"] = []any{map[string]any{"code": s.Number, "name": s.Bureau.Name, "site": identity.SetupSite, "flow": "main", "calendar": officeCalendar}}
	}
	if len(s.Agents) > 0 {
		var agents []any
		for _, a := range s.Agents {
			agents = append(agents, map[string]any{"user": a.User, "skills": map[string]int{"general": 1}})
		}
		file["agents"] = agents
	}
	asked, err := json.Marshal(file) // JSON is YAML; one line of it holds the wizard's part
	if err != nil {
		return err
	}
	whole, err := joined(asked, starter)
	if err != nil {
		return err
	}
	r, err := h.book.Apply(ctx, whole, section.Options{})
	if err != nil {
		return err
	}
	if len(r.Problems) > 0 {
		p := r.Problems[0]
		return fault.New(fault.Invalid, p.Code, flat(p.Params)...).At(p.Path)
	}
	return nil
}

// joined makes one YAML file of a JSON object and a YAML file whose keys differ: the object's members first.
func joined(object, file []byte) ([]byte, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(object, &members); err != nil {
		return nil, err
	}
	var out bytes.Buffer
	for key, value := range members {
		fmt.Fprintf(&out, "%s: %s\n", key, value)
	}
	out.Write(file)
	return out.Bytes(), nil
}

func flat(params map[string]any) []any {
	out := make([]any, 0, 2*len(params))
	for k, v := range params {
		out = append(out, k, v)
	}
	return out
}

// calendarOf makes the office hours of what the wizard asked: the days (1 = Monday), the hours, the lunch break,
// and the country's holidays with their swapped days. Without hours the bureau is always open.
func calendarOf(hours identity.SetupHours) map[string]any {
	c := map[string]any{"code": officeCalendar, "name": "工作时间", "name_en": "Office hours"}
	if hours.From == "" || hours.To == "" {
		c["always"] = true
		return c
	}
	spells := []string{hours.From + "-" + hours.To}
	if hours.LunchFrom != "" && hours.LunchTo != "" {
		spells = []string{hours.From + "-" + hours.LunchFrom, hours.LunchTo + "-" + hours.To}
	}
	days := hours.Days
	if len(days) == 0 {
		days = []int{1, 2, 3, 4, 5}
	}
	names := []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat", "sun"} // 0 and 7 are both Sunday
	weekly := map[string]any{}
	for _, d := range days {
		if d >= 0 && d < len(names) {
			weekly[names[d]] = spells
		}
	}
	c["weekly"], c["holidays"] = weekly, "cn"
	return c
}
