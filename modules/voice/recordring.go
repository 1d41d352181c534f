package voice

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/platform/audio"
	"github.com/kapok-hotline/kapok/platform/store"
)

// vault is where recordings lie: each sealed under a key of its own, which is sealed under a master key of the ring.
// The ring's first key lies in the data folder; the later ones in the database, sealed under the first.
type vault struct {
	studio *audio.Studio
	root   []byte
	data   string

	mu    sync.RWMutex
	keys  map[string][]byte
	born  time.Time // when the newest key was made; zero: the first one
	now   string    // id of the newest
	opens map[string]bool
}

// firstKey is the id of the key in the data folder.
const firstKey = "1"

func openVault(d Deps) (*vault, error) {
	s, err := audio.NewStudio(audio.StudioConfig{Key: d.Key, KeyID: firstKey, Now: d.Clock.Now})
	return &vault{
		studio: s, root: d.Key, data: d.Data, now: firstKey, keys: map[string][]byte{firstKey: d.Key}, opens: map[string]bool{},
	}, err
}

// path gives where a recording's file lies.
func (v *vault) path(file string) string { return filepath.Join(v.data, filepath.FromSlash(file)) }

// open notes that a recording is under way: its file has no row yet.
func (v *vault) open(recording string, under bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if under {
		v.opens[recording] = true
	} else {
		delete(v.opens, recording)
	}
}

// find gives the master key a recording was sealed under.
func (v *vault) find(name string) ([]byte, bool) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	k, ok := v.keys[name]
	return k, ok
}

// newest gives the key that recordings begin under now, and since when it holds.
func (v *vault) newest() (name string, key []byte, born time.Time) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return v.now, v.keys[v.now], v.born
}

// keyFinder finds master keys; one that is not here is looked for among those another process has made.
func (m *Module) keyFinder(ctx context.Context) audio.Keys {
	return func(name string) ([]byte, error) {
		if k, ok := m.vault.find(name); ok {
			return k, nil
		}
		if err := m.loadRing(ctx); err != nil {
			return nil, err
		}
		if k, ok := m.vault.find(name); ok {
			return k, nil
		}
		return nil, errors.New("voice: the recording is sealed with a key that is not here: " + name)
	}
}

type keyRow struct {
	id     string
	at     int64
	sealed string
}

// loadRing reads the keys of the database and has recordings begin under the newest.
func (m *Module) loadRing(ctx context.Context) error {
	rows, err := store.All(ctx, m.deps.DB, `SELECT id, at, sealed FROM voice_key ORDER BY at, id`, func(r store.Scanner) (k keyRow, err error) {
		return k, r.Scan(&k.id, &k.at, &k.sealed)
	})
	if err != nil {
		return err
	}
	v := m.vault
	keys, now, born := map[string][]byte{firstKey: v.root}, firstKey, time.Time{}
	for _, r := range rows {
		key, err := v.unseal(r.id, r.sealed)
		if err != nil {
			return err
		}
		keys[r.id], now, born = key, r.id, time.UnixMilli(r.at)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.keys, v.born = keys, born
	if v.now == now {
		return nil
	}
	v.now = now
	return v.studio.SetKey(now, keys[now])
}

func (v *vault) aead() (cipher.AEAD, error) {
	b, err := aes.NewCipher(v.root)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(b)
}

func (v *vault) seal(name string, key []byte) (string, error) {
	a, err := v.aead()
	if err != nil {
		return "", err
	}
	nonce := make([]byte, a.NonceSize())
	_, _ = rand.Read(nonce) // never fails since Go 1.24
	return base64.StdEncoding.EncodeToString(a.Seal(nonce, nonce, key, []byte(name))), nil
}

func (v *vault) unseal(name, sealed string) ([]byte, error) {
	a, err := v.aead()
	if err != nil {
		return nil, err
	}
	raw, err := base64.StdEncoding.DecodeString(sealed)
	if err == nil && len(raw) > a.NonceSize() {
		var key []byte
		if key, err = a.Open(nil, raw[:a.NonceSize()], raw[a.NonceSize():], []byte(name)); err == nil {
			return key, nil
		}
	}
	return nil, fmt.Errorf("the recording key %s does not open with keys/recording.key of the data folder; put that file back from a backup", name)
}

// rotate makes a new master key; by is who asked, "" for age. Recordings under way keep theirs.
func (m *Module) rotate(ctx context.Context, by string) (name string, err error) {
	if err := m.loadRing(ctx); err != nil {
		return "", err
	}
	was, _, _ := m.vault.newest()
	n, err := strconv.Atoi(was)
	if err != nil {
		return "", fmt.Errorf("voice: the key %q has no number", was)
	}
	name = strconv.Itoa(n + 1)
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails since Go 1.24
	sealed, err := m.vault.seal(name, key)
	if err != nil {
		return "", err
	}
	now := m.now()
	err = m.deps.DB.Tx(ctx, func(tx *store.Tx) error {
		made, err := store.Exec(ctx, tx, `INSERT INTO voice_key (id, at, sealed) VALUES (?, ?, ?) ON CONFLICT (id) DO NOTHING`, name, now.UnixMilli(), sealed)
		if err != nil || made == 0 { // another process was first
			return err
		}
		return m.keep(tx, now, "", name, by, event.RecordingRotated{Key: name, Was: was})
	})
	if err != nil {
		return "", err
	}
	return name, m.loadRing(ctx)
}

// rewrapMost bounds one request: a header a file, some ten thousand a minute on a slow disk.
const rewrapMost = 5000

// rewrap puts the recordings on this disk that are under an older master key under the newest; keys that nothing is
// sealed under any more are destroyed. left says how many stay, here or on other disks.
func (m *Module) rewrap(ctx context.Context, by string) (done, left int64, err error) {
	if err := m.loadRing(ctx); err != nil {
		return 0, 0, err
	}
	name, key, _ := m.vault.newest()
	rows, err := m.files(ctx, `erased_at = 0 AND key_id <> ? AND node IN ('', ?)`, rewrapMost, name, string(m.deps.Node))
	if err != nil {
		return 0, 0, err
	}
	for _, r := range rows {
		if err := m.rewrapOne(ctx, r, name, key); err != nil {
			m.deps.Log.Error("a recording stays under its old key", "recording", r.id, "err", err)
			continue
		}
		done++
	}
	if left, err = store.One(ctx, m.deps.DB, `SELECT COUNT(*) FROM voice_recording WHERE erased_at = 0 AND key_id <> ?`, store.Col[int64], name); err != nil {
		return done, 0, err
	}
	return done, left, m.retire(ctx, by)
}

func (m *Module) rewrapOne(ctx context.Context, r fileRow, name string, key []byte) error {
	f, err := os.OpenFile(m.vault.path(r.file), os.O_RDWR, 0)
	if err != nil {
		return err
	}
	err = audio.Rewrap(f, m.keyFinder(ctx), name, key)
	if err == nil {
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		return err
	}
	return store.Change(ctx, m.deps.DB, `UPDATE voice_recording SET key_id = ? WHERE id = ?`, name, r.id)
}

// retireAfter is how long a key outlives its successor: a call that began under it has ended by then.
const retireAfter = 24 * time.Hour

// retire destroys the keys, but the first and the newest, that no recording is under any more: a stolen copy of a
// file from their time cannot be opened with what this house has.
func (m *Module) retire(ctx context.Context, by string) error {
	_, _, born := m.vault.newest()
	now := m.now()
	if born.IsZero() || now.Sub(born) < retireAfter {
		return nil
	}
	old, err := store.All(ctx, m.deps.DB, `SELECT id FROM voice_key k WHERE at < ?
		AND NOT EXISTS (SELECT 1 FROM voice_recording r WHERE r.key_id = k.id AND r.erased_at = 0) ORDER BY at`, store.Col[string], born.UnixMilli())
	if err != nil {
		return err
	}
	for _, name := range old {
		err := m.deps.DB.Tx(ctx, func(tx *store.Tx) error {
			if n, err := store.Exec(ctx, tx, `DELETE FROM voice_key WHERE id = ?`, name); err != nil || n == 0 {
				return err
			}
			return m.keep(tx, now, "", name, by, event.RecordingRetired{Key: name})
		})
		if err != nil {
			return err
		}
	}
	return m.loadRing(ctx)
}

// KeyView is a master key of the ring: how many recordings are under it.
type KeyView struct {
	ID         string `json:"id"`
	At         int64  `json:"at" doc:"unix ms it was made at; 0: with the installation"`
	Newest     bool   `json:"newest"`
	Recordings int64  `json:"recordings"`
}

func (m *Module) ring(ctx context.Context) ([]KeyView, error) {
	if err := m.loadRing(ctx); err != nil {
		return nil, err
	}
	newest, _, _ := m.vault.newest()
	out, err := store.All(ctx, m.deps.DB, `SELECT id, at FROM voice_key ORDER BY at, id`, func(r store.Scanner) (k KeyView, err error) {
		return k, r.Scan(&k.ID, &k.At)
	})
	if err != nil {
		return nil, err
	}
	out = append([]KeyView{{ID: firstKey}}, out...)
	for i := range out {
		out[i].Newest = out[i].ID == newest
		out[i].Recordings, err = store.One(ctx, m.deps.DB, `SELECT COUNT(*) FROM voice_recording WHERE key_id = ? AND erased_at = 0`, store.Col[int64], out[i].ID)
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// keyOf reads which key a file is under; "" when it cannot be read.
func keyOf(path string) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close() //nolint:errcheck // only read
	name, err := audio.KeyID(f)
	if err != nil {
		return ""
	}
	return name
}

func noRecording(recording string) error {
	return fault.New(fault.NotFound, "voice.recording.none", "recording", recording)
}
