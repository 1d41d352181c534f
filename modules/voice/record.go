package voice

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"time"

	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/audio"
	"github.com/kapok-hotline/kapok/platform/store"
)

// recording is the recording of a call under way: the caller on the left, whoever serves on the right, across
// holds and transfers.
type recording struct {
	id   string
	file string // below the data folder
	at   time.Time
	rec  *audio.Recorder
}

// vault is where recordings lie, sealed.
type vault struct {
	studio *audio.Studio
	key    []byte
	data   string
}

const keyID = "1"

func openVault(d Deps) (*vault, error) {
	s, err := audio.NewStudio(audio.StudioConfig{Key: d.Key, KeyID: keyID, Now: d.Clock.Now})
	return &vault{studio: s, key: d.Key, data: d.Data}, err
}

// keys finds the master key a recording was sealed with.
func (v *vault) keys(name string) ([]byte, error) {
	if name != keyID {
		return nil, errors.New("voice: the recording is sealed with a key that is not here: " + name)
	}
	return v.key, nil
}

// record begins the recording at the first talk with an agent, when the house and the queue want it. A disk that is
// full stops the recording, never the call.
func (c *call) record(s *side) {
	if c.rec == nil && s.role == "agent" && c.m.snap.Load().settings.Recording && c.m.deps.Queues.Sound(s.queue).Record {
		c.rec = c.m.newRecording(c)
	}
}

func (m *Module) newRecording(c *call) *recording {
	now := m.now()
	r := &recording{id: id.New(now), at: now}
	r.file = filepath.Join("recordings", now.UTC().Format("2006/01/02"), r.id+".krec")
	path := filepath.Join(m.vault.data, r.file)
	err := os.MkdirAll(filepath.Dir(path), 0o700)
	if err == nil {
		r.rec, err = m.vault.studio.Record(path, func(err error) { m.notRecorded(c, err) })
	}
	if err != nil {
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
	c.rec = nil
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

func (m *Module) enterRecording(c *call, r *recording, sum audio.Summary, err error) {
	if err != nil {
		m.notRecorded(c, err)
		return
	}
	left, right := decibels(sum.Left.RMS), decibels(sum.Right.RMS)
	ctx, cancel := context.WithTimeout(context.Background(), goodbye)
	defer cancel()
	_, err = store.Exec(ctx, m.deps.DB, `INSERT INTO voice_recording (id, contact, at, place, file, ms, left_db, right_db)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`,
		r.id, string(c.id), r.at.UnixMilli(), string(c.site), filepath.ToSlash(r.file), sum.Duration.Milliseconds(), left, right)
	if err != nil {
		m.notRecorded(c, err)
		return
	}
	missing := ""
	switch {
	case sum.Left.Active < soundLeast && sum.Right.Active < soundLeast:
		missing = "both"
	case sum.Left.Active < soundLeast:
		missing = "caller"
	case sum.Right.Active < soundLeast:
		missing = "agent"
	}
	m.alarm.Store(false)
	m.deps.Facts.Post(m.now(), c.site, string(c.id), "", event.RecordingStored{
		Recording: r.id, Ms: sum.Duration.Milliseconds(), LeftDB: left, RightDB: right, Missing: missing,
	})
}

// decibels rounds a level below full scale; silence is -127.
func decibels(db float64) int {
	if math.IsInf(db, 0) || math.IsNaN(db) || db < -127 {
		return -127
	}
	return int(math.Round(db))
}
