// Package reporttest writes histories of a small hotline as its facts would tell them: callers who use the menu,
// wait, give up, redial, are transferred; agents who sign in, miss offers, talk, wrap up and take breaks. It is
// for tests of folds and for measuring; a history is the same for the same Options.
package reporttest

import (
	"container/heap"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/clock"
	"github.com/kapok-hotline/kapok/platform/ledger"
)

// Options shape a history.
type Options struct {
	Seed   uint64
	From   time.Time      // midnight of the first day
	Days   int            // at least 1
	Calls  int            // contacts a day, redials not counted
	Agents int            // spread over the queues
	Queues int            // at most 10, spread over two sites
	Zone   *time.Location // nil: Asia/Shanghai
	Cut    bool           // end in the middle of the last day, with contacts and states open
}

// Sites are those of a history: the first is the root of the others.
func Sites() []id.Site { return []id.Site{"gd", "gz", "sz"} }

// QueueCodes gives the queues of a history with n queues; even ones belong to gz, odd ones to sz.
func QueueCodes(n int) []id.Queue {
	names := []id.Queue{"vat", "sz-vat", "general", "sz-general", "export", "sz-export", "land", "sz-land", "tip", "sz-tip"}
	return names[:min(max(n, 1), len(names))]
}

// World plays the hotline.
type world struct {
	Options
	rng     *rand.Rand
	now     int64
	todo    tasks
	facts   []ledger.Fact
	agents  []*agent
	queues  []id.Queue
	waiting []*visit
	number  int
}

// History gives the facts in the order they happened.
func History(o Options) []ledger.Fact {
	if o.Zone == nil {
		zone, err := clock.Zone("")
		if err != nil {
			panic(err) // the program carries the zone
		}
		o.Zone = zone
	}
	w := &world{Options: o, rng: rand.New(rand.NewPCG(o.Seed, 12366)), queues: QueueCodes(o.Queues)}
	for i := range max(o.Agents, 1) {
		w.agents = append(w.agents, newAgent(w, i))
	}
	for d := range max(o.Days, 1) {
		w.day(o.From.In(o.Zone).AddDate(0, 0, d))
	}
	end := o.From.In(o.Zone).AddDate(0, 0, max(o.Days, 1)).Add(-time.Second)
	if o.Cut {
		end = end.Add(-12*time.Hour - 47*time.Minute)
	}
	for len(w.todo) > 0 && w.todo[0].at <= end.UnixMilli() {
		t, _ := heap.Pop(&w.todo).(task)
		w.now = t.at
		t.do()
	}
	return w.facts
}

// day plans a day's calls and shifts: 80 % of the calls between half past eight and half past five.
func (w *world) day(midnight time.Time) {
	for range w.Calls {
		at := midnight.Add(time.Duration(w.rng.Int64N(int64(24 * time.Hour))))
		if w.chance(80) {
			at = midnight.Add(8*time.Hour + 30*time.Minute + time.Duration(w.rng.Int64N(int64(9*time.Hour))))
		}
		w.at(at.UnixMilli(), func() { w.call(w.caller()) })
	}
	for _, a := range w.agents {
		in := midnight.Add(8*time.Hour + 15*time.Minute + time.Duration(w.rng.Int64N(int64(20*time.Minute))))
		w.at(in.UnixMilli(), a.signIn)
		out := midnight.Add(17*time.Hour + 25*time.Minute + time.Duration(w.rng.Int64N(int64(15*time.Minute))))
		w.at(out.UnixMilli(), a.goHome)
	}
}

func (w *world) caller() string {
	if w.chance(2) {
		return ""
	}
	return fmt.Sprintf("013%09d", w.rng.IntN(1_000_000_000))
}

// fact appends a fact of now.
func (w *world) fact(b event.Body, subject, actor string, place id.Site) {
	raw, err := json.Marshal(b)
	if err != nil {
		panic(err) // the structs of core/event
	}
	day, slot := clock.Local(w.now, w.Zone)
	w.facts = append(w.facts, ledger.Fact{
		ID: id.Fact(w.ulid()), Node: "test", At: w.now, Day: day, Slot: slot, Kind: b.Kind(),
		Subject: subject, Actor: actor, Place: string(place), Body: raw,
	})
}

// ulid makes an identifier of now out of the history's own chance.
func (w *world) ulid() string {
	const digits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	var b [26]byte
	ms := uint64(w.now)
	for i := 9; i >= 0; i-- {
		b[i] = digits[ms&31]
		ms >>= 5
	}
	for i := 10; i < 26; i++ {
		b[i] = digits[w.rng.IntN(32)]
	}
	return string(b[:])
}

func (w *world) chance(percent int) bool { return w.rng.IntN(100) < percent }

// between gives a time of that many seconds, in milliseconds.
func (w *world) between(from, to int) int64 {
	return int64(from)*1000 + w.rng.Int64N(int64(to-from)*1000)
}

// long gives a time with the given mean and a long tail, in milliseconds.
func (w *world) long(mean time.Duration) int64 {
	return int64(w.rng.ExpFloat64()*float64(mean.Milliseconds())) + 1
}

// after plans f.
func (w *world) after(ms int64, f func()) { w.at(w.now+ms, f) }

func (w *world) at(ms int64, f func()) {
	w.number++
	heap.Push(&w.todo, task{ms, w.number, f})
}

type task struct {
	at    int64
	order int
	do    func()
}

type tasks []task

func (t tasks) Len() int { return len(t) }
func (t tasks) Less(i, j int) bool {
	return t[i].at < t[j].at || t[i].at == t[j].at && t[i].order < t[j].order
}
func (t tasks) Swap(i, j int) { t[i], t[j] = t[j], t[i] }
func (t *tasks) Push(x any) {
	if v, ok := x.(task); ok {
		*t = append(*t, v)
	}
}

func (t *tasks) Pop() any {
	last := (*t)[len(*t)-1]
	*t = (*t)[:len(*t)-1]
	return last
}
