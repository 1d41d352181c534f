package demo

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/ledger"
)

// Options say which history is made. The same options make the same facts, to the last byte.
type Options struct {
	Seed  uint64
	Last  time.Time                // any moment of the last day, in the bureau's zone
	Works func(day time.Time) bool // whether people work that day, asked for its morning
	Node  id.Node
	From  int // first day of the story, 0..Days-1; for tests of a part
	Until int // day after the last, 0: Days
}

// Sum is what happened on the days of a part of the story.
type Sum struct {
	Contacts, Entered, Answered int
}

// Rate is the agent answer rate, 0 when nobody asked.
func (s Sum) Rate() float64 {
	if s.Entered == 0 {
		return 0
	}
	return float64(s.Answered) / float64(s.Entered)
}

// Add adds another sum.
func (s *Sum) Add(o Sum) {
	s.Contacts += o.Contacts
	s.Entered += o.Entered
	s.Answered += o.Answered
}

// Part names the story's part of a day: before, worst, best, or "" in between.
func Part(day int) string {
	switch seasonOf(day).target {
	case before:
		return "before"
	case worst:
		return "worst"
	case best:
		return "best"
	}
	return ""
}

// History makes days one after another.
type History struct {
	o         Options
	plan      plan
	people    []Person
	questions map[string][]Question
	agents    []*agent
	queues    map[string]*queue
	first     time.Time
	day       int
	behind    float64 // answers owed to the story so far, fading
	base      float64 // calls they are owed among
}

// New prepares a history that ends on the day of o.Last.
func New(o Options) (*History, error) {
	p, err := readPlan()
	if err != nil {
		return nil, err
	}
	all, err := Questions()
	if err != nil {
		return nil, err
	}
	if o.Until == 0 {
		o.Until = Days
	}
	if o.From < 0 || o.Until > Days || o.From >= o.Until {
		return nil, fmt.Errorf("demo history: days %d to %d are not within 0 to %d", o.From, o.Until, Days)
	}
	h := &History{o: o, plan: p, questions: map[string][]Question{}, queues: map[string]*queue{}, day: o.From}
	for _, q := range all {
		h.questions[q.Queue] = append(h.questions[q.Queue], q)
	}
	for i := range p.Queues {
		h.queues[p.Queues[i].Code] = &p.Queues[i]
	}
	for i, a := range p.Agents {
		h.agents = append(h.agents, &agent{
			user: id.User(a.User), skills: a.Skills, seat: id.Seat(fmt.Sprintf("A%02d", i+1)), phone: id.Phone(fmt.Sprintf("80%02d", i+1)),
		})
	}
	h.people = People(o.Seed, PeopleCount, Districts())
	y, m, d := o.Last.Date()
	h.first = time.Date(y, m, d-(Days-1), 0, 0, 0, 0, o.Last.Location())
	return h, nil
}

// Districts gives the codes of the bureau's districts.
func Districts() []string {
	p, err := readPlan()
	if err != nil {
		return nil
	}
	var out []string
	for _, s := range p.Sites {
		if s.Kind == "district" {
			out = append(out, s.Code)
		}
	}
	return out
}

// Made is one day.
type Made struct {
	Day   int // of the story
	Date  string
	Facts []ledger.Fact // in order of time; none on a day off
	Sum   Sum
}

// Next makes the next day; false when there are no more.
func (h *History) Next() (Made, bool) {
	if h.day >= h.o.Until {
		return Made{}, false
	}
	date := h.first.AddDate(0, 0, h.day)
	m := Made{Day: h.day, Date: date.Format(time.DateOnly)}
	if h.o.Works(date.Add(10 * time.Hour)) {
		h.make(date, &m)
	}
	h.day++
	return m, true
}

// make chooses how many work that day so that the story's rate comes out, and plays the day with its facts. The
// choice is made by playing the day with each staffing: a day is some 300 calls.
func (h *History) make(date time.Time, m *Made) {
	s := seasonOf(h.day)
	calls := h.calls(date)
	play := func(morning, afternoon int, facts bool) (Sum, []ledger.Fact) {
		d := newDay(h, date, calls, facts)
		d.staff(h.shifts(s, morning, afternoon))
		d.run()
		return d.sum, d.sorted()
	}
	bestMiss, am, pm := math.Inf(1), 1, 1
	for morning := 1; morning <= 8; morning++ {
		for afternoon := max(morning-2, 1); afternoon <= morning; afternoon++ {
			sum, _ := play(morning, afternoon, false)
			owed := s.target*float64(sum.Entered) - float64(sum.Answered) + h.behind
			if miss := math.Abs(owed) / (float64(sum.Entered) + h.base); miss < bestMiss {
				bestMiss, am, pm = miss, morning, afternoon
			}
		}
	}
	m.Sum, m.Facts = play(am, pm, true)
	const fade = .85
	h.behind = fade * (h.behind + s.target*float64(m.Sum.Entered) - float64(m.Sum.Answered))
	h.base = fade * (h.base + float64(m.Sum.Entered))
}

// rand gives the chance of one matter of one day, so that one more draw here changes nothing there.
func (h *History) rand(matter uint64) *rand.Rand {
	return rand.New(rand.NewPCG(h.o.Seed^uint64(h.day)*0x9e3779b97f4a7c15, matter))
}
