package audio

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
)

// SetKey has recordings that begin from now on sealed under another master key; those under way keep theirs. The key
// has 32 bytes, the id at most 16.
func (s *Studio) SetKey(id string, key []byte) error {
	if _, err := gcm(key); err != nil {
		return err
	}
	if len(id) > idSize || strings.ContainsRune(id, 0) {
		return fmt.Errorf("audio: the key id %q has more than %d bytes", id, idSize)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cfg.KeyID, s.cfg.Key = id, bytes.Clone(key)
	return nil
}

// key gives the master key of the moment and its id.
func (s *Studio) key() (key []byte, id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cfg.Key, s.cfg.KeyID
}

// KeyID gives the id of the master key the recording is sealed under.
func (r *Recorder) KeyID() string { return r.key }

// KeyID reads which master key a recording is sealed under. The error wraps ErrRecording.
func KeyID(file io.ReaderAt) (string, error) {
	h := make([]byte, headSize)
	if _, err := file.ReadAt(h, 0); err != nil || string(h[:8]) != recMagic {
		return "", fmt.Errorf("%w (header)", ErrRecording)
	}
	return string(bytes.TrimRight(h[40:56], "\x00")), nil
}

// Shred makes a recording unreadable for good: the file's own key, which stands nowhere but in its header, is
// overwritten on the disk before the file is removed. A file that is gone already is no error.
func Shred(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("audio: erasing a recording: %w", err)
	}
	_, err = f.WriteAt(make([]byte, headSize), 0)
	if err == nil {
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Remove(path)
	}
	if err != nil {
		return fmt.Errorf("audio: erasing a recording: %w", err)
	}
	return nil
}
