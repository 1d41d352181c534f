package voice

import (
	"context"
	"encoding/json"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/sip"
	"github.com/kapok-hotline/kapok/platform/store"
)

// Message is one SIP message of a call's ladder.
type Message struct {
	At   int64  `json:"at"` // unix ms
	Out  bool   `json:"out"`
	Peer string `json:"peer"`
	Text string `json:"text"`
}

// Ladder is one SIP call of a contact: its messages in order.
type Ladder struct {
	CallID   string    `json:"call_id"`
	Messages []Message `json:"messages"`
}

// ladders bring the messages of finished SIP calls to the contact they belonged to, off the way of the calls.
type ladders struct {
	m    *Module
	mu   sync.Mutex
	of   map[string]owner // by Call-ID
	wait []ladderRow
	look time.Time // when those of calls long gone were last looked for
	wake chan struct{}
}

// owner is the contact of a SIP call.
type owner struct {
	contact id.Contact
	since   time.Time
}

type ladderRow struct {
	contact id.Contact
	callID  string
	at      int64
	body    string
}

const (
	ladderEvery = time.Second
	ladderMost  = 5000 // rows that wait; beyond, the oldest are given up: a ladder is a help, not a record
	// ladderKeep is how long a SIP call whose contact is over is waited for: some never tell their messages, such
	// as one that failed before its owner was known.
	ladderKeep = 5 * time.Minute
)

func newLadders(m *Module) *ladders {
	return &ladders{m: m, of: map[string]owner{}, wake: make(chan struct{}, 1)}
}

// belongs says whose SIP call this is.
func (l *ladders) belongs(callID string, c id.Contact) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.of[callID] = owner{c, l.m.now()}
}

// owner gives the contact of a SIP call under way, "" when it belongs to none.
func (l *ladders) owner(callID string) id.Contact {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.of[callID].contact
}

// sweep forgets the SIP calls of contacts long over.
func (l *ladders) sweep(now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now.Sub(l.look) < ladderKeep {
		return
	}
	l.look = now
	for callID, o := range l.of {
		if now.Sub(o.since) > ladderKeep && l.m.find(o.contact) == nil {
			delete(l.of, callID)
		}
	}
}

// traced takes the messages of an ended SIP call; it does not block.
func (l *ladders) traced(callID string, messages []sip.Entry) {
	l.mu.Lock()
	o, ok := l.of[callID]
	delete(l.of, callID)
	l.mu.Unlock()
	if !ok || len(messages) == 0 {
		return
	}
	out := Ladder{CallID: callID}
	for _, e := range messages {
		out.Messages = append(out.Messages, messageOf(e))
	}
	body, err := json.Marshal(out)
	if err != nil {
		return
	}
	l.mu.Lock()
	l.wait = append(l.wait, ladderRow{o.contact, callID, messages[0].At.UnixMilli(), string(body)})
	if n := len(l.wait) - ladderMost; n > 0 {
		l.wait = l.wait[n:]
	}
	l.mu.Unlock()
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// mediaKey is the key of an a=crypto line (RFC 4568 §9.2): who reads a ladder must not be able to hear the call.
var mediaKey = regexp.MustCompile(`inline:[^|\s]+`)

func messageOf(e sip.Entry) Message {
	text := mediaKey.ReplaceAllString(strings.ToValidUTF8(string(e.Text), "?"), "inline:***")
	return Message{At: e.At.UnixMilli(), Out: e.Out, Peer: e.Peer.String(), Text: text}
}

// run stores what has come together, once a second.
func (l *ladders) run(ctx context.Context) {
	for {
		select {
		case <-l.wake:
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), ladderEvery)
			l.store(last)
			cancel()
			return
		}
		timer := l.m.deps.Clock.NewTimer(ladderEvery)
		select {
		case <-timer.C():
		case <-ctx.Done():
			timer.Stop()
		}
		l.store(context.WithoutCancel(ctx))
		l.sweep(l.m.now())
	}
}

func (l *ladders) store(ctx context.Context) {
	l.mu.Lock()
	rows := l.wait
	l.wait = nil
	l.mu.Unlock()
	if len(rows) == 0 {
		return
	}
	err := l.m.deps.DB.Tx(ctx, func(tx *store.Tx) error {
		for _, r := range rows {
			if _, err := store.Exec(ctx, tx, `INSERT INTO voice_ladder (contact, call_id, at, body) VALUES (?, ?, ?, ?) ON CONFLICT (contact, call_id) DO NOTHING`,
				string(r.contact), r.callID, r.at, r.body); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		l.m.deps.Log.Error("SIP ladders could not be kept", "calls", len(rows), "err", err)
	}
}

// Ladders gives the SIP messages of a contact: of its finished calls, and of those under way.
func (m *Module) Ladders(ctx context.Context, c id.Contact) ([]Ladder, error) {
	out, err := store.All(ctx, m.deps.DB, `SELECT body FROM voice_ladder WHERE contact = ? ORDER BY at`,
		func(r store.Scanner) (l Ladder, err error) {
			var body string
			if err = r.Scan(&body); err != nil {
				return l, err
			}
			return l, json.Unmarshal([]byte(body), &l)
		}, string(c))
	if err != nil {
		return nil, err
	}
	m.ladders.mu.Lock()
	var live []string
	for callID, o := range m.ladders.of {
		if o.contact == c {
			live = append(live, callID)
		}
	}
	m.ladders.mu.Unlock()
	for _, callID := range live {
		l := Ladder{CallID: callID}
		for _, e := range m.sip.Trace(callID) {
			l.Messages = append(l.Messages, messageOf(e))
		}
		out = append(out, l)
	}
	return out, nil
}
