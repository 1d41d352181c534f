package outbound

import (
	"context"
	"errors"
	"time"

	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/store"
	"github.com/kapok-hotline/kapok/platform/web"
)

// Missed is the worklist of missed callers, asked by number (national form); missed answers. Whoever calls one of them
// has taken them there first, be it from here or from the worklist: nobody is rung by two.
type Missed interface {
	// Waiting gives who is to be rung by now and is nobody's, the most urgent first.
	Waiting(ctx context.Context, root id.Site, queue id.Queue) ([]MissedCaller, error)
	// Owners gives, of numbers, those of open missed callers, and whose they are ("" nobody's).
	Owners(ctx context.Context, q store.Querier, numbers ...string) (map[string]id.User, error)
	// Take makes the missed caller of a number, if there is one, the agent's; a fault says that they are another's. Two who
	// do it at once learn from Owners, after their transaction, who was first.
	Take(ctx context.Context, tx *store.Tx, number string, agent id.User) error
	// Leave gives them back, if they are the agent's.
	Leave(ctx context.Context, tx *store.Tx, number string, agent id.User) error
	// Told says what came of a call: event.TriedReached and its like. again: of no_answer, unix ms.
	Told(ctx context.Context, tx *store.Tx, number string, agent id.User, c id.Contact, result, note string, again int64) error
}

// MissedCaller is one of them.
type MissedCaller struct {
	Row      string // the contact they are known by there
	Number   string
	Name     string
	Queue    string // names, in the house's first language
	Kind     string // abandoned, turned, failed, voicemail, callback
	LastAt   int64  // unix ms, of their last attempt
	Attempts int
}

// elsewhere is how long somebody waits here whom an agent has taken in the worklist.
const elsewhere = 5 * time.Minute

// Rings says whether a number is being called for a list just now.
func (m *Module) Rings(ctx context.Context, number string) (bool, error) {
	n, err := store.One(ctx, m.deps.DB, `SELECT COUNT(*) FROM outbound_person WHERE number = ? AND state IN ('calling', 'dialled')`, store.Col[int], number)
	return n > 0, err
}

// claim moves a person, and takes the missed caller of their number for the agent who is to call. store.ErrNotFound:
// another was quicker, here or there.
func (m *Module) claim(ctx context.Context, was State, of id.Contact, p *person) error {
	if m.deps.Missed == nil {
		return put(ctx, m.deps.DB, was, of, p)
	}
	err := m.deps.DB.Tx(ctx, func(tx *store.Tx) error {
		if err := put(ctx, tx, was, of, p); err != nil {
			return err
		}
		return m.deps.Missed.Take(ctx, tx, p.number, p.agent)
	})
	if err != nil {
		return err
	}
	owners, err := m.deps.Missed.Owners(ctx, m.deps.DB, p.number)
	if owner := owners[p.number]; err == nil && (owner == "" || owner == p.agent) {
		return nil
	}
	back := *p
	back.agent, back.due = "", m.now().Add(elsewhere).UnixMilli()
	back.move(Pending, m.now())
	return errors.Join(err, store.ErrNotFound, put(ctx, m.deps.DB, p.state, p.contact, &back))
}

// leaves gives the missed caller of a person back who is not called by the agent after all.
func (m *Module) leaves(ctx context.Context, tx *store.Tx, p *person, agent id.User) error {
	if m.deps.Missed == nil || agent == "" {
		return nil
	}
	return m.deps.Missed.Leave(ctx, tx, p.number, agent)
}

// tells says in the worklist that a person was called and not reached (how says why not), and gives them back.
func (m *Module) tells(ctx context.Context, tx *store.Tx, p *person, agent id.User, c id.Contact, again int64) error {
	if m.deps.Missed == nil {
		return nil
	}
	switch p.how {
	case event.OutBusy, event.OutRefused, event.OutNoAnswer, event.OutUnreachable, ResultMachine: // it rang at theirs
		if err := m.deps.Missed.Told(ctx, tx, p.number, agent, c, event.TriedNoAnswer, "", again); err != nil {
			return err
		}
	}
	return m.leaves(ctx, tx, p, agent)
}

// tellsResult says in the worklist what an agent made of a talk.
func (m *Module) tellsResult(ctx context.Context, tx *store.Tx, p *person, agent id.User, r TalkResult) error {
	if m.deps.Missed == nil {
		return nil
	}
	word := map[string]string{
		ResultDone: event.TriedReached, ResultAgain: event.TriedReached, ResultRefused: event.TriedUnwanted, ResultNever: event.TriedUnwanted,
		ResultWrong: event.TriedWrong, ResultMachine: event.TriedNoAnswer,
	}[r.Result]
	if err := m.deps.Missed.Told(ctx, tx, p.number, agent, p.contact, word, r.Note, 0); err != nil || r.Result != ResultMachine {
		return err
	}
	return m.leaves(ctx, tx, p, agent)
}

// elsewhereTaken says whether a person is not to be called by the agent now: another has them in the worklist, or they
// came from there and are done with. They are put off, or closed.
func (m *Module) elsewhereTaken(ctx context.Context, l List, p *person, agent id.User, now time.Time) (bool, error) {
	if m.deps.Missed == nil {
		return false, nil
	}
	owners, err := m.deps.Missed.Owners(ctx, m.deps.DB, p.number)
	if err != nil {
		return false, err
	}
	owner, open := owners[p.number]
	switch {
	case !open && p.missed == 1:
		err = m.deps.DB.Tx(ctx, func(tx *store.Tx) error { return m.shut(ctx, tx, l, p, p.state, "settled", now) })
	case owner != "" && owner != agent:
		p.due = now.Add(elsewhere).UnixMilli()
		err = put(ctx, m.deps.DB, p.state, p.contact, p)
	default:
		return false, nil
	}
	if errors.Is(err, store.ErrNotFound) {
		err = nil // moved meanwhile
	}
	return true, err
}

// callers gives the missed callers of a list as its people.
func (m *Module) callers(ctx context.Context, l List) ([]person, error) {
	if m.deps.Missed == nil {
		return nil, fault.New(fault.Unavailable, "outbound.missed.none")
	}
	all, err := m.deps.Missed.Waiting(ctx, l.Site, l.MissedOf)
	if err != nil {
		return nil, err
	}
	say := func(key string) string { return m.api.Texts().Say(web.Locale(ctx), "outbound.column."+key, nil) }
	zone := m.zone(l.Site)
	var out []person
	for _, c := range all {
		number, err := m.readNumber(c.Number, l.Site)
		if err != nil {
			continue // one that cannot be called
		}
		p := person{list: l.Code, number: number, name: c.Name, source: id.Contact(c.Row), missed: 1, addedAt: c.LastAt}
		p.more = append(p.more, OwnCell{Title: say("at"), Text: time.UnixMilli(c.LastAt).In(zone).Format("2006-01-02 15:04")},
			OwnCell{Title: say("kind"), Text: say("kind." + c.Kind)})
		if c.Queue != "" {
			p.more = append(p.more, OwnCell{Title: say("queue"), Text: c.Queue})
		}
		out = append(out, p)
	}
	return out, nil
}

// fillMissed puts the missed callers of now on a list.
func (m *Module) fillMissed(ctx context.Context, l List, dry bool) (PeopleTaken, error) {
	all, err := m.callers(ctx, l)
	if err != nil {
		return PeopleTaken{}, err
	}
	if len(all) == 0 {
		return PeopleTaken{Flaws: []TableFlaw{}, DryRun: dry}, nil
	}
	return m.add(ctx, l, all, dry)
}

// follows keeps the lists that take missed callers of their own accord: who is missed comes on, who was spoken with goes.
func (m *Module) follows(ctx context.Context, now time.Time) error {
	if m.deps.Missed == nil || m.api == nil {
		return nil
	}
	all := m.settle(ctx, now)
	for _, l := range m.running("") {
		if l.FromMissed {
			_, err := m.fillMissed(ctx, l, false)
			all = errors.Join(all, err)
		}
	}
	return all
}

// settle closes who came from the worklist and is open there no more.
func (m *Module) settle(ctx context.Context, now time.Time) error {
	all, err := people(ctx, m.deps.DB, `from_missed = 1 AND state IN ('pending', 'shown')`)
	if err != nil || len(all) == 0 {
		return err
	}
	numbers := make([]string, len(all))
	for i := range all {
		numbers[i] = all[i].number
	}
	owners, err := m.deps.Missed.Owners(ctx, m.deps.DB, numbers...)
	if err != nil {
		return err
	}
	for i := range all {
		p := &all[i]
		if _, open := owners[p.number]; open {
			continue
		}
		agent, was := p.agent, p.state
		m.mend(ctx, p.id, func(ctx context.Context, tx *store.Tx) error {
			return m.shut(ctx, tx, m.listOf(p), p, was, "settled", now)
		})
		m.show(agent)
	}
	return nil
}
