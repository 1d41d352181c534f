package desk

import (
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/id"
)

// ScreenedView says what a caller of a line was taken for, why, and where the contact can be moved to if that is wrong.
type ScreenedView struct {
	As      string               `json:"as" enum:"operation,fault,policy"`
	Sure    bool                 `json:"sure" doc:"false: nothing was sure enough, and the contact came by the line's own queue"`
	Share   float64              `json:"share" doc:"how likely, 0..1"`
	Reasons []event.ScreenReason `json:"reasons" doc:"the heaviest first"`
	Moves   []MoveView           `json:"moves" doc:"the line's other queues: a transfer of kind line keeps the place"`
}

// MoveView is a queue a contact can be moved to, and what it is for.
type MoveView struct {
	As          string   `json:"as" enum:"operation,fault,policy"`
	Queue       id.Queue `json:"queue"`
	QueueName   string   `json:"queue_name"`
	QueueNameEn string   `json:"queue_name_en,omitempty"`
}

// screenedView makes it for a card; nil when the contact came by no line that sorts.
func (m *Module) screenedView(k *card) *ScreenedView {
	s := k.about.screened
	if s == nil {
		return nil
	}
	v := &ScreenedView{As: s.As, Sure: s.Queue != s.Line, Share: s.Share, Reasons: append([]event.ScreenReason{}, s.Reasons...), Moves: []MoveView{}}
	for _, as := range []string{"fault", "operation", "policy"} {
		q, ok := s.Queues[as]
		if !ok || q == k.queue {
			continue
		}
		move := MoveView{As: as, Queue: q}
		move.QueueName, move.QueueNameEn = m.deps.Names.Queue(q)
		v.Moves = append(v.Moves, move)
	}
	return v
}
