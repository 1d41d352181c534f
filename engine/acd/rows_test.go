package acd

import (
	"testing"

	"github.com/kapok-hotline/kapok/core/id"
)

// Row B4: a queue widens from the city to its neighbour, the province and remote seats, by seconds or by the forecast
// wait, and last of all leaves for the rule that records or calls back; every offer says how far it had widened.
func TestRowB4Rings(t *testing.T) {
	q := Queue{
		ID: "tax", MaxWait: 2 * Minute, MaxWaitRule: "callback",
		Rings: []Ring{
			{Sites: []id.Site{"city"}},
			{After: 20 * Second, Sites: []id.Site{"neighbour"}, OnWait: 30 * Second},
			{After: 40 * Second, Sites: []id.Site{"province"}},
			{After: 60 * Second, Sites: []id.Site{"remote"}},
		},
	}
	for ring, site := range []id.Site{"city", "neighbour", "province", "remote"} {
		d := newDesk(t, Settings{}, q)
		d.in(Agent{ID: "an", Sites: []id.Site{site}}).clear()
		d.enter("c1", "tax")
		if ring > 0 {
			d.said("queued c1").wait(int64(ring)*20*Second - 1).said(nil...)
			d.wait(1).said("offer c1 an ring "+string(rune('0'+ring)), "an reserved c1 20s")
			continue
		}
		d.said("queued c1", "offer c1 an", "an reserved c1 20s")
	}
	d := newDesk(t, Settings{}, q)
	d.in(Agent{ID: "an", Sites: []id.Site{"elsewhere"}}).clear()
	d.enter("c1", "tax").wait(2*Minute).said("queued c1", "exit c1 max_wait callback")
}

// Row B8: the third attempt within half an hour has a head start, as large as its queue says; a fourth keeps it, an
// answered caller begins anew, and who tries after the half hour does, too.
func TestRowB8ThirdAttempt(t *testing.T) {
	for _, x := range []struct {
		name  string
		bonus int
		gap   int64
		want  string
	}{
		{"the house's rule", 0, 9 * Minute, "queued c3 bonus 1"},
		{"the queue's own", 4, 9 * Minute, "queued c3 bonus 4"},
		{"none in this queue", -1, 9 * Minute, "queued c3"},
		{"too long between them", 4, 31 * Minute, "queued c3"},
	} {
		t.Run(x.name, func(t *testing.T) {
			d := newDesk(t, Settings{}, Queue{ID: "tax", RedialBonus: x.bonus})
			for _, c := range []id.Contact{"c1", "c2", "c3"} {
				d.clear().do(Event{Kind: ContactEntered, Contact: c, Queue: "tax", Channel: "voice", Caller: "139"})
				if c == "c3" {
					d.said(x.want)
				}
				d.leave(c).wait(x.gap)
			}
		})
	}
}

// Who was turned away because the queue was full has tried in vain as much as who hung up in it.
func TestRowB8TurnedAwayCounts(t *testing.T) {
	d := newDesk(t, Settings{}, Queue{ID: "tax", MaxLength: 1, FullRule: "message"})
	call := func(c id.Contact) *desk {
		return d.clear().do(Event{Kind: ContactEntered, Contact: c, Queue: "tax", Channel: "voice", Caller: "139"})
	}
	d.enter("other", "tax")
	call("c1").said("exit c1 full message")
	d.wait(Minute)
	call("c2").said("exit c2 full message")
	d.leave("other").wait(Minute)
	call("c3").said("queued c3 bonus 1")
}
