package demo

import (
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

// approach is a call to come: all chance in it is drawn before the day is played.
type approach struct {
	at       int64 // unix ms
	person   int
	try      int // redials before this one
	seed     uint64
	key      string // what they choose in the menu: the queue's code, self, none (they hang up in the menu)
	listen   int64  // ms from the answer to their wish for an agent
	patience int64
	talk     int64
	hold     int64 // of the talk
	wrapup   int64
	ring     int64 // until the agent lifts the handset
	missed   bool  // the first agent rung does not
	transfer string
	agentEnd bool
}

// Behaviour of callers: facts/wfm: talk and wrap-up together 203 s in the mean, CV 1.16; patience 120 s; three of
// four who give up call again, most within minutes.
const (
	meanTalk, meanWrapup, talkCV = 176.0, 27.0, 1.1
	meanPatience                 = 120.0
	redialChance, soonChance     = .75, .6
	soonMean, lateMean           = 2 * 60.0, 45 * 60.0
	maxRedials                   = 6
)

// wishes are what people choose in the menu, with their shares. Never written to.
var wishes = []struct {
	key   string
	share float64
}{
	{"general", .20},
	{"vat", .22},
	{"iit", .13},
	{"cit", .07},
	{"social", .07},
	{"etax", .15},
	{"complaint", .012},
	{"tipoff", .006},
	{"english", .006},
	{"self", .11},
	{"none", .026},
}

func wish(r *rand.Rand) string {
	x := r.Float64()
	for _, w := range wishes {
		if x -= w.share; x < 0 {
			return w.key
		}
	}
	return "general"
}

// calls draws the first attempts of a day, in order of time.
func (h *History) calls(date time.Time) []approach {
	r := h.rand(1)
	mean := volume(date, h.o.Works) * lognormal(r, 1, .08)
	var out []approach
	for _, half := range halfHours {
		expect := mean * half.share * lognormal(r, 1, .06)
		begin := date.Add(time.Duration(half.minute) * time.Minute).UnixMilli()
		for t := exponential(r, 1) / expect; t < 1; t += exponential(r, 1) / expect {
			who := r.IntN(len(h.people))
			if r.Float64() < .35 {
				who = r.IntN(len(h.people) / 10)
			}
			out = append(out, attempt(begin+int64(t*1_800_000), who, 0, wish(r), r.Uint64()))
		}
	}
	slices.SortStableFunc(out, func(a, b approach) int { return int(a.at - b.at) })
	return out
}

// attempt draws what happens in a call.
func attempt(at int64, who, try int, key string, seed uint64) approach {
	r := rand.New(rand.NewPCG(seed, uint64(try)))
	a := approach{at: at, person: who, try: try, key: key, seed: r.Uint64()}
	a.listen = 5000 + int64(9000*r.Float64())
	a.patience = int64(1000*exponential(r, meanPatience)) + 1500
	whole := max(lognormal(r, meanTalk, talkCV), 9)
	a.talk = int64(1000 * whole)
	if r.Float64() < .09 && whole > 60 {
		a.hold = int64(1000 * (10 + 50*r.Float64()))
	}
	a.wrapup = int64(1000 * min(max(lognormal(r, meanWrapup, .5), 4), 90))
	a.ring = 2000 + int64(4000*r.Float64())
	a.missed = r.Float64() < .012
	if r.Float64() < .025 {
		a.transfer = []string{"general", "vat", "cit", "etax"}[r.IntN(4)]
	}
	a.agentEnd = r.Float64() < .2
	return a
}

// redial draws whether and when somebody who gave up calls again.
func (a approach) redial(now int64) (approach, bool) {
	r := rand.New(rand.NewPCG(a.seed, 7))
	if a.try >= maxRedials || r.Float64() >= redialChance {
		return approach{}, false
	}
	delay := exponential(r, lateMean)
	if r.Float64() < soonChance {
		delay = exponential(r, soonMean)
	}
	return attempt(now+int64(1000*(8+delay)), a.person, a.try+1, a.key, a.seed), true
}

func exponential(r *rand.Rand, mean float64) float64 { return mean * r.ExpFloat64() }

// lognormal draws by mean and coefficient of variation.
func lognormal(r *rand.Rand, mean, cv float64) float64 {
	s2 := math.Log(1 + cv*cv)
	return mean * math.Exp(math.Sqrt(s2)*r.NormFloat64()-s2/2)
}
