package report

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"

	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/core/taxid"
	"github.com/kapok-hotline/kapok/modules/report/tally"
	"github.com/kapok-hotline/kapok/platform/ledger"
	"github.com/kapok-hotline/kapok/platform/store"
)

// Detail is everything known of one contact. Numbers and names are masked.
type Detail struct {
	Contact    Contact     `json:"contact"`
	Cause      string      `json:"cause"`
	EndedBy    string      `json:"ended_by" enum:",caller,agent,system"`
	EndedAt    int64       `json:"ended_at" doc:"unix ms, 0 while open"`
	Visits     []VisitItem `json:"visits"`
	Legs       []LegItem   `json:"legs"`
	Facts      []FactItem  `json:"facts"`
	Offers     []OfferItem `json:"offers" doc:"Each with why this agent, as the brain explained it"`
	Ladder     []Message   `json:"ladder" doc:"The signalling"`
	Recordings []Recording `json:"recordings"`
	Wrapup     *Wrapup     `json:"wrapup"`
	Grade      int         `json:"grade,omitempty" doc:"What the person said of the service: 5 very satisfied … 1 very dissatisfied; 0: nothing"`
}

// VisitItem is one stay in a queue.
type VisitItem struct {
	Queue     id.Queue  `json:"queue"`
	QueueName string    `json:"queue_name"`
	Entered   int64     `json:"entered" doc:"unix ms"`
	Left      int64     `json:"left" doc:"unix ms, 0 while waiting"`
	How       tally.How `json:"how"`
	Why       string    `json:"why"`
	Rule      string    `json:"rule"`
	WaitMs    int64     `json:"wait_ms"`
	Agent     id.User   `json:"agent"`
	AgentName string    `json:"agent_name"`
	First     bool      `json:"first"`
}

// LegItem is one leg.
type LegItem struct {
	Leg       id.Leg   `json:"leg"`
	Role      string   `json:"role" enum:"caller,agent,party,consult,supervisor"`
	Agent     id.User  `json:"agent"`
	AgentName string   `json:"agent_name"`
	Queue     id.Queue `json:"queue"`
	Peer      string   `json:"peer" doc:"The endpoint, or the number masked"`
	Started   int64    `json:"started" doc:"unix ms"`
	Answered  int64    `json:"answered" doc:"unix ms, 0: never"`
	Ended     int64    `json:"ended" doc:"unix ms, 0 while open"`
	RingMs    int64    `json:"ring_ms"`
	TalkMs    int64    `json:"talk_ms"`
	HoldMs    int64    `json:"hold_ms"`
	Cause     string   `json:"cause"`
	MOS       float64  `json:"mos" doc:"ITU-T G.107 estimate, 1.0–4.5; 0: not measured"`
}

// FactItem is one fact of the contact's timeline.
type FactItem struct {
	Seq   int64           `json:"seq"`
	At    int64           `json:"at" doc:"unix ms"`
	Kind  string          `json:"kind"`
	Actor string          `json:"actor"`
	Place string          `json:"place"`
	Node  id.Node         `json:"node"`
	Body  json.RawMessage `json:"body"`
}

// OfferItem is one decision of the brain.
type OfferItem struct {
	Offer     id.Offer `json:"offer"`
	At        int64    `json:"at" doc:"unix ms"`
	Queue     id.Queue `json:"queue"`
	Agent     id.User  `json:"agent"`
	AgentName string   `json:"agent_name"`
	Result    string   `json:"result" enum:"open,answered,missed,refused,failed,withdrawn"`
	Trace     any      `json:"trace,omitempty"`
}

// Recording is one recording of the contact.
type Recording struct {
	ID      string `json:"id"`
	At      int64  `json:"at" doc:"unix ms"`
	Ms      int64  `json:"ms"`
	LeftDB  int    `json:"left_db" doc:"Mean level of the caller's channel, dBov"`
	RightDB int    `json:"right_db"`
	Missing string `json:"missing,omitempty"`
}

// Wrapup is what the agent wrote, the newest.
type Wrapup struct {
	At        int64   `json:"at" doc:"unix ms"`
	Agent     id.User `json:"agent"`
	AgentName string  `json:"agent_name"`
	Topic     string  `json:"topic"`
	TopicName string  `json:"topic_name"`
	TaxID     string  `json:"tax_id" doc:"Masked"`
	TaxType   string  `json:"tax_type"`
	District  string  `json:"district"`
	Name      string  `json:"name" doc:"Masked"`
	Question  string  `json:"question"`
	Answer    string  `json:"answer"`
	Note      string  `json:"note"`
	TaxIDWhy  string  `json:"tax_id_why,omitempty" doc:"why a tax ID is kept whose check digit is wrong"`
	Refer     string  `json:"refer,omitempty" doc:"who is to go on with it"`
	Satisfied string  `json:"satisfied,omitempty" doc:"as the person said: 5 very satisfied … 1 very dissatisfied"`
	Final     bool    `json:"final"`
}

func notFound(of id.Contact) error {
	return fault.New(fault.NotFound, "report.contact.unknown", "contact", string(of))
}

// contact reads one contact; fault not_found when nobody knows it.
func (m *Module) contact(ctx context.Context, of id.Contact) (*tally.Contact, error) {
	found, err := loadContacts(ctx, m.db, []id.Contact{of})
	if err != nil {
		return nil, err
	}
	if found[of] == nil {
		return nil, notFound(of)
	}
	return found[of], nil
}

// Detail gives everything known of a contact.
func (m *Module) Detail(ctx context.Context, of id.Contact) (*Detail, error) {
	c, err := m.contact(ctx, of)
	if err != nil {
		return nil, err
	}
	d := &Detail{
		Contact: listed(c), Cause: c.Cause, EndedBy: string(c.By), EndedAt: c.Ended, Visits: []VisitItem{}, Legs: []LegItem{},
		Facts: []FactItem{}, Offers: []OfferItem{}, Ladder: []Message{}, Recordings: []Recording{},
	}
	number := c.From
	m.dress(ctx, &d.Contact)
	m.visits(ctx, d, c)
	if err := m.legs(ctx, d); err != nil {
		return nil, err
	}
	facts, err := m.deps.Ledger.Of(ctx, string(of))
	if err != nil {
		return nil, err
	}
	running := legsNow{}
	for i := range facts {
		m.tell(ctx, d, &facts[i])
		running.tell(&facts[i])
	}
	if c.Ended == 0 {
		now := m.clock.Now().UnixMilli()
		for i := range d.Legs {
			running.show(&d.Legs[i], now)
		}
	}
	m.ladder(ctx, d, number)
	return d, nil
}

func (m *Module) visits(ctx context.Context, d *Detail, c *tally.Contact) {
	for i := range c.Visits {
		v := &c.Visits[i]
		d.Visits = append(d.Visits, VisitItem{
			Queue: v.Queue, QueueName: m.spoken(ctx, KindQueue, string(v.Queue)), Entered: v.Entered, Left: v.Left, How: v.How,
			Why: v.Why, Rule: v.Rule, WaitMs: v.WaitMs, Agent: v.Agent, AgentName: m.spoken(ctx, KindAgent, string(v.Agent)), First: v.First,
		})
	}
}

func (m *Module) legs(ctx context.Context, d *Detail) error {
	found, err := store.All(ctx, m.db, `SELECT leg, role, agent, queue, peer, started_at, answered_at, ended_at, ring_ms,
		talk_ms, hold_ms, cause, mos FROM report_leg WHERE contact = ? ORDER BY started_at, leg`, scanLegItem, string(d.Contact.ID))
	if err != nil {
		return err
	}
	for _, l := range found {
		l.AgentName = m.spoken(ctx, KindAgent, string(l.Agent))
		l.Peer = maskPeer(l.Role, l.Peer)
		d.Legs = append(d.Legs, l)
	}
	return nil
}

func scanLegItem(r store.Scanner) (l LegItem, err error) {
	err = r.Scan(&l.Leg, &l.Role, &l.Agent, &l.Queue, &l.Peer, &l.Started, &l.Answered, &l.Ended, &l.RingMs, &l.TalkMs,
		&l.HoldMs, &l.Cause, &l.MOS)
	return l, err
}

// tell puts a fact on the timeline and, when it is one, among offers, recordings and wrap-up. An offer's trace
// stands with the offer alone: it is long.
func (m *Module) tell(ctx context.Context, d *Detail, f *ledger.Fact) {
	shown := maskBody(f.Body)
	switch f.Kind {
	case "contact.offered":
		var b event.ContactOffered
		if json.Unmarshal(f.Body, &b) == nil {
			d.Offers = append(d.Offers, OfferItem{
				Offer: b.Offer, At: f.At, Queue: b.Queue, Agent: b.Agent, AgentName: m.spoken(ctx, KindAgent, string(b.Agent)),
				Result: "open", Trace: b.Trace,
			})
			b.Trace = nil
			shown = maskBody(ledger.Body(b))
		}
	case "contact.answered":
		var b event.ContactAnswered
		if json.Unmarshal(f.Body, &b) == nil {
			d.result(b.Offer, "answered")
		}
	case "contact.missed":
		var b event.ContactMissed
		if json.Unmarshal(f.Body, &b) == nil {
			d.result(b.Offer, b.Why)
		}
	case "recording.stored":
		var b event.RecordingStored
		if json.Unmarshal(f.Body, &b) == nil {
			d.Recordings = append(d.Recordings, Recording{ID: b.Recording, At: f.At, Ms: b.Ms, LeftDB: b.LeftDB, RightDB: b.RightDB, Missing: b.Missing})
		}
	case "survey.answered":
		var b event.SurveyAnswered
		if json.Unmarshal(f.Body, &b) == nil {
			d.Grade = b.Grade
		}
	case "wrapup.saved":
		var b event.WrapupSaved
		if json.Unmarshal(f.Body, &b) == nil && (d.Wrapup == nil || f.At >= d.Wrapup.At) {
			d.Wrapup = &Wrapup{
				At: f.At, Agent: b.Agent, AgentName: m.spoken(ctx, KindAgent, string(b.Agent)), Topic: b.Topic,
				TopicName: m.spoken(ctx, KindTopic, b.Topic), TaxID: taxid.Mask(b.TaxID), TaxType: b.TaxType, District: b.District,
				Name: maskName(b.Name), Question: b.Question, Answer: b.Answer, Note: b.Note, Final: b.Final,
				TaxIDWhy: b.TaxIDWhy, Refer: b.Refer, Satisfied: b.Satisfied,
			}
		}
	}
	d.Facts = append(d.Facts, FactItem{Seq: f.Seq, At: f.At, Kind: f.Kind, Actor: f.Actor, Place: f.Place, Node: f.Node, Body: shown})
}

func (d *Detail) result(of id.Offer, result string) {
	for i := range d.Offers {
		if d.Offers[i].Offer == of {
			d.Offers[i].Result = result
		}
	}
}

// ladder asks the channel for the signalling; what cannot be had is left out, the rest of the page stands.
func (m *Module) ladder(ctx context.Context, d *Detail, number string) {
	if m.deps.Ladder == nil {
		return
	}
	steps, err := m.deps.Ladder.Ladder(ctx, d.Contact.ID)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		m.log.WarnContext(ctx, "the signalling of a contact is not to be had", slog.String("contact", string(d.Contact.ID)), slog.Any("error", err))
	}
	for _, s := range steps {
		s.From, s.To = maskText(s.From, number), maskText(s.To, number)
		s.Text, s.Raw = maskText(s.Text, number), maskText(s.Raw, number)
		d.Ladder = append(d.Ladder, s)
	}
}
