package app

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/kapok-hotline/kapok/platform/store"
)

//go:embed migrations
var houseTables embed.FS

// shareKeys gives this process's data folder the keys of the house. The first process puts its own, or new ones, into
// the database, sealed under the secret the processes know each other by; the others take them from there.
func (h *House) shareKeys(ctx context.Context) error {
	if err := h.db.Migrate(ctx, "house", houseTables); err != nil {
		return err
	}
	seal, err := sealer(h.o.Cluster.Secret)
	if err != nil {
		return err
	}
	for _, name := range []string{"identity", "recording"} {
		if err := h.shareKey(ctx, seal, name); err != nil {
			return err
		}
	}
	return nil
}

func (h *House) shareKey(ctx context.Context, seal cipher.AEAD, name string) error {
	file := filepath.Join(h.o.Data, "keys", name+".key")
	own, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	offered := own
	if offered == nil {
		offered = make([]byte, keyLength)
		_, _ = rand.Read(offered) // never fails since Go 1.24
	}
	nonce := make([]byte, seal.NonceSize())
	_, _ = rand.Read(nonce)
	sealed := base64.StdEncoding.EncodeToString(seal.Seal(nonce, nonce, offered, []byte(name)))
	if _, err := store.Exec(ctx, h.db, `INSERT INTO house_key (name, sealed) VALUES (?, ?) ON CONFLICT (name) DO NOTHING`, name, sealed); err != nil {
		return err
	}
	text, err := store.One(ctx, h.db, `SELECT sealed FROM house_key WHERE name = ?`, store.Col[string], name)
	if err != nil {
		return err
	}
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(raw) < seal.NonceSize() {
		return fmt.Errorf("the house's %s key in the database is damaged; put it back from a backup", name)
	}
	key, err := seal.Open(nil, raw[:seal.NonceSize()], raw[seal.NonceSize():], []byte(name))
	switch {
	case err != nil:
		return errors.New("the keys of the house were sealed under another secret: set KAPOK_CLUSTER_SECRET to what the other processes have")
	case own == nil:
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			return err
		}
		return writeNew(file, key)
	case !bytes.Equal(own, key):
		return fmt.Errorf("the key %s is not the one of the house; begin this process on an empty data folder", file)
	}
	return nil
}

// sealer seals under a secret.
func sealer(secret string) (cipher.AEAD, error) {
	key, err := hkdf.Key(sha256.New, []byte(secret), nil, "kapok house keys", 32)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}
