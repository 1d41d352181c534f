package main

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/kapok-hotline/kapok/test/house"
)

// Who works: the first serve the hotline, the next are asked by them and given calls, the last two of the agents sit at
// a browser; three leaders look after them, two of whom have a desk.
const (
	serving  = 21
	experts  = 7
	browsing = 2
	agents   = serving + experts + browsing
)

// habits are sipp's callers: how long they stay on the line, ms, the number they call, and how many of a hundred of all
// calls they make. The rest are people with a story, see stories.
var habits = []struct {
	what     string
	patience int
	number   string
	share    int
}{
	{"caller: up at the first word", 150, "12366", 9},
	{"caller: up in the menu", 1500, "12366", 9},
	{"caller: up in the queue", 300, "12367", 13},
	{"caller: waits 2 s", 2000, "12367", 21},
	{"caller: waits 6 s", 6000, "12367", 20},
	{"caller: waits 15 s", 15000, "12367", 12},
	{"caller: of another city", 12000, "12369", 4}, // whose queue nobody of its own serves: the ring around it does
	{"caller: into a full queue", 10000, "12360", 2},
}

// stories are the people who do more than wait; each story makes so many calls, and has so many of a hundred of all.
var stories = []struct {
	what  string
	share int
	calls int
	play  func(*people, string) string
}{
	{"callback: kept by the house", 4, 1, (*people).calledBack},
	{"callback: calls in first", 3, 2, (*people).callsIn},
	{"redial: the third is answered", 3, 3, (*people).redials},
}

// talks are what an agent does with a call; the weights add up to 100.
var talks = []struct {
	what   string
	weight int
	do     func(*robot, *talk) string
}{
	{"agent hangs up", 20, (*robot).hangUp},
	{"caller hangs up", 14, (*robot).leaveIt},
	{"hold", 12, (*robot).hold},
	{"hold with recall", 4, (*robot).forget},
	{"blind transfer to a queue", 6, (*robot).toQueue},
	{"blind transfer to an agent", 6, (*robot).toExpert},
	{"blind transfer to a number", 4, (*robot).toNumber},
	{"attended transfer", 10, (*robot).attended},
	{"attended transfer to a queue", 4, (*robot).attendedQueue},
	{"consult and back", 5, (*robot).asks},
	{"three-party", 6, (*robot).threeParty},
	{"transfer by REFER", 5, (*robot).refers},
	{"help asked for", 2, (*robot).helped},
	{"signs out in talk: refused", 2, (*robot).signsOut},
}

// ringing is what becomes of an offer, in a hundred: the rest is answered.
const (
	declining = 5
	missing   = 5
)

// bureau writes the house: short rings and wrap-ups, so that many calls find an agent; queues that call back, overflow,
// and are full; a carrier for calls out.
func bureau(carrier string) (string, error) {
	text, err := house.Bureau(
		33, "ring_s: 15", "ring_s: 5", "wrapup_s: 30", "wrapup_s: 1", "wrapup_s: 60", "wrapup_s: 1",
		"language: zh}", "language: zh, hold_limit_s: 1}",
		"trunks:\n", fmt.Sprintf("trunks:\n  - {code: out, name: 外线, site: gz, kind: ip, peers: [%q], accept: [127.9.9.9/32]}\n", carrier),
		"numbers:\n", `numbers:
  - {code: "12368", name: 回拨, site: gz, flow: back}
  - {code: "12369", name: 外区, site: gz-th, flow: away}
  - {code: "12360", name: 满员, site: gz, flow: tight}
`,
		"flows:\n", `flows:
  - {code: back, name: 回拨, start: queue, nodes: [{id: queue, kind: queue, queue: social}]}
  - {code: away, name: 外区, start: queue, nodes: [{id: queue, kind: queue, queue: th}]}
  - {code: tight, name: 满员, start: queue, nodes: [{id: queue, kind: queue, queue: tight}]}
`,
		"name_en: Social insurance, site: gz,", "name_en: Social insurance, callback_s: 1, callback_gap_s: 1, site: gz,",
		"queues:\n", `queues:
  - {code: th, name: 天河, site: gz-th, needs: [{skill: general, level: 1}], ring_s: 5, wrapup_s: 1, max_length: 40, no_agents_s: 10, music: music, on_full: full, on_no_agents: no_agents, rings: [{after_s: 1, sites: [gz]}]}
  - {code: tight, name: 满员, site: gz, needs: [{skill: english, level: 1}], ring_s: 5, wrapup_s: 1, max_length: 2, no_agents_s: 10, music: music, on_full: full, on_no_agents: no_agents}
`,
		"agents:\n", "agents:\n  - {user: leader2, skills: {tipoff: 1}}\n  - {user: leader3, skills: {tipoff: 1}}\n",
	)
	if err != nil {
		return "", err
	}
	for _, leader := range []string{"leader2", "leader3"} {
		text = strings.Replace(text, "- {code: "+leader+",", "- {code: "+leader+", password: "+house.Password+", must_change: false,", 1)
	}
	text += "\ncall_rules:\n  - {code: soak, classes: [service, local, mobile, domestic, inside], per_hour: 0}\n"
	for n := range agents {
		skills := "{general: 2, social: 2, etax: 2}"
		switch {
		case n < 2:
			skills = "{general: 2, social: 2, etax: 2, english: 1}"
		case n >= serving+experts:
			skills = "{general: 2, etax: 2}"
		case n >= serving:
			skills = "{complaint: 2}"
		}
		text = regexp.MustCompile(fmt.Sprintf(`(- \{user: "%d", skills: )\{[^}]*\}`, 1001+n)).ReplaceAllString(text, "${1}"+skills)
	}
	return text, nil
}
