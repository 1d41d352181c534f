package desk

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/core/taxid"
	"github.com/kapok-hotline/kapok/platform/store"
	"github.com/kapok-hotline/kapok/platform/web"
)

// Wrapup is what an agent writes about a contact.
type Wrapup struct {
	Topic     string `json:"topic,omitempty" maxLength:"16"`
	TaxID     string `json:"tax_id,omitempty" maxLength:"24"`
	TaxIDWhy  string `json:"tax_id_why,omitempty" maxLength:"100" doc:"why a tax ID is kept whose check digit is wrong"`
	TaxType   string `json:"tax_type,omitempty" maxLength:"16"`
	District  string `json:"district,omitempty" maxLength:"32"`
	Name      string `json:"name,omitempty" maxLength:"100"`
	Question  string `json:"question,omitempty" maxLength:"2000"`
	Answer    string `json:"answer,omitempty" maxLength:"4000"`
	Note      string `json:"note,omitempty" maxLength:"2000"`
	Refer     string `json:"refer,omitempty" maxLength:"100" doc:"who is to go on with it"`
	Satisfied string `json:"satisfied,omitempty" enum:",1,2,3,4,5" doc:"as the person said: 5 very satisfied … 1 very dissatisfied"`
}

// wrapupStep is how much longer an extension makes a wrap-up.
const wrapupStep = time.Minute

func (m *Module) wrapupRoutes(api *web.API) {
	web.Get(api, "/api/v1/desk/contacts/{id}/wrapup", Use, "What I wrote so far", m.readWrapup)
	web.Put(api, "/api/v1/desk/contacts/{id}/wrapup", Use, "Keep what I wrote so far", m.saveWrapup, web.Quiet())
	web.Get(api, "/api/v1/desk/contacts/{id}/suggestions", Use, "What a summary may say, by those written before", m.suggest)
	web.Post(api, "/api/v1/desk/contacts/{id}/wrapup/done", Use, "End the wrap-up", m.wrapupDone, web.Quiet())
	web.Post(api, "/api/v1/desk/contacts/{id}/wrapup/extend", Use, "Give me a minute more", m.wrapupExtend, web.Quiet())
}

type wrapupIn struct {
	ID   id.Contact `path:"id"`
	Body Wrapup
}

type wrapupOut struct{ Body Wrapup }

func (m *Module) readWrapup(ctx context.Context, in *onContact) (*wrapupOut, error) {
	w, _, err := m.written(ctx, in.ID, web.Principal(ctx).User)
	return &wrapupOut{Body: w}, err
}

// written gives the newest wrap-up of the contact by the agent; empty when there is none.
func (m *Module) written(ctx context.Context, c id.Contact, user id.User) (w Wrapup, final bool, err error) {
	type row struct {
		final int
		body  string
	}
	r, err := store.One(ctx, m.deps.DB, `SELECT final, body FROM desk_wrapup WHERE contact = ? AND agent = ?`,
		func(s store.Scanner) (r row, err error) { return r, s.Scan(&r.final, &r.body) }, string(c), string(user))
	if errors.Is(err, store.ErrNotFound) {
		return w, false, nil
	}
	if err != nil {
		return w, false, err
	}
	return w, r.final == 1, json.Unmarshal([]byte(r.body), &w)
}

// saveWrapup autosaves: the row is replaced, and the ledger hears of it only when the wrap-up is final.
func (m *Module) saveWrapup(ctx context.Context, in *wrapupIn) (*wrapupOut, error) {
	user := web.Principal(ctx).User
	if err := m.mayWrite(ctx, in.ID, user); err != nil {
		return nil, err
	}
	if err := m.store(ctx, in.ID, user, in.Body, false); err != nil {
		return nil, err
	}
	return &wrapupOut{Body: in.Body}, nil
}

// mayWrite lets an agent write about a contact they have, or have written about before.
func (m *Module) mayWrite(ctx context.Context, c id.Contact, user id.User) error {
	if _, ok := m.floor.holds(user, c); ok || m.floor.had(user, c) {
		return nil
	}
	_, err := store.One(ctx, m.deps.DB, `SELECT 1 FROM desk_wrapup WHERE contact = ? AND agent = ?`, store.Col[int], string(c), string(user))
	if errors.Is(err, store.ErrNotFound) {
		return fault.New(fault.NotFound, "desk.contact.not_yours", "contact", string(c))
	}
	return err
}

func (m *Module) store(ctx context.Context, c id.Contact, user id.User, w Wrapup, final bool) error {
	if w.TaxID = taxid.Clean(w.TaxID); w.TaxID == "" || taxid.Valid(w.TaxID) {
		w.TaxIDWhy = ""
	}
	body, err := json.Marshal(w)
	if err != nil {
		return err
	}
	done := 0
	if final {
		done = 1
	}
	_, err = store.Exec(ctx, m.deps.DB, `INSERT INTO desk_wrapup (contact, agent, at, final, body) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (contact, agent) DO UPDATE SET at = excluded.at, final = excluded.final, body = excluded.body`,
		string(c), string(user), m.deps.Clock.Now().UnixMilli(), done, string(body))
	return err
}

type wrapupDoneIn struct {
	ID   id.Contact `path:"id"`
	Body struct {
		State  string  `json:"state" enum:"ready,away"`
		Reason string  `json:"reason,omitempty" maxLength:"16"`
		Wrapup *Wrapup `json:"wrapup,omitempty" doc:"what was written last; without it the autosaved one holds"`
	}
}

// wrapupDone makes the wrap-up final and sends the agent on. A wrong tax ID or topic is refused, and the agent
// stays in wrap-up to mend it.
func (m *Module) wrapupDone(ctx context.Context, in *wrapupDoneIn) (*deskOut, error) {
	p := web.Principal(ctx)
	if err := m.mayWrite(ctx, in.ID, p.User); err != nil {
		return nil, err
	}
	w, _, err := m.written(ctx, in.ID, p.User)
	if err != nil {
		return nil, err
	}
	if in.Body.Wrapup != nil {
		w = *in.Body.Wrapup
	}
	if err := m.check(w); err != nil {
		return nil, err
	}
	if in.Body.State == "away" && !m.knownReason(in.Body.Reason) {
		return nil, fault.New(fault.Invalid, "desk.reason.unknown", "reason", in.Body.Reason).At("reason")
	}
	if err := m.store(ctx, in.ID, p.User, w, true); err != nil {
		return nil, err
	}
	m.remember(p.User, w)
	m.deps.Facts.Post(m.deps.Clock.Now(), m.siteOf(p), string(in.ID), string(p.User), event.WrapupSaved{
		Agent: p.User, Queue: m.queueOf(p.User, in.ID), Topic: w.Topic, TaxID: w.TaxID, TaxType: w.TaxType, District: w.District,
		Name: w.Name, Question: w.Question, Answer: w.Answer, Note: w.Note, Refer: w.Refer, Satisfied: w.Satisfied, TaxIDWhy: w.TaxIDWhy, Final: true,
	})
	if phase, ok := m.floor.holds(p.User, in.ID); !ok || phase != "wrapup" {
		return m.out(ctx) // written while still talking, or corrected later: the state is not touched
	}
	if err := m.deps.Brain.Want(ctx, p.User, in.Body.State == "ready", in.Body.Reason); err != nil {
		return nil, err
	}
	if err := m.deps.Brain.WrapUpDone(ctx, p.User); err != nil {
		return nil, err
	}
	return m.settled(ctx, func(v View) bool { return v.State.State != event.Wrapup })
}

// reasonLeast is how many characters a reason has at least for keeping a tax ID whose check digit is wrong.
const reasonLeast = 2

func (m *Module) check(w Wrapup) error {
	if w.TaxID != "" && !taxid.Valid(w.TaxID) && len([]rune(strings.TrimSpace(w.TaxIDWhy))) < reasonLeast {
		return fault.New(fault.Invalid, "desk.tax_id.wrong", "tax_id", w.TaxID).At("wrapup.tax_id")
	}
	if w.Topic != "" && !m.knownTopic(w.Topic) {
		return fault.New(fault.Invalid, "desk.topic.unknown", "topic", w.Topic).At("wrapup.topic")
	}
	return nil
}

func (m *Module) knownTopic(code string) bool {
	for _, t := range m.lists.Load().topics {
		if t.Code == code {
			return true
		}
	}
	return false
}

func (m *Module) queueOf(user id.User, c id.Contact) id.Queue {
	m.floor.mu.Lock()
	defer m.floor.mu.Unlock()
	if s := m.floor.agents[user]; s != nil && s.cards[c] != nil {
		return s.cards[c].queue
	}
	return ""
}

func (m *Module) wrapupExtend(ctx context.Context, in *onContact) (*deskOut, error) {
	user, err := m.mine(ctx, in.ID, "wrapup")
	if err != nil {
		return nil, err
	}
	before := m.view(user)
	from := m.deps.Clock.Now()
	if before.Wrapup != nil && before.Wrapup.Deadline > from.UnixMilli() {
		from = time.UnixMilli(before.Wrapup.Deadline)
	}
	if err := m.deps.Brain.WrapUpExtended(ctx, user, from.Add(wrapupStep)); err != nil {
		return nil, err
	}
	return m.settled(ctx, func(v View) bool {
		return v.Wrapup == nil || before.Wrapup == nil || v.Wrapup.Deadline != before.Wrapup.Deadline
	})
}
