package app

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// keys are the secrets an installation keeps in its data folder, outside the database and its backups.
type keys struct {
	identity []byte // seals second factors
	sound    []byte // seals recordings
}

const keyLength = 32

func openKeys(data string) (k keys, err error) {
	if k.identity, err = openKey(filepath.Join(data, "keys", "identity.key")); err != nil {
		return k, err
	}
	k.sound, err = openKey(filepath.Join(data, "keys", "recording.key"))
	return k, err
}

// openKey reads a key, or makes it when there is none. A damaged one is never replaced: what it sealed would be
// lost for good.
func openKey(file string) ([]byte, error) {
	key, err := os.ReadFile(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		key = make([]byte, keyLength)
		_, _ = rand.Read(key) // never fails since Go 1.24
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			return nil, err
		}
		return key, writeNew(file, key)
	case err != nil:
		return nil, err
	case len(key) != keyLength:
		return nil, fmt.Errorf("the key %s is damaged (%d bytes instead of %d); put it back from a backup", file, len(key), keyLength)
	}
	return key, nil
}

// writeNew writes the file whole or not at all.
func writeNew(file string, content []byte) error {
	f, err := os.CreateTemp(filepath.Dir(file), ".new-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }() // gone already when all went well
	if _, err := f.Write(content); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), file)
}
