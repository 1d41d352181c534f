package missed

import (
	"context"
	"errors"
	"time"

	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/core/phone"
	"github.com/kapok-hotline/kapok/platform/store"
	"github.com/kapok-hotline/kapok/platform/web"
)

// The states of a row: open, or why it is closed. What an agent said of the call (event.TriedReached …) is one as well.
const (
	StateOpen     = "open"
	StateCameBack = "came_back" // called again and was answered
	StateReached  = "reached"
	StateUnwanted = "not_wanted"
	StateWrong    = "wrong_number"
	StateGivenUp  = "given_up" // called back often enough, nobody answered
	StateLapsed   = "lapsed"   // older than the house keeps them
)

// Row is a missed caller. Times are unix ms, days local.
type Row struct {
	ID        string   `json:"id"`
	Number    string   `json:"number" doc:"masked"`
	Site      id.Site  `json:"site"`
	SiteName  string   `json:"site_name"`
	Queue     id.Queue `json:"queue" doc:"of the last attempt; empty: they never came to one"`
	QueueName string   `json:"queue_name"`
	Kind      Kind     `json:"kind" enum:"abandoned,turned,failed,voicemail,callback" doc:"how the last attempt came to nothing"`
	OpenedAt  int64    `json:"opened_at"`
	LastAt    int64    `json:"last_at" doc:"the last attempt"`
	Attempts  int      `json:"attempts"`
	DueDay    string   `json:"due_day" doc:"the day by which they are to be rung first"`
	RingDay   string   `json:"ring_day" doc:"the day on which they are to be rung next"`
	AgainAt   int64    `json:"again_at" doc:"not before; 0: now"`
	Message   string   `json:"message" doc:"the newest spoken message, empty: none"`
	Owner     id.User  `json:"owner"`
	OwnerName string   `json:"owner_name"`
	Tries     int      `json:"tries"`
	TriedAt   int64    `json:"tried_at"`
	Result    string   `json:"result" enum:",reached,no_answer,not_wanted,wrong_number" doc:"of the last try"`
	Note      string   `json:"note"`
	State     string   `json:"state" enum:"open,came_back,reached,not_wanted,wrong_number,given_up,lapsed"`
	ClosedAt  int64    `json:"closed_at"`

	number   string
	closedBy string
	tried    string // the call-out the last try was
}

const columns = `id, number, site, queue, kind, opened_at, last_at, attempts, due_day, ring_day, again_at, recording, owner, tries, tried_at, result, note, state, closed_at, closed_by, tried_contact`

func scanRow(r store.Scanner) (v Row, err error) {
	return v, r.Scan(&v.ID, &v.number, &v.Site, &v.Queue, &v.Kind, &v.OpenedAt, &v.LastAt, &v.Attempts, &v.DueDay, &v.RingDay, &v.AgainAt,
		&v.Message, &v.Owner, &v.Tries, &v.TriedAt, &v.Result, &v.Note, &v.State, &v.ClosedAt, &v.closedBy, &v.tried)
}

// dress masks the number and names the codes in the caller's language.
func (m *Module) dress(ctx context.Context, v *Row) {
	v.Number = phone.Mask(v.number)
	v.QueueName, v.SiteName, v.OwnerName = string(v.Queue), string(v.Site), string(v.Owner)
	n := m.deps.Names
	if n == nil {
		return
	}
	say := func(zh, en, code string) string {
		switch {
		case code == "" || zh == "":
			return code
		case en != "" && web.Locale(ctx) == "en":
			return en
		}
		return zh
	}
	zh, en := n.Queue(v.Queue)
	v.QueueName = say(zh, en, string(v.Queue))
	zh, en = n.Site(v.Site)
	v.SiteName = say(zh, en, string(v.Site))
	if v.Owner != "" {
		v.OwnerName = say(n.User(v.Owner), "", string(v.Owner))
	}
}

// row gives a missed caller the person asking may see.
func (m *Module) row(ctx context.Context, q store.Querier, id string) (Row, error) {
	v, err := store.One(ctx, q, `SELECT `+columns+` FROM missed_row WHERE id = ?`, scanRow, id)
	if errors.Is(err, store.ErrNotFound) {
		return v, fault.New(fault.NotFound, "missed.row.none")
	}
	return v, err
}

// Attempt is one call that came to nothing.
type Attempt struct {
	Contact   id.Contact `json:"contact"`
	At        int64      `json:"at"`
	Kind      Kind       `json:"kind" enum:"abandoned,turned,failed,voicemail,callback"`
	Queue     id.Queue   `json:"queue"`
	QueueName string     `json:"queue_name"`
	WaitMs    int64      `json:"wait_ms"`
	Message   string     `json:"message" doc:"the spoken message, empty: none"`
}

func (m *Module) attempts(ctx context.Context, row string) ([]Attempt, error) {
	all, err := store.All(ctx, m.deps.DB, `SELECT contact, at, kind, queue, wait_ms, recording FROM missed_miss WHERE row_id = ? ORDER BY at DESC, contact DESC LIMIT 50`,
		func(r store.Scanner) (a Attempt, err error) {
			return a, r.Scan(&a.Contact, &a.At, &a.Kind, &a.Queue, &a.WaitMs, &a.Message)
		}, row)
	for i := range all {
		v := Row{Queue: all[i].Queue}
		m.dress(ctx, &v)
		all[i].QueueName = v.QueueName
	}
	if all == nil {
		all = []Attempt{}
	}
	return all, err
}

func timeOf(ms int64) time.Time { return time.UnixMilli(ms) }
