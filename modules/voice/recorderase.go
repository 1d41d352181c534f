package voice

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/audio"
	"github.com/kapok-hotline/kapok/platform/store"
)

// fileRow is a recording's row as far as keeping and erasing it goes.
type fileRow struct {
	id, place, file, held, key, node string
	contact                          id.Contact
	queue                            id.Queue
	at, ms, erasedAt                 int64
}

// files gives recordings, the oldest first.
func (m *Module) files(ctx context.Context, where string, most int, args ...any) ([]fileRow, error) {
	return store.All(ctx, m.deps.DB, `SELECT id, place, file, held_why, key_id, node, contact, queue, at, ms, erased_at FROM voice_recording
		WHERE `+where+` ORDER BY at, id LIMIT ?`, func(r store.Scanner) (f fileRow, err error) {
		return f, r.Scan(&f.id, &f.place, &f.file, &f.held, &f.key, &f.node, &f.contact, &f.queue, &f.at, &f.ms, &f.erasedAt)
	}, append(args[:len(args):len(args)], most)...)
}

// fileOf gives one recording.
func (m *Module) fileOf(ctx context.Context, recording string) (fileRow, error) {
	rows, err := m.files(ctx, `id = ?`, 1, recording)
	if err == nil && len(rows) == 0 {
		err = noRecording(recording)
	}
	if err != nil {
		return fileRow{}, err
	}
	return rows[0], nil
}

// keep writes a fact in the transaction of the rows it belongs to.
func (m *Module) keep(tx *store.Tx, at time.Time, place id.Site, subject, actor string, body event.Body) error {
	if m.deps.Keep != nil {
		return m.deps.Keep(tx, at, place, subject, actor, body)
	}
	tx.AfterCommit(func() { m.deps.Facts.Post(at, place, subject, actor, body) })
	return nil
}

// erasure says who has a recording erased, and why.
type erasure struct {
	by    string // person, retention
	actor string
	class string
	why   string
}

// erase destroys a recording and leaves the proof. First the fact is written, with the hash of what goes, together
// with the row's mark; then the file's own key is overwritten and the file removed. Whatever stops it in between, the
// next pass ends it: never is a recording half gone without a word.
func (m *Module) erase(ctx context.Context, r fileRow, e erasure) error {
	path := m.vault.path(r.file)
	sum, size, err := hashFile(path)
	if err != nil {
		return fault.New(fault.Unavailable, "voice.recording.file", "recording", r.id).Because(err)
	}
	now := m.now()
	err = m.deps.DB.Tx(ctx, func(tx *store.Tx) error {
		n, err := store.Exec(ctx, tx, `UPDATE voice_recording SET erased_at = ? WHERE id = ? AND erased_at = 0 AND held_why = ''`, now.UnixMilli(), r.id)
		if err != nil {
			return err
		}
		if n == 0 {
			return fault.New(fault.Conflict, "voice.recording.locked", "recording", r.id)
		}
		return m.keep(tx, now, id.Site(r.place), string(r.contact), e.actor, event.RecordingErased{
			Recording: r.id, SHA256: sum, Bytes: size, Ms: r.ms, Key: r.key, By: e.by, Class: e.class, Why: e.why,
		})
	})
	if err != nil {
		return err
	}
	return m.shred(ctx, r)
}

func (m *Module) shred(ctx context.Context, r fileRow) error {
	if err := audio.Shred(m.vault.path(r.file)); err != nil {
		return err
	}
	return store.Change(ctx, m.deps.DB, `UPDATE voice_recording SET shredded = 1 WHERE id = ?`, r.id)
}

// finishErasures ends what was begun on this disk and not ended: by a power cut, or at another process's word.
func (m *Module) finishErasures(ctx context.Context) error {
	rows, err := m.files(ctx, `erased_at > 0 AND shredded = 0 AND node IN ('', ?)`, sweepMost, string(m.deps.Node))
	for _, r := range rows {
		if e := m.shred(ctx, r); e != nil {
			err = errors.Join(err, e)
		}
	}
	return err
}

// hashFile gives SHA-256 and length of a file; a file that is not there has neither.
func hashFile(path string) (sum string, size int64, err error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", 0, nil
	}
	if err != nil {
		return "", 0, err
	}
	defer f.Close() //nolint:errcheck // only read
	h := sha256.New()
	if size, err = io.Copy(h, f); err != nil {
		return "", 0, err
	}
	return hex.EncodeToString(h.Sum(nil)), size, nil
}

// hold puts a recording under a legal hold, or takes it off.
func (m *Module) holdRecording(ctx context.Context, r fileRow, on bool, actor, why string) error {
	now := m.now()
	kept := ""
	if on {
		kept = why
	}
	return m.deps.DB.Tx(ctx, func(tx *store.Tx) error {
		n, err := store.Exec(ctx, tx, `UPDATE voice_recording SET held_why = ? WHERE id = ? AND erased_at = 0`, kept, r.id)
		if err != nil {
			return err
		}
		if n == 0 {
			return fault.New(fault.Conflict, "voice.recording.erased", "recording", r.id)
		}
		return m.keep(tx, now, id.Site(r.place), string(r.contact), actor, event.RecordingKept{Recording: r.id, Held: on, Why: why})
	})
}
