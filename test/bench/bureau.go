package main

import (
	"encoding/json"
	"fmt"

	"github.com/goccy/go-yaml"

	"github.com/kapok-hotline/kapok/app/demo"
)

// The demo bureau's people, the number that leads straight to a queue, that which asks for the caller's city first, and
// that where nobody is at work.
const (
	agents    = 33
	direct    = "12367"
	province  = "12368"
	nobody    = "12369"
	phoneWord = "bench-phone-7"
)

func userCode(i int) string  { return fmt.Sprint(1001 + i) }
func phoneCode(i int) string { return fmt.Sprint(8001 + i) }

// staffing is what a row needs of the bureau: so many agents, calls recorded or not, one city or three.
type staffing struct {
	people   int
	recorded bool
	cities   bool
}

// cities are those of a bureau of three: their codes are sites, queues and skills too.
var cities = []struct{ code, area string }{{"gz", "020"}, {"fs", "0757"}, {"dg", "0769"}}

// cityOf gives an agent's city: the demo's own people stay in theirs.
func cityOf(i int) string {
	if i < agents {
		return cities[0].code
	}
	return cities[i%len(cities)].code
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
	if o.cities {
		found(file)
	}
	for i := agents; i < o.people; i++ {
		site := cities[0].code
		if o.cities {
			site = cityOf(i)
		}
		add(file, "users", map[string]any{"code": userCode(i), "name": "坐席" + userCode(i), "site": site, "roles": []string{"agent"}, "active": true})
		add(file, "agents", map[string]any{"user": userCode(i), "skills": map[string]int{"general": 2}})
		add(file, "phones", map[string]any{"code": phoneCode(i), "site": site, "password": phoneWord})
	}
	if o.cities {
		n := 0
		each(file, "agents", func(a map[string]any) { a["skills"] = map[string]int{"city_" + cityOf(n): 2}; n++ })
	}
	each(file, "trunks", func(t map[string]any) { t["options_s"] = 0 })
	file["rules"] = map[string]any{"missed_limit": 0}
	file["settings"] = map[string]any{"recording": o.recorded, "language": "zh"}
	return json.MarshalIndent(file, "", " ") // JSON is YAML; its lines have a bound
}

// found makes a province of the bureau: a site, a skill and a queue for each city, a number that brings callers to the
// queue of theirs, and a queue whose skill nobody has.
func found(file map[string]any) {
	queue := func(code, site string) {
		add(file, "skills", map[string]any{"code": code, "name": code})
		add(file, "queues", map[string]any{
			"code": code, "name": code, "site": site, "needs": []any{map[string]any{"skill": code, "level": 1}},
			"ring_s": 15, "no_agents_s": 0, "no_recording": true, "music": "music",
		})
	}
	for _, c := range cities {
		if c.code != cities[0].code {
			add(file, "sites", map[string]any{"code": c.code, "name": c.code, "kind": "city", "parent": "gd", "area_code": c.area})
		}
		queue("city_"+c.code, c.code)
		add(file, "cities", map[string]any{"code": c.code, "name": c.code, "area": c.area, "site": c.code, "queues": map[string]string{"general": "city_" + c.code}})
	}
	queue("nobody", "gd")
	number := func(code, flow string, nodes ...any) {
		add(file, "numbers", map[string]any{"code": code, "name": flow, "site": "gd", "flow": flow})
		add(file, "flows", map[string]any{"code": flow, "name": flow, "start": "first", "nodes": nodes})
	}
	number(province, "by_city", map[string]any{"id": "first", "kind": "city", "next": "queue", "elsewhere": "queue", "unknown": "queue"},
		map[string]any{"id": "queue", "kind": "queue", "queue": "general", "by_city": true})
	number(nobody, "to_nobody", map[string]any{"id": "first", "kind": "queue", "queue": "nobody"})
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
