package voice

import (
	"context"
	"os"
	"path/filepath"

	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/store"
)

// restoreSounds puts uploaded sounds in the place of the shipped ones; one that cannot be read leaves the shipped.
func (m *Module) restoreSounds(ctx context.Context) {
	type row struct{ prompt, language, file string }
	rows, err := store.All(ctx, m.deps.DB, `SELECT prompt, language, file FROM voice_sound`, func(r store.Scanner) (s row, err error) {
		return s, r.Scan(&s.prompt, &s.language, &s.file)
	})
	if err != nil {
		m.deps.Log.Error("uploaded sounds could not be listed", "err", err)
		return
	}
	for _, r := range rows {
		if err := m.sounds.replace(id.Prompt(r.prompt), r.language, filepath.Join(m.deps.Data, r.file)); err != nil {
			m.deps.Log.Error("an uploaded sound cannot be played; the shipped one is", "prompt", r.prompt, "language", r.language, "err", err)
		}
	}
}

// keepSound stores an uploaded sound: the file first, then the row, then what is played.
func (m *Module) keepSound(ctx context.Context, prompt id.Prompt, language string, wav []byte) error {
	if _, err := alawClip(string(prompt), wav); err != nil {
		return err
	}
	name := filepath.Join("prompts", language+"-"+string(prompt)+"-"+id.New(m.now())+".wav")
	file := filepath.Join(m.deps.Data, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(file, wav, 0o600); err != nil {
		return err
	}
	_, err := store.Exec(ctx, m.deps.DB, `INSERT INTO voice_sound (prompt, language, at, file) VALUES (?, ?, ?, ?)
		ON CONFLICT (prompt, language) DO UPDATE SET at = excluded.at, file = excluded.file`,
		string(prompt), language, m.now().UnixMilli(), name)
	if err != nil {
		return err
	}
	if err := m.sounds.replace(prompt, language, file); err != nil {
		return err
	}
	m.maker.plan(m.snap.Load()) // it is not spoken any more
	return nil
}
