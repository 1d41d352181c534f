package outbound

import (
	"context"
	"strconv"
	"time"

	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/web"
)

// Contacts answers who has called before; report fills it. Nobody is given twice: the newest contact counts.
type Contacts interface {
	Past(ctx context.Context, f PastFilter) ([]Past, error)
}

// PastFilter narrows past contacts. Zero fields do not narrow.
type PastFilter struct {
	From  string   `json:"from" doc:"local day, 2026-11-01"`
	To    string   `json:"to" doc:"local day, included"`
	Queue id.Queue `json:"queue,omitempty"`
	Topic string   `json:"topic,omitempty" maxLength:"16"`
	Grade int      `json:"grade,omitempty" minimum:"0" maximum:"5" doc:"those who graded the service so or lower, 1 very dissatisfied; 0: all"`
	Site  id.Site  `json:"site,omitempty"`
}

// Past is somebody who called.
type Past struct {
	Contact id.Contact
	Number  string // national form; empty: withheld
	At      int64  // unix ms
	Name    string
	Queue   string // names, in the caller's language
	Topic   string
	Grade   int // 0: none given
}

// fill puts people on a list who called before.
func (m *Module) fill(ctx context.Context, l List, f PastFilter, dry bool) (PeopleTaken, error) {
	past, err := m.deps.Contacts.Past(ctx, f)
	if err != nil {
		return PeopleTaken{}, err
	}
	say := func(key string) string { return m.api.Texts().Say(web.Locale(ctx), "outbound.column."+key, nil) }
	zone := m.zone(l.Site)
	var all []person
	for _, c := range past {
		number, err := m.readNumber(c.Number, l.Site)
		if err != nil {
			continue // withheld, or one that cannot be called
		}
		p := person{list: l.Code, number: number, name: c.Name, source: c.Contact}
		cell := func(key, text string) {
			if text != "" {
				p.more = append(p.more, OwnCell{Title: say(key), Text: text})
			}
		}
		cell("at", time.UnixMilli(c.At).In(zone).Format("2006-01-02 15:04"))
		cell("queue", c.Queue)
		cell("topic", c.Topic)
		if c.Grade > 0 {
			cell("grade", strconv.Itoa(c.Grade))
		}
		all = append(all, p)
	}
	return m.add(ctx, l, all, dry)
}
