package main

import (
	"encoding/json"
	"fmt"

	"github.com/goccy/go-yaml"

	"github.com/kapok-hotline/kapok/app/demo"
)

// The demo bureau's people and the number that leads straight to a queue.
const (
	agents     = 33
	direct     = "12367"
	phoneWord  = "bench-phone-7"
	manyAtOnce = 60 // calls one robot phone may hold in the rows that are not about a bureau's size
)

func userCode(i int) string  { return fmt.Sprint(1001 + i) }
func phoneCode(i int) string { return fmt.Sprint(8001 + i) }

// bureau is the demo bureau for the bench: no recording and no wrap-up (as in the peers' figures), no rule that
// turns callers away, the phones with a password, and each agent taking so many calls at once.
func bureau(capacity int) ([]byte, error) {
	var file map[string]any
	if err := yaml.Unmarshal(demo.Bureau(), &file); err != nil {
		return nil, fmt.Errorf("the demo bureau cannot be read: %w", err)
	}
	each(file, "queues", func(q map[string]any) {
		q["wrapup_s"], q["ring_s"], q["no_recording"] = 0, 15, true
		for _, k := range []string{"max_length", "max_wait_s", "no_agents_s", "announce_s", "on_full", "on_max_wait", "on_no_agents", "on_closing"} {
			delete(q, k)
		}
		q["no_agents_s"] = 0
	})
	each(file, "phones", func(p map[string]any) { p["password"] = phoneWord })
	each(file, "agents", func(a map[string]any) { a["capacity"] = map[string]int{"phone": capacity} })
	each(file, "trunks", func(t map[string]any) { t["options_s"] = 0 })
	file["rules"] = map[string]any{"missed_limit": 0}
	file["settings"] = map[string]any{"recording": false, "language": "zh"}
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
