package desk

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/store"
	"github.com/kapok-hotline/kapok/platform/web"
)

// Suggestions are what a summary may well say, by those written before: nothing is filled in that the person's own
// history does not say.
type Suggestions struct {
	Last   *PopPast       `json:"last,omitempty" doc:"the person's last contact that has a summary"`
	Topics []string       `json:"topics" doc:"codes, the most frequent of the agent first"`
	Topic  []TopicSuggest `json:"by_topic"`
	Refers []string       `json:"refers" doc:"who was to go on with it, before"`
}

// TopicSuggest is what summaries of one topic said: its tax type, when nearly all have the same, and answers.
type TopicSuggest struct {
	Topic   string   `json:"topic"`
	TaxType string   `json:"tax_type,omitempty"`
	Answers []string `json:"answers" doc:"the agent's own, and those that several contacts were given"`
}

const (
	suggestOf    = 500              // summaries looked at, the newest
	suggestFor   = 30 * time.Second // how long they are not read anew
	suggestMost  = 3                // answers of a topic
	answerLong   = 400              // longer ones are no suggestion
	suggestShare = 0.8              // of a topic's summaries that have the same tax type
)

// writtenBefore is a summary that suggests.
type writtenBefore struct {
	agent id.User
	Wrapup
}

// suggest answers for a contact the agent has or has written about.
func (m *Module) suggest(ctx context.Context, in *onContact) (*suggestOut, error) {
	user := web.Principal(ctx).User
	if err := m.mayWrite(ctx, in.ID, user); err != nil {
		return nil, err
	}
	all, err := m.before(ctx)
	if err != nil {
		return nil, err
	}
	out := suggestions(all, user)
	m.floor.mu.Lock()
	number := ""
	if s := m.floor.agents[user]; s != nil && s.cards[in.ID] != nil {
		number = s.cards[in.ID].about.from
	}
	m.floor.mu.Unlock()
	if number != "" {
		pop, err := m.deps.People.Pop(ctx, number, m.deps.Clock.Now())
		if err != nil {
			return nil, err
		}
		if i := slices.IndexFunc(pop.History, func(p PopPast) bool { return p.Topic != "" && p.Contact != in.ID }); i >= 0 {
			out.Last = &pop.History[i]
		}
	}
	return &suggestOut{Body: out}, nil
}

type suggestOut struct{ Body Suggestions }

// before gives the newest final summaries; they are read anew after a while.
func (m *Module) before(ctx context.Context) ([]writtenBefore, error) {
	now := m.deps.Clock.Now()
	m.past.mu.Lock()
	defer m.past.mu.Unlock()
	if m.past.of != nil && now.Sub(m.past.at) < suggestFor {
		return m.past.of, nil
	}
	all, err := store.All(ctx, m.deps.DB, `SELECT agent, body FROM desk_wrapup WHERE final = 1 ORDER BY at DESC LIMIT ?`, func(r store.Scanner) (w writtenBefore, err error) {
		var body string
		if err = r.Scan(&w.agent, &body); err == nil {
			err = json.Unmarshal([]byte(body), &w.Wrapup)
		}
		return w, err
	}, suggestOf)
	if err == nil {
		m.past.of, m.past.at = all, now
		if all == nil {
			m.past.of = []writtenBefore{}
		}
	}
	return all, err
}

// remember lets a summary just written suggest at once.
func (m *Module) remember(user id.User, w Wrapup) {
	m.past.mu.Lock()
	defer m.past.mu.Unlock()
	if m.past.of != nil {
		all := append([]writtenBefore{{user, w}}, m.past.of...)
		m.past.of = all[:min(len(all), suggestOf)]
	}
}

// suggestions counts what summaries, the newest first, said.
func suggestions(all []writtenBefore, me id.User) Suggestions {
	out := Suggestions{Topics: []string{}, Topic: []TopicSuggest{}, Refers: []string{}}
	mine, topics := counter{}, counter{}
	types, answers, refers := map[string]counter{}, map[string]counter{}, counter{}
	own := map[string]bool{}
	for i := range all {
		w := &all[i]
		refers.add(strings.TrimSpace(w.Refer))
		if w.Topic == "" {
			continue
		}
		topics.add(w.Topic)
		if w.agent == me {
			mine.add(w.Topic)
		}
		if types[w.Topic] == nil {
			types[w.Topic], answers[w.Topic] = counter{}, counter{}
		}
		types[w.Topic].add(w.TaxType)
		a := strings.TrimSpace(w.Answer)
		if len([]rune(a)) <= answerLong {
			answers[w.Topic].add(a)
			own[w.Topic+a] = own[w.Topic+a] || w.agent == me
		}
	}
	out.Topics = append(out.Topics, mine.first(5, 1)...)
	out.Refers = append(out.Refers, refers.first(8, 1)...)
	for _, topic := range topics.first(len(topics), 1) {
		s := TopicSuggest{Topic: topic, Answers: []string{}}
		if t := types[topic].first(1, 1); len(t) == 1 && float64(types[topic][t[0]]) >= suggestShare*float64(topics[topic]) {
			s.TaxType = t[0]
		}
		for _, a := range answers[topic].first(len(answers[topic]), 1) {
			if len(s.Answers) < suggestMost && (own[topic+a] || answers[topic][a] > 1) { // what one colleague told one person stays with them
				s.Answers = append(s.Answers, a)
			}
		}
		out.Topic = append(out.Topic, s)
	}
	return out
}

// counter counts words.
type counter map[string]int

func (c counter) add(s string) {
	if s != "" {
		c[s]++
	}
}

// first gives the most frequent words that come at least so often.
func (c counter) first(n, least int) []string {
	var all []string
	for s, k := range c {
		if k >= least {
			all = append(all, s)
		}
	}
	slices.SortFunc(all, func(a, b string) int { return cmp.Or(c[b]-c[a], strings.Compare(a, b)) })
	return all[:min(n, len(all))]
}
