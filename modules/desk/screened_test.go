package desk

import (
	"testing"

	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/ledger"
)

// Row A6: the desk says what a caller was taken for and why, and offers the line's other queues.
func TestRowA6Desk(t *testing.T) {
	m := New(Deps{Names: screenNames{}})
	fact := func(kind event.Body) {
		m.floor.apply(ledger.Fact{Kind: kind.Kind(), Subject: "c1", At: 1, Body: ledger.Body(kind)})
	}
	fact(event.ContactStarted{From: "013900000137"})
	fact(event.ContactScreened{
		Line: "etax", Queue: "f", As: "fault", Share: 0.9, Reasons: []event.ScreenReason{{From: "menu", As: "fault", Points: 1.2}},
		Queues: map[string]id.Queue{"fault": "f", "operation": "o", "policy": "p"},
	})
	v := m.screenedView(&card{queue: "f", about: m.floor.about("c1")})
	if v == nil || v.As != "fault" || !v.Sure || len(v.Reasons) != 1 || len(v.Moves) != 2 || v.Moves[0].Queue != "o" || v.Moves[1].QueueName != "p!" {
		t.Errorf("%+v", v)
	}
	if v := m.screenedView(&card{queue: "vat"}); v != nil {
		t.Errorf("of no line: %+v", v)
	}
}

type screenNames struct{ Names }

func (screenNames) Queue(q id.Queue) (string, string) { return string(q) + "!", "" }
