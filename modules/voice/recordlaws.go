package voice

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/engine/flow"
	"github.com/kapok-hotline/kapok/platform/audio"
	"github.com/kapok-hotline/kapok/platform/ledger"
	"github.com/kapok-hotline/kapok/platform/store"
)

// breachMost is how many breaches of a law are named.
const breachMost = 100

// Invariants gives the laws of recordings: every row has its file or its erasure, every file its row, every erasure
// its proof; that of slots: whoever has one is parked in it; and that of callbacks: what was promised is told once, and
// ends once.
func (m *Module) Invariants() []ledger.Invariant {
	return []ledger.Invariant{
		{Name: "voice.recording.files", Check: m.checkFiles},
		{Name: "voice.recording.proofs", Check: m.checkProofs},
		{Name: "voice.park.slots", Check: m.checkSlots},
		{Name: "voice.callbacks", Check: m.checkCallbacks},
	}
}

// checkFiles compares the rows of this process's disk with the disk.
func (m *Module) checkFiles(ctx context.Context, db *store.DB) ([]ledger.Breach, error) {
	var out []ledger.Breach
	wrong := func(subject, what string) {
		if len(out) < breachMost {
			out = append(out, ledger.Breach{Subject: subject, Params: map[string]any{"what": what}})
		}
	}
	type row struct {
		id, file string
		shredded bool
	}
	known := map[string]bool{}
	err := store.Each(ctx, db, `SELECT id, file, shredded FROM voice_recording WHERE node IN ('', ?)`, func(r store.Scanner) (v row, err error) {
		var shredded int64
		err = r.Scan(&v.id, &v.file, &shredded)
		v.shredded = shredded != 0
		return v, err
	}, func(r row) error {
		known[r.id] = true
		_, err := os.Stat(m.vault.path(r.file))
		switch {
		case r.shredded && err == nil:
			wrong(r.id, "erased, and the file is there")
		case !r.shredded && err != nil:
			wrong(r.id, "the file is gone and nobody erased it")
		}
		return nil
	}, string(m.deps.Node))
	if err != nil {
		return nil, err
	}
	return out, m.strays(func(recording, file string) {
		if !known[recording] && m.adopted.Load() { // before, the next start enters it
			wrong(recording, "a file nobody knows: "+file)
		}
	})
}

// strays names the files of recordings that are not under way.
func (m *Module) strays(f func(recording, file string)) error {
	root := filepath.Join(m.vault.data, "recordings")
	return filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".krec" {
			return nil //nolint:nilerr // a folder that is not there has no recordings
		}
		recording, _, _ := strings.Cut(d.Name(), ".")
		m.vault.mu.RLock()
		under := m.vault.opens[recording]
		m.vault.mu.RUnlock()
		if !under {
			f(recording, path)
		}
		return nil
	})
}

// checkProofs: each erased row has its fact and each fact its row.
func (m *Module) checkProofs(ctx context.Context, db *store.DB) ([]ledger.Breach, error) {
	proven := map[string]bool{}
	err := store.Each(ctx, db, `SELECT f.kind, f.body FROM ledger_fact f JOIN (SELECT DISTINCT contact FROM voice_recording WHERE erased_at > 0) r
		ON r.contact = f.subject WHERE f.kind = 'recording.erased'`, func(r store.Scanner) (f ledger.Fact, err error) {
		var body string
		err = r.Scan(&f.Kind, &body)
		f.Body = []byte(body)
		return f, err
	}, func(f ledger.Fact) error {
		if b, ok := ledger.Read[event.RecordingErased](&f); ok {
			proven[b.Recording] = true
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	var out []ledger.Breach
	erased, err := store.All(ctx, db, `SELECT id FROM voice_recording WHERE erased_at > 0 ORDER BY id`, store.Col[string])
	for _, r := range erased {
		if !proven[r] && len(out) < breachMost {
			out = append(out, ledger.Breach{Subject: r, Params: map[string]any{"what": "erased without a proof"}})
		}
	}
	return out, err
}

// adopt enters the recordings a process left behind that ended without a word (kill -9, a power cut): a file says in
// its name whose it is, and is readable up to its last whole second.
func (m *Module) adopt(ctx context.Context) {
	defer m.adopted.Store(true)
	type stray struct{ recording, path string }
	var all []stray
	if err := m.strays(func(recording, path string) { all = append(all, stray{recording, path}) }); err != nil {
		m.deps.Log.Error("recordings left behind are not looked for", "err", err)
	}
	for _, s := range all {
		if ctx.Err() != nil {
			return
		}
		_, err := m.fileOf(ctx, s.recording)
		if err == nil {
			continue
		}
		if err := m.adoptOne(ctx, s.recording, s.path); err != nil {
			m.deps.Log.Warn("a recording left behind cannot be entered", "file", s.path, "err", err)
		}
	}
}

func (m *Module) adoptOne(ctx context.Context, recording, path string) error {
	parts := strings.Split(filepath.Base(path), ".")
	if len(parts) != 4 || !id.Valid(parts[0]) || !id.Valid(parts[1]) {
		return noRecording(recording)
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // only read
	info, err := f.Stat()
	if err != nil {
		return err
	}
	rec, err := audio.OpenRecording(f, info.Size(), m.keyFinder(ctx))
	if err != nil {
		return err
	}
	sum, err := rec.Scan()
	if err != nil {
		return err
	}
	file, err := filepath.Rel(m.vault.data, path)
	if err != nil {
		return err
	}
	row := enteredRow{
		id: recording, contact: id.Contact(parts[1]), site: id.Site(parts[2]), file: filepath.ToSlash(file), key: keyOf(path),
		at: sum.Started, outcome: "failed", sum: sum,
	}
	secret, err := m.wasSecret(ctx, &row)
	if err != nil {
		return err
	}
	if row.sum.Right.Active == 0 && row.sum.Left.Active >= soundLeast {
		if row.kind, err = m.wasMessage(ctx, row.contact); err != nil {
			return err
		}
	}
	if secret {
		if err := m.seal(ctx, row.id); err != nil { // not entered at all rather than heard by who may not
			return err
		}
	}
	if err := m.enterRow(ctx, row); err != nil {
		return err
	}
	m.deps.Facts.Post(m.now(), row.site, string(row.contact), "", row.stored())
	if row.kind == kindMessage {
		m.deps.Facts.Post(m.now(), row.site, string(row.contact), "", event.VoicemailLeft{Recording: row.id, Queue: row.queue, Ms: row.sum.Duration.Milliseconds(), Ended: "lost"})
	}
	return nil
}

// wasMessage finds in the facts whether a lost call was leaving a message: the last step of its flow says so.
func (m *Module) wasMessage(ctx context.Context, c id.Contact) (kind string, err error) {
	return kind, store.Each(ctx, m.deps.DB, `SELECT body FROM ledger_fact WHERE subject = ? AND kind = 'contact.stepped' ORDER BY seq`, store.Col[string], func(body string) error {
		f := ledger.Fact{Body: []byte(body)}
		kind = ""
		if b, ok := ledger.Read[event.ContactStepped](&f); ok && b.Step == string(flow.VoicemailKind) {
			kind = kindMessage
		}
		return nil
	}, string(c))
}

// wasSecret finds in the facts at which number and in which queue a lost call was, and whether one of them is secret.
func (m *Module) wasSecret(ctx context.Context, row *enteredRow) (secret bool, err error) {
	return secret, store.Each(ctx, m.deps.DB, `SELECT kind, body FROM ledger_fact WHERE subject = ? AND kind IN ('contact.started', 'contact.queued') ORDER BY seq`,
		func(r store.Scanner) (f ledger.Fact, err error) {
			var body string
			err = r.Scan(&f.Kind, &body)
			f.Body = []byte(body)
			return f, err
		}, func(f ledger.Fact) error {
			if b, ok := ledger.Read[event.ContactStarted](&f); ok && f.Kind == b.Kind() {
				row.number = b.Number
				secret = secret || m.snap.Load().numbers[b.Number].Secret
			}
			if b, ok := ledger.Read[event.ContactQueued](&f); ok && f.Kind == b.Kind() {
				row.queue = b.Queue
				secret = secret || m.deps.Queues.Sound(b.Queue).Secret
			}
			return nil
		}, string(row.contact))
}
