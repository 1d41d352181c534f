package report

import (
	"strings"

	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/modules/report/tally"
)

var legColumns = []string{
	"leg", "contact", "role", "agent", "queue", "peer", "started_at", "answered_at", "ended_at", "entered_at",
	"ring_ms", "talk_ms", "hold_ms", "cause", "mos", "starts", "ends",
}

// legSet merges what facts of other batches said: each fact fills its own columns.
func legSet() string {
	set := []string{summed("report_leg", []string{"ring_ms", "talk_ms", "hold_ms", "mos", "starts", "ends"})}
	for _, c := range []string{"role", "agent", "queue", "peer", "cause"} {
		set = append(set, told("report_leg", c, "''"))
	}
	for _, c := range []string{"started_at", "answered_at", "ended_at", "entered_at"} {
		set = append(set, told("report_leg", c, "0"))
	}
	return strings.Join(set, ", ")
}

// leg is what a batch of facts says about one leg.
type leg struct {
	id                          id.Leg
	contact                     string
	role                        string
	agent                       id.User
	queue                       id.Queue
	peer, cause                 string
	started, answered, ended    int64
	entered, ringMs, talk, hold int64
	mos                         float64
	starts, ends                int64
}

// apply takes a leg fact in; false when f is none.
func (legs legs) apply(f tally.Fact) bool {
	switch b := f.Body.(type) {
	case event.LegStarted:
		l := legs.at(b.Leg, f.Subject)
		l.started, l.role, l.agent, l.queue, l.peer = f.At, b.Role, b.Agent, b.Queue, b.Peer
		l.starts++
	case event.LegEnded:
		l := legs.at(b.Leg, f.Subject)
		l.ended, l.role, l.cause, l.mos = f.At, b.Role, b.Cause, b.MOS
		l.ringMs, l.talk, l.hold = l.ringMs+b.RingMs, l.talk+b.TalkMs, l.hold+b.HoldMs
		l.ends++
		if b.TalkMs+b.HoldMs > 0 { // leg.answered costs no write: legNow reads it while the leg runs
			l.answered = f.At - b.TalkMs - b.HoldMs
		}
		if b.Agent != "" {
			l.agent = b.Agent
		}
		if b.Queue != "" {
			l.queue, l.entered = b.Queue, b.EnteredAt
		}
	default:
		return false
	}
	return true
}

type legs map[id.Leg]*leg

func (legs legs) at(of id.Leg, contact string) *leg {
	l, ok := legs[of]
	if !ok {
		l = &leg{id: of, contact: contact}
		legs[of] = l
	}
	return l
}

func (l *leg) args(args []any) []any {
	return append(args, string(l.id), l.contact, l.role, string(l.agent), string(l.queue), l.peer, l.started, l.answered,
		l.ended, l.entered, l.ringMs, l.talk, l.hold, l.cause, l.mos, l.starts, l.ends)
}
