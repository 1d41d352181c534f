package caller

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/section"
	"github.com/kapok-hotline/kapok/platform/store"
)

// The states of a request.
const (
	StateOpen     = "open"
	StateApproved = "approved"
	StateRefused  = "refused"
	StateLapsed   = "lapsed" // nobody decided in time
)

// Days a request waits for a decision, and what is over stays to be seen.
const (
	decideDays = 14
	keepDays   = 366
	markDays   = 30 // a mark lasts, where nobody says otherwise
)

// Request is somebody's wish that a caller be marked.
type Request struct {
	ID        string     `json:"id"`
	Contact   id.Contact `json:"contact" doc:"the call it was asked in"`
	Number    string     `json:"number" doc:"masked"`
	Site      id.Site    `json:"site"`
	Reason    string     `json:"reason"`
	Asked     id.User    `json:"asked_by"`
	AskedName string     `json:"asked_name"`
	At        int64      `json:"asked_at" doc:"unix ms"`
	State     string     `json:"state" enum:"open,approved,refused,lapsed"`
	Decided   id.User    `json:"decided_by"`
	DecidedBy string     `json:"decided_name"`
	DecidedAt int64      `json:"decided_at"`
	Note      string     `json:"note" doc:"why it was refused"`
	Mark      string     `json:"mark"`

	number string
}

const requestColumns = `id, contact, number, site, reason, asked_by, asked_at, state, decided_by, decided_at, note, mark`

func scanRequest(r store.Scanner) (v Request, err error) {
	return v, r.Scan(&v.ID, &v.Contact, &v.number, &v.Site, &v.Reason, &v.Asked, &v.At, &v.State, &v.Decided, &v.DecidedAt, &v.Note, &v.Mark)
}

// call is what the ledger says of a call somebody wants to mark.
type call struct {
	number string // "" when nobody can be marked by it
	site   id.Site
	secret bool
	agents map[id.User]bool
}

// read gives a call by its facts.
func (m *Module) read(ctx context.Context, c id.Contact) (call, error) {
	type told struct{ kind, place, body string }
	facts, err := store.All(ctx, m.deps.DB, `SELECT kind, place, body FROM ledger_fact WHERE subject = ? AND kind IN ('contact.started', 'contact.queued', 'contact.answered', 'leg.started') ORDER BY seq`,
		func(r store.Scanner) (v told, err error) { return v, r.Scan(&v.kind, &v.place, &v.body) }, string(c))
	out, ours := call{agents: map[id.User]bool{}}, id.Number("")
	if err == nil && len(facts) == 0 {
		err = fault.New(fault.NotFound, "caller.contact.none")
	}
	for _, f := range facts {
		switch f.kind {
		case "contact.started":
			b := as[event.ContactStarted](f.body)
			out.site, ours = id.Site(f.place), b.Number
			out.secret = m.secret(b.Number, "")
			if b.Medium == contact.Phone && b.Direction != contact.Out {
				out.number = known(b.From)
			}
		case "contact.queued":
			out.site, out.secret = id.Site(f.place), out.secret || m.secret(ours, as[event.ContactQueued](f.body).Queue)
		case "contact.answered":
			out.agents[as[event.ContactAnswered](f.body).Agent] = true
		case "leg.started":
			out.agents[as[event.LegStarted](f.body).Agent] = true
		}
	}
	return out, err
}

// as reads a fact's body; one that cannot be read says nothing.
func as[T event.Body](body string) (b T) {
	_ = json.Unmarshal([]byte(body), &b)
	return b
}

// Ask notes the wish that the caller of a call be marked. With any the call need not have been the asker's.
func (m *Module) Ask(ctx context.Context, c id.Contact, by id.User, reason string, any bool) (Request, error) {
	k, err := m.read(ctx, c)
	reason = strings.TrimSpace(reason)
	now := m.deps.Clock.Now()
	switch {
	case err != nil:
		return Request{}, err
	case k.secret: // not even that it was one
		return Request{}, fault.New(fault.NotFound, "caller.contact.none")
	case !any && !k.agents[by]:
		return Request{}, fault.New(fault.Forbidden, "caller.contact.not_yours")
	case k.number == "":
		return Request{}, fault.New(fault.Invalid, "caller.contact.withheld")
	case reason == "":
		return Request{}, fault.New(fault.Invalid, "caller.mark.reason").At("reason")
	}
	if x, ok := m.rules.Load().markOf(k.number, now.UnixMilli()); ok {
		return Request{}, fault.New(fault.Conflict, "caller.mark.there", "until", x.Until)
	}
	v := Request{
		ID: id.New(now), Contact: c, number: k.number, Site: k.site, Reason: reason, Asked: by, At: now.UnixMilli(), State: StateOpen,
	}
	n, err := store.Exec(ctx, m.deps.DB, `INSERT INTO caller_request (`+requestColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, 'open', '', 0, '', '') ON CONFLICT DO NOTHING`,
		v.ID, string(c), k.number, string(k.site), reason, string(by), v.At)
	if err == nil && n == 0 {
		err = fault.New(fault.Conflict, "caller.request.there")
	}
	m.tell()
	return v, err
}

// request gives a request.
func (m *Module) request(ctx context.Context, code string) (Request, error) {
	v, err := store.One(ctx, m.deps.DB, `SELECT `+requestColumns+` FROM caller_request WHERE id = ?`, scanRequest, code)
	if errors.Is(err, store.ErrNotFound) {
		err = fault.New(fault.NotFound, "caller.request.none")
	}
	return v, err
}

// Decision says what an approved mark does.
type Decision struct {
	Do    string
	Skill id.Skill
	Days  int // 0: 30
}

// decidable gives a request that may still be decided by somebody: not by who asked.
func (m *Module) decidable(ctx context.Context, code string, by id.User) (Request, error) {
	v, err := m.request(ctx, code)
	switch {
	case err != nil:
	case v.State != StateOpen:
		err = fault.New(fault.Conflict, "caller.request.decided", "state", v.State)
	case v.Asked == by:
		err = fault.New(fault.Forbidden, "caller.mark.own")
	}
	return v, err
}

// Approve makes a mark of a request. The mark carries the request's id, so that a second try after a fault makes none
// besides.
func (m *Module) Approve(ctx context.Context, code string, by id.User, d Decision) (Request, error) {
	v, err := m.decidable(ctx, code, by)
	if err != nil {
		return v, err
	}
	now := m.deps.Clock.Now()
	if d.Days == 0 {
		d.Days = markDays
	}
	err = m.publish(ctx, Mark{
		Code: v.ID, Number: v.number, Reason: v.Reason, From: now.UnixMilli(), Until: now.UnixMilli() + int64(d.Days)*dayMs,
		Do: d.Do, Skill: d.Skill, Asked: v.Asked, Approved: by,
	}, by)
	if err == nil {
		err = m.decide(ctx, v.ID, StateApproved, by, "", v.ID, now)
	}
	if err != nil {
		return v, err
	}
	return m.request(ctx, code)
}

// Refuse ends a request without a mark.
func (m *Module) Refuse(ctx context.Context, code string, by id.User, why string) (Request, error) {
	v, err := m.decidable(ctx, code, by)
	if err == nil && strings.TrimSpace(why) == "" {
		err = fault.New(fault.Invalid, "caller.mark.reason").At("reason")
	}
	if err == nil {
		err = m.decide(ctx, v.ID, StateRefused, by, strings.TrimSpace(why), "", m.deps.Clock.Now())
	}
	if err != nil {
		return v, err
	}
	return m.request(ctx, code)
}

func (m *Module) decide(ctx context.Context, code, state string, by id.User, note, mark string, now time.Time) error {
	n, err := store.Exec(ctx, m.deps.DB, `UPDATE caller_request SET state = ?, decided_by = ?, decided_at = ?, note = ?, mark = ? WHERE id = ? AND state = 'open'`,
		state, string(by), now.UnixMilli(), note, mark, code)
	if err == nil && n == 0 {
		err = fault.New(fault.Conflict, "caller.request.decided", "state", state)
	}
	m.tell()
	return err
}

// Lift ends a mark now.
func (m *Module) Lift(ctx context.Context, code string, by id.User) error {
	now := m.deps.Clock.Now().UnixMilli()
	for _, k := range m.rules.Load().marks {
		if k.Code == code && k.Until > now {
			k.Until = max(now, k.From+1)
			return m.publish(ctx, k, by)
		}
	}
	return fault.New(fault.NotFound, "caller.mark.none")
}

// publish brings a mark into the configuration, and here at once: the next call may be theirs.
func (m *Module) publish(ctx context.Context, k Mark, by id.User) error {
	body, err := json.Marshal(k)
	if err != nil {
		return err
	}
	r, err := m.deps.Publish.Put(ctx, marksKey, k.Code, body, section.Options{By: string(by)})
	if err == nil && len(r.Problems) > 0 {
		p := r.Problems[0]
		params := []any{}
		for name, v := range p.Params {
			params = append(params, name, v)
		}
		return fault.New(fault.Invalid, p.Code, params...).At(p.Path)
	}
	if err == nil {
		err = m.reload(ctx)
	}
	return err
}

// tidy ends requests nobody decided in time and clears away what is over long since. Marks end by themselves; those
// over are part of the configuration's history and leave the list after as long.
func (m *Module) tidy(ctx context.Context) error {
	now := m.deps.Clock.Now()
	ms := now.UnixMilli()
	m.talks.forget(ms - dayMs)
	if _, err := store.Exec(ctx, m.deps.DB, `UPDATE caller_request SET state = 'lapsed', decided_at = ? WHERE state = 'open' AND asked_at < ?`, ms, ms-decideDays*dayMs); err != nil {
		return err
	}
	_, err := store.Exec(ctx, m.deps.DB, `DELETE FROM caller_request WHERE state <> 'open' AND asked_at < ?`, ms-keepDays*dayMs)
	return err
}
