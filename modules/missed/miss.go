package missed

import (
	"context"
	"encoding/json"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/core/phone"
	"github.com/kapok-hotline/kapok/platform/store"
)

// Kind says how a call came to nothing.
type Kind string

// The kinds.
const (
	Abandoned Kind = "abandoned" // gave up waiting
	Turned    Kind = "turned"    // closed, full, nobody there, waited too long
	Failed    Kind = "failed"    // a fault of ours while they waited
	Message   Kind = "voicemail" // left a spoken message
	Unkept    Kind = "callback"  // was promised a call that never came
)

// forEver stands for the wait of who cannot have given up too soon.
const forEver = int64(1) << 40

// miss is one attempt that came to nothing.
type miss struct {
	contact   id.Contact
	number    string // to be called, as stored
	also      string
	ours      id.Number
	kind      Kind
	queue     id.Queue
	site      id.Site
	at        int64
	waitMs    int64
	recording string
}

// key brings a number into the form it is compared in; "" for what nobody can call back: withheld, an extension.
func key(raw string) string {
	if n := phone.Parse(raw, ""); n.Kind != phone.Other {
		return n.National
	}
	return ""
}

// told is a fact of a contact as far as it matters here.
type told struct {
	kind  string
	at    int64
	place string
	body  string
}

func scanTold(r store.Scanner) (f told, err error) {
	return f, r.Scan(&f.kind, &f.at, &f.place, &f.body)
}

// as reads a fact's body; one that cannot be read says nothing.
func as[T event.Body](f told) T {
	var b T
	_ = json.Unmarshal([]byte(f.body), &b)
	return b
}

// examine reads the facts of one contact and says how it came to nothing; false when it did not: an agent spoke with
// the person, they had what they came for, they left before asking, they belong elsewhere, nobody could call them.
func examine(ctx context.Context, q store.Querier, c id.Contact) (miss, bool, error) {
	facts, err := store.All(ctx, q, `SELECT kind, at, place, body FROM ledger_fact WHERE subject = ? AND kind IN ('contact.started', 'contact.located',
		'contact.queued', 'contact.limited', 'contact.answered', 'contact.abandoned', 'contact.exited', 'contact.ended', 'contact.lost', 'voicemail.left') ORDER BY seq`, scanTold, string(c))
	if err != nil {
		return miss{}, false, err
	}
	m, ok := judge(c, facts)
	return m, ok, nil
}

// judge is examine on facts at hand.
func judge(c id.Contact, facts []told) (m miss, ok bool) {
	m.contact = c
	away, asked, promised := false, false, false
	for _, f := range facts {
		switch f.kind {
		case "contact.started":
			b := as[event.ContactStarted](f)
			m.site, m.ours = id.Site(f.place), b.Number
			if b.Direction != contact.Out && b.Medium == contact.Phone {
				m.number = key(b.From)
			}
		case "contact.located":
			away = as[event.ContactLocated](f).Away
		case "contact.queued":
			asked, promised, m.queue, m.site = true, false, as[event.ContactQueued](f).Queue, id.Site(f.place)
		case "contact.answered":
			return m, false
		case "contact.limited":
			if as[event.ContactLimited](f).Do == contact.LimitMessage {
				return m, false // turned away on purpose: they have had their answers, or pester
			}
		case "contact.abandoned":
			m.kind, m.waitMs = Abandoned, m.waitMs+as[event.ContactAbandoned](f).WaitMs
		case "contact.exited":
			b := as[event.ContactExited](f)
			m.waitMs, promised = m.waitMs+b.WaitMs, b.Why == "callback"
		case "voicemail.left":
			m.kind, m.recording = Message, as[event.VoicemailLeft](f).Recording
		case "contact.ended":
			m.at = f.at
			switch as[event.ContactEnded](f).Outcome {
			case contact.Turned:
				m.end(Turned)
			case contact.Abandoned:
				m.end(Abandoned)
			case contact.Failed:
				if asked {
					m.end(Failed)
				}
			}
		case "contact.lost":
			if m.at = f.at; asked && !promised { // a promise outlives its call: unkept, it comes on the list itself
				m.end(Failed)
			}
		}
		if f.kind == "voicemail.left" && m.at == 0 {
			m.at = f.at
		}
	}
	return m, m.number != "" && m.kind != "" && (!away || m.kind == Message)
}

// end says how the contact ended, unless something that weighs more is known.
func (m *miss) end(k Kind) {
	if m.kind != Message && (m.kind != Abandoned || k == Turned) {
		m.kind = k
	}
}

// weight is the wait the rule about short calls looks at.
func (m *miss) weight() int64 {
	if m.kind == Abandoned {
		return m.waitMs
	}
	return forEver
}

// unkept reads a callback that was not kept out of the facts of the contact it was asked in.
func unkept(ctx context.Context, q store.Querier, c id.Contact, at int64, ended event.CallbackEnded) (miss, bool, error) {
	facts, err := store.All(ctx, q, `SELECT kind, at, place, body FROM ledger_fact WHERE subject = ? AND kind IN ('contact.started', 'callback.asked') ORDER BY seq`, scanTold, string(c))
	m := miss{contact: c, kind: Unkept, queue: ended.Queue, at: at}
	for _, f := range facts {
		switch f.kind {
		case "contact.started":
			b := as[event.ContactStarted](f)
			m.also, m.ours = key(b.From), b.Number
		case "callback.asked":
			if b := as[event.CallbackAsked](f); b.Callback == ended.Callback {
				m.number, m.site = key(b.Number), id.Site(f.place)
			}
		}
	}
	if m.also == m.number {
		m.also = ""
	}
	return m, m.number != "", err
}

// kept says whether a callback's end left nobody waiting: who cancels one says why, and answers for it.
func kept(how string) bool {
	return how == event.BackReached || how == event.BackCameBack || how == event.BackCancelled
}

// due gives the local day by which the person is to be called back.
func (m *Module) due(s miss) string {
	at := time.UnixMilli(s.at)
	if m.deps.Due != nil {
		at = m.deps.Due(Call{Number: s.ours, Queue: s.queue, Site: s.site, At: at})
	}
	return m.day(at, s.site)
}
