package customer

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/clock"
	"github.com/kapok-hotline/kapok/platform/store"
	"github.com/kapok-hotline/kapok/platform/web"
)

// Popup is what the desk shows when a contact rings. Numbers and tax IDs are masked.
type Popup struct {
	Number        string  `json:"number"`
	City          string  `json:"city"`
	Person        *Person `json:"person"`         // nil: not known yet
	ContactsToday int     `json:"contacts_today"` // from this number, since local midnight, this one included
	History       []Past  `json:"history"`        // the newest first, this one included once it has begun
}

// Person is who is behind a number, in short.
type Person struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	TaxID string `json:"tax_id"`
	Type  string `json:"type" enum:"firm,person," doc:"empty: not known"`
}

// Past is a contact of the history.
type Past struct {
	Contact   id.Contact      `json:"contact"`
	At        int64           `json:"at"`
	Medium    contact.Medium  `json:"medium"`
	From      string          `json:"from" doc:"masked"`
	Queue     id.Queue        `json:"queue"`
	Agent     id.User         `json:"agent"`
	AgentName string          `json:"agent_name"`
	Outcome   contact.Outcome `json:"outcome" doc:"empty while it goes on"`
	Topic     string          `json:"topic"`
	TaxType   string          `json:"tax_type,omitempty"`
	Question  string          `json:"question"`
	Answer    string          `json:"answer"`
}

// historyLength is how many former contacts the desk shows.
const historyLength = 20

// Pop answers who is calling from a number (in any form) and what they came for before. It asks five short
// questions, each by an index: its time does not grow with the number of contacts.
func (m *Module) Pop(ctx context.Context, raw string, now time.Time) (Popup, error) {
	k := from(contact.Phone, raw)
	out := Popup{Number: k.mask(), City: k.city(web.Locale(ctx) == "en"), History: []Past{}}
	if k.value == "" {
		return out, nil
	}
	who, err := owner(ctx, m.deps.DB, k)
	if err != nil {
		return out, err
	}
	if who != "" {
		if out.Person, err = m.brief(ctx, who); err != nil {
			return out, err
		}
	}
	zone, err := clock.Zone("")
	if err != nil {
		return out, err
	}
	y, mo, d := now.In(zone).Date()
	midnight := time.Date(y, mo, d, 0, 0, 0, 0, zone).UnixMilli()
	if out.ContactsToday, err = store.One(ctx, m.deps.DB, sqlToday, store.Col[int], k.kind, k.value, midnight); err != nil {
		return out, err
	}
	out.History, err = m.history(ctx, k, who, now.UnixMilli()+1, historyLength)
	return out, err
}

func (m *Module) brief(ctx context.Context, who string) (*Person, error) {
	p, err := store.One(ctx, m.deps.DB, sqlPerson, scanPerson, who)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	t, err := taxOf(ctx, m.deps.DB, who)
	return &Person{ID: p.ID, Name: p.Name, TaxID: key{tax, t}.mask(), Type: p.Type}, err
}

// history joins what came from the number with what the person did by other ways.
func (m *Module) history(ctx context.Context, k key, who string, before int64, n int) ([]Past, error) {
	var list []Past
	var err error
	if k.value != "" {
		if list, err = store.All(ctx, m.deps.DB, sqlByValue, scanPast, k.kind, k.value, before, n); err != nil {
			return nil, err
		}
	}
	if who != "" {
		more, err := store.All(ctx, m.deps.DB, sqlByPerson, scanPast, who, before, n)
		if err != nil {
			return nil, err
		}
		list = append(list, more...)
		slices.SortFunc(list, func(a, b Past) int {
			if a.At != b.At {
				return int(max(min(b.At-a.At, 1), -1))
			}
			return strings.Compare(string(b.Contact), string(a.Contact))
		})
		list = slices.CompactFunc(list, func(a, b Past) bool { return a.Contact == b.Contact })
	}
	if len(list) > n {
		list = list[:n]
	}
	for i := range list {
		list[i].AgentName = m.userName(list[i].Agent)
	}
	return list, nil
}

func scanPast(r store.Scanner) (p Past, err error) {
	var k key
	err = r.Scan(&p.Contact, &p.At, &p.Medium, &k.kind, &k.value, &p.Queue, &p.Agent, &p.Outcome, &p.Topic, &p.TaxType, &p.Question, &p.Answer)
	p.From = k.mask()
	return p, err
}
