package audio

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestRowP4Keys: recordings of two master keys are readable side by side, one is put under the newer key without its
// sound being touched, and one that was shredded is neither on the disk nor readable from what its blocks held.
func TestRowP4Keys(t *testing.T) {
	keys := map[string][]byte{"1": bytes.Repeat([]byte{1}, 32), "2": bytes.Repeat([]byte{2}, 32)}
	find := func(id string) ([]byte, error) {
		if k := keys[id]; k != nil {
			return k, nil
		}
		return nil, errors.New("no such key")
	}
	s, err := NewStudio(StudioConfig{Key: keys["1"], KeyID: "1", Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	dir := t.TempDir()
	make1 := func(name string) string {
		path := filepath.Join(dir, name)
		r, err := s.Record(path, nil)
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan error, 1)
		r.Close(func(_ Summary, err error) { done <- err })
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		return path
	}
	reads := func(path, under string) error {
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close() //nolint:errcheck // only read
		if id, err := KeyID(f); err != nil || id != under {
			t.Errorf("%s is under %q, want %q (%v)", path, id, under, err)
		}
		info, err := f.Stat()
		if err != nil {
			return err
		}
		_, err = OpenRecording(f, info.Size(), find)
		return err
	}
	old := make1("old")
	if err := s.SetKey("2", keys["2"]); err != nil {
		t.Fatal(err)
	}
	young := make1("young")
	if err := errors.Join(reads(old, "1"), reads(young, "2")); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(old, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(Rewrap(f, find, "2", keys["2"]), f.Close()); err != nil {
		t.Fatal(err)
	}
	delete(keys, "1")
	if err := reads(old, "2"); err != nil {
		t.Errorf("rewrapped: %v", err)
	}
	kept, err := os.OpenFile(young, os.O_RDONLY, 0) // what the disk still holds when the name is gone
	if err != nil {
		t.Fatal(err)
	}
	defer kept.Close() //nolint:errcheck // only read
	if err := errors.Join(Shred(young), Shred(young)); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(young); !os.IsNotExist(err) {
		t.Errorf("the file is still there: %v", err)
	}
	if _, err := OpenRecording(kept, 1<<20, find); !errors.Is(err, ErrRecording) {
		t.Errorf("its blocks can still be read: %v", err)
	}
	if s.SetKey("3", []byte("short")) == nil || s.SetKey("a name that is far too long", keys["2"]) == nil {
		t.Error("a bad key was taken")
	}
}
