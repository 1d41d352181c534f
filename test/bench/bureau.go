package main

import (
	"encoding/json"
	"fmt"

	"github.com/goccy/go-yaml"

	"github.com/kapok-hotline/kapok/app/demo"
)

// The demo bureau's people and the number that leads straight to a queue.
const (
	agents    = 33
	direct    = "12367"
	phoneWord = "bench-phone-7"
)

func userCode(i int) string  { return fmt.Sprint(1001 + i) }
func phoneCode(i int) string { return fmt.Sprint(8001 + i) }

// staffing is what a row needs of the bureau: so many agents, calls recorded or not.
type staffing struct {
	people   int
	recorded bool
}

// bureau is the demo bureau for the bench: no wrap-up and, where the row does not ask for it, no recording (as in the
// peers' figures), no rule that turns callers away, the phones with a password, and as many agents more as the row needs.
func bureau(o staffing) ([]byte, error) {
	var file map[string]any
	if err := yaml.Unmarshal(demo.Bureau(), &file); err != nil {
		return nil, fmt.Errorf("the demo bureau cannot be read: %w", err)
	}
	each(file, "queues", func(q map[string]any) {
		q["wrapup_s"], q["ring_s"], q["no_recording"] = 0, 15, !o.recorded
		for _, k := range []string{"max_length", "max_wait_s", "no_agents_s", "announce_s", "on_full", "on_max_wait", "on_no_agents", "on_closing"} {
			delete(q, k)
		}
		q["no_agents_s"] = 0
	})
	each(file, "phones", func(p map[string]any) { p["password"] = phoneWord })
	for i := agents; i < o.people; i++ {
		add(file, "users", map[string]any{"code": userCode(i), "name": "坐席" + userCode(i), "site": "gz", "roles": []string{"agent"}, "active": true})
		add(file, "agents", map[string]any{"user": userCode(i), "skills": map[string]int{"general": 2}})
		add(file, "phones", map[string]any{"code": phoneCode(i), "site": "gz", "password": phoneWord})
	}
	each(file, "trunks", func(t map[string]any) { t["options_s"] = 0 })
	file["rules"] = map[string]any{"missed_limit": 0}
	file["settings"] = map[string]any{"recording": o.recorded, "language": "zh"}
	return json.MarshalIndent(file, "", " ") // JSON is YAML; its lines have a bound
}

func each(file map[string]any, section string, f func(map[string]any)) {
	list, _ := file[section].([]any)
	for _, x := range list {
		if item, ok := x.(map[string]any); ok {
			f(item)
		}
	}
}

func add(file map[string]any, section string, item map[string]any) {
	list, _ := file[section].([]any)
	file[section] = append(list, item)
}
