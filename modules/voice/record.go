package voice

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/audio"
	"github.com/kapok-hotline/kapok/platform/clock"
	"github.com/kapok-hotline/kapok/platform/store"
)

// recording is the recording of a call under way: the caller on the left, whoever serves on the right, across
// holds and transfers.
type recording struct {
	id     string
	file   string // below the data folder
	at     time.Time
	rec    *audio.Recorder
	secret bool   // to be heard by those alone who hold PlaySecret
	kind   string // kindMessage, or empty: a talk

	// What decides how long it is kept.
	queue   id.Queue
	number  id.Number
	outcome contact.Outcome

	paused   clock.Timer // ends the pause; nil: it records
	pausedAt time.Time
}

// record begins the recording at the first talk with an agent, when the house and the queue want it. A disk that is
// full stops the recording, never the call.
func (c *call) record(s *side) {
	if c.rec == nil && s.role == "agent" && c.m.snap.Load().settings.Recording && c.m.deps.Queues.Sound(s.queue).Record {
		c.rec = c.m.newRecording(c)
	}
	c.sealRecording()
}

func (m *Module) newRecording(c *call) *recording {
	now := m.now()
	r := &recording{id: id.New(now), at: now}
	r.queue, r.number = c.queue, c.number
	r.file = filepath.Join("recordings", now.UTC().Format("2006/01/02"), r.id+"."+string(c.id)+"."+string(c.site)+".krec")
	path := filepath.Join(m.vault.data, r.file)
	m.vault.open(r.id, true)
	err := os.MkdirAll(filepath.Dir(path), 0o700)
	if err == nil {
		r.rec, err = m.vault.studio.Record(path, func(err error) { m.notRecorded(c, err) })
	}
	if err != nil {
		m.vault.open(r.id, false)
		m.notRecorded(c, err)
		return nil
	}
	return r
}

// notRecorded raises the alarm that a call goes on without its recording.
func (m *Module) notRecorded(c *call, err error) {
	m.alarm.Store(true)
	c.log.Error("a call is not being recorded", "err", err)
	c.fact("", event.RecordingFailed{Why: err.Error()})
}

// tap lets the recorder hear the bridge there is now.
func (c *call) tap() {
	if c.rec != nil && c.bridge != nil {
		c.bridge.Tap(c.rec.rec.Left(), c.rec.rec.Right())
	}
}

// stopRecording ends the recording; it is entered when its last second is on the disk.
func (c *call) stopRecording() {
	r := c.rec
	if r == nil {
		return
	}
	c.unpause("", "moved")
	c.rec, r.outcome, r.secret = nil, c.outcome, c.secret()
	c.m.gone.Add(1)
	r.rec.Close(func(sum audio.Summary, err error) {
		go func() {
			defer c.m.gone.Done()
			c.m.enterRecording(c, r, sum, err)
		}()
	})
}

// soundLeast is how long a side must be heard for its channel to count as there.
const soundLeast = 300 * time.Millisecond

// enterRecording enters a recording that has ended; false when it could not be.
func (m *Module) enterRecording(c *call, r *recording, sum audio.Summary, err error) bool {
	defer m.vault.open(r.id, false)
	if err != nil {
		m.notRecorded(c, err)
		return false
	}
	ctx, cancel := context.WithTimeout(context.Background(), goodbye)
	defer cancel()
	if r.secret {
		if err := m.seal(ctx, r.id); err != nil { // not entered at all rather than heard by who may not
			m.notRecorded(c, err)
			return false
		}
	}
	row := enteredRow{
		id: r.id, contact: c.id, site: c.site, file: filepath.ToSlash(r.file), key: r.rec.KeyID(),
		at: r.at, queue: r.queue, number: r.number, outcome: r.outcome, kind: r.kind, sum: sum,
	}
	if err := m.enterRow(ctx, row); err != nil {
		m.notRecorded(c, err)
		return false
	}
	m.alarm.Store(false)
	m.deps.Facts.Post(m.now(), c.site, string(c.id), "", row.stored())
	return true
}

// enteredRow is what is known of a recording that has ended.
type enteredRow struct {
	id, file, key string
	contact       id.Contact
	site          id.Site
	at            time.Time
	queue         id.Queue
	number        id.Number
	outcome       contact.Outcome
	kind          string
	sum           audio.Summary
}

// missing says which side was not heard.
func (r enteredRow) missing() string {
	switch left, right := r.sum.Left.Active < soundLeast, r.sum.Right.Active < soundLeast; {
	case r.kind == kindMessage && !left: // nobody else is on the line
	case left && right:
		return "both"
	case left:
		return "caller"
	case right:
		return "agent"
	}
	return ""
}

func (r enteredRow) stored() event.RecordingStored {
	return event.RecordingStored{
		Recording: r.id, Ms: r.sum.Duration.Milliseconds(), LeftDB: decibels(r.sum.Left.RMS), RightDB: decibels(r.sum.Right.RMS), Missing: r.missing(),
	}
}

func (m *Module) enterRow(ctx context.Context, r enteredRow) error {
	s := r.stored()
	_, err := store.Exec(ctx, m.deps.DB, `INSERT INTO voice_recording (id, contact, at, place, file, ms, left_db, right_db,
		node, queue, number, outcome, missing, key_id, kind) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`,
		r.id, string(r.contact), r.at.UnixMilli(), string(r.site), r.file, s.Ms, s.LeftDB, s.RightDB,
		string(m.deps.Node), string(r.queue), string(r.number), string(r.outcome), s.Missing, r.key, r.kind)
	return err
}

// decibels rounds a level below full scale; silence is -127.
func decibels(db float64) int {
	if math.IsInf(db, 0) || math.IsNaN(db) || db < -127 {
		return -127
	}
	return int(math.Round(db))
}
