package outbound

import (
	"context"
	"time"

	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/store"
)

// State is where a person of a list stands.
type State string

// The states; each but the first and the last has a deadline.
const (
	Pending State = "pending" // called when due
	Shown   State = "shown"   // an agent looks
	Calling State = "calling" // the agent's telephone rings
	Dialled State = "dialled" // the person's telephone rings
	Reached State = "reached" // talks, or has talked, and there is no result yet
	Closed  State = "closed"  // not called any more
)

// The deadlines. An attempt ends with its contact, which has deadlines of its own.
const (
	shownKeep  = 10 * time.Minute
	beginKeep  = time.Minute // until the contact of an attempt is in the ledger
	resultKeep = 24 * time.Hour
)

// OwnCell is one column of a person's own, as it was brought in.
type OwnCell struct {
	Title string `json:"title"`
	Text  string `json:"text"`
}

// person is one row of a list.
type person struct {
	id      string
	list    string
	number  string // national form
	name    string
	note    string
	more    []OwnCell
	source  id.Contact // the contact they were taken from; empty: brought in
	addedAt int64
	state   State
	since   int64 // unix ms
	due     int64
	tries   int
	agent   id.User
	contact id.Contact // of the attempt under way or the last
	missed  int        // 1: from the worklist of missed callers
	how     string     // how the last attempt ended; of a closed one: why it is closed
}

const personColumns = `id, list, number, name, note, more, source, added_at, state, since, due_at, tries, agent, contact, how, from_missed`

func scanPerson(r store.Scanner) (p person, err error) {
	return p, r.Scan(&p.id, &p.list, &p.number, &p.name, &p.note, store.JSON(&p.more), &p.source, &p.addedAt, &p.state, &p.since, &p.due, &p.tries,
		&p.agent, &p.contact, &p.how, &p.missed)
}

// people reads persons by a condition.
func people(ctx context.Context, q store.Querier, where string, args ...any) ([]person, error) {
	return store.All(ctx, q, `SELECT `+personColumns+` FROM outbound_person WHERE `+where, scanPerson, args...)
}

// personOf gives whom the attempt that makes a contact is to.
func personOf(ctx context.Context, q store.Querier, c id.Contact) (person, error) {
	return store.One(ctx, q, `SELECT `+personColumns+` FROM outbound_person WHERE contact = ?`, scanPerson, string(c))
}

func personByID(ctx context.Context, q store.Querier, code string) (person, error) {
	return store.One(ctx, q, `SELECT `+personColumns+` FROM outbound_person WHERE id = ?`, scanPerson, code)
}

// put writes where a person stands; only if they still stand where they were read: store.ErrNotFound says no.
func put(ctx context.Context, q store.Querier, was State, of id.Contact, p *person) error {
	return store.Change(ctx, q, `UPDATE outbound_person SET state = ?, since = ?, due_at = ?, tries = ?, agent = ?, contact = ?, how = ?
		WHERE id = ? AND state = ? AND contact = ?`,
		string(p.state), p.since, p.due, p.tries, string(p.agent), string(p.contact), p.how, p.id, string(was), string(of))
}

// move puts a person into a state.
func (p *person) move(s State, now time.Time) {
	p.state, p.since = s, now.UnixMilli()
}
