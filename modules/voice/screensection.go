package voice

import (
	"context"

	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/engine/screen"
	"github.com/kapok-hotline/kapok/platform/section"
	"github.com/kapok-hotline/kapok/platform/store"
)

// Screening sorts the callers of a line among its queues by the key they pressed, what they said and what they came for
// before. The flow sets the variable screen to operation, fault or policy behind each key, and said to what was said.
type Screening struct {
	Queue     id.Queue      `json:"queue" ref:"queues" doc:"the line's own queue: a flow that leads here is sorted; who cannot be stays"`
	Fault     id.Queue      `json:"fault" ref:"queues" doc:"the system does not work"`
	Operation id.Queue      `json:"operation" ref:"queues" doc:"how is it done in the system"`
	Policy    id.Queue      `json:"policy" ref:"queues" doc:"what does the law say"`
	Least     float64       `json:"least,omitempty" minimum:"0" maximum:"1" doc:"who is less likely than this to be right stays in the line's own queue; 0: nobody whom anything speaks for"`
	Words     []screen.Word `json:"words,omitempty" doc:"words of the bureau, beside the list every screening knows"`
}

var screeningTable = store.Docs[Screening]{Table: "voice_screening"}

func screeningSection() section.Section {
	return section.Of(section.Spec[Screening]{
		Key: "screenings", Order: 77, Right: ManageNumbers, IDField: "queue",
		ID:   func(s Screening) string { return string(s.Queue) },
		Load: func(ctx context.Context, tx *store.Tx) ([]Screening, error) { return screeningTable.Load(ctx, tx) },
		Put: func(ctx context.Context, tx *store.Tx, s Screening) error {
			return screeningTable.Put(ctx, tx, string(s.Queue), s)
		},
		Drop:  func(ctx context.Context, tx *store.Tx, code string) error { return screeningTable.Drop(ctx, tx, code) },
		Check: checkScreening,
	})
}

// checkScreening wants the kinds in queues of their own, for an agent who moves a call says by the queue what it is.
func checkScreening(_ section.Lookup, s Screening) []section.Problem {
	var out []section.Problem
	if s.Operation == s.Fault {
		out = append(out, section.Complaint("operation", "voice.screening.twice", "queue", string(s.Operation)))
	}
	if s.Policy == s.Fault || s.Policy == s.Operation {
		out = append(out, section.Complaint("policy", "voice.screening.twice", "queue", string(s.Policy)))
	}
	return out
}

// loadLines makes the screenings ready.
func (m *Module) loadLines(ctx context.Context, s *snapshot) error {
	all, err := screeningTable.Load(ctx, m.deps.DB)
	for _, one := range all {
		if s.lines == nil {
			s.lines = map[id.Queue]*sortedLine{}
		}
		s.lines[one.Queue] = &sortedLine{Screening: one, screener: screen.New(one.Words)}
	}
	return err
}
