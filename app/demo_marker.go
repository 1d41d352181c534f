package app

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/kapok-hotline/kapok/app/demo"
)

// markerName is the file by which a demo's data folder is known: only such a folder is ever emptied, and only such
// a one is filled with invented history.
const markerName = "demo.json"

// storyVersion changes when the same seed no longer makes the same history, so that a loading that broke off is
// not completed with another one's days.
const storyVersion = 1

// marker says what a demo's data folder holds.
type marker struct {
	Demo   string `json:"demo"`   // what made the folder
	Story  int    `json:"story"`  // storyVersion
	Seed   uint64 `json:"seed"`   // of the history
	Last   string `json:"last"`   // its last day
	From   int    `json:"from"`   // its first day of the story, 0 but in tests
	Until  int    `json:"until"`  // 0: the whole story
	Done   int    `json:"done"`   // days that are in the ledger
	Bureau bool   `json:"bureau"` // the bureau has been configured; what people change afterwards stays
	Loaded bool   `json:"loaded"` // all of them

	file string
}

const markerDemo = "kapok demo"

func readMarker(data string) (*marker, error) {
	file := filepath.Join(data, markerName)
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	m := &marker{file: file}
	if err := json.Unmarshal(text, m); err != nil || m.Demo != markerDemo {
		return nil, fmt.Errorf("%s is not what `kapok demo` writes; choose another folder with --data", file)
	}
	return m, nil
}

func (m *marker) write() error {
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	return writeNew(m.file, append(text, '\n'))
}

// demoFolder makes the data folder ready: a new one, or one of a demo before. fresh empties the latter. A folder
// that is anything else is refused.
func demoFolder(o demoOptions, now time.Time) (*marker, error) {
	data := o.cfg.Data
	m, err := readMarker(data)
	switch {
	case err == nil && o.fresh && !isSQLite(o.cfg.DB, data):
		return nil, errors.New("--fresh empties a folder, not a database elsewhere: leave out --db, or give it an empty database and a new folder")
	case err == nil && o.fresh:
		if err := emptyFolder(data); err != nil {
			return nil, err
		}
	case err == nil && !m.Loaded && m.Story != storyVersion:
		return nil, fmt.Errorf("the history in %s was being loaded by another version of Kapok; begin anew with --fresh", data)
	case err == nil:
		return m, nil
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	if other, err := foreign(data); err != nil {
		return nil, err
	} else if other {
		return nil, fmt.Errorf("%s holds something that `kapok demo` has not made; choose another folder with --data", data)
	}
	if err := os.MkdirAll(data, 0o700); err != nil {
		return nil, fmt.Errorf("the data folder %s cannot be made: %w; choose another with --data", data, err)
	}
	m = &marker{Demo: markerDemo, Story: storyVersion, Seed: demoSeed, file: filepath.Join(data, markerName)}
	m.Last, m.From, m.Loaded = now.AddDate(0, 0, -1).Format(time.DateOnly), demo.Days-o.days, o.days == 0
	return m, m.write()
}

// isSQLite says whether the database is the file in the data folder.
func isSQLite(db, data string) bool {
	return db == "" || strings.TrimPrefix(db, "sqlite:") == filepath.Join(data, "kapok.db")
}

// emptyFolder deletes what Kapok keeps in a folder, and the marker last: a deleting that breaks off can be done
// again. The folder itself and its lock stay.
func emptyFolder(data string) error {
	lock, err := lockFolder(data)
	if err != nil {
		return err
	}
	defer lock.Close() //nolint:errcheck // the lock goes with it
	entries, err := os.ReadDir(data)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Name() == markerName || e.Name() == filepath.Base(lock.Name()) {
			continue
		}
		if err := os.RemoveAll(filepath.Join(data, e.Name())); err != nil {
			return err
		}
	}
	return os.Remove(filepath.Join(data, markerName))
}

// foreign says whether a folder holds more than the lock an emptied one keeps.
func foreign(data string) (bool, error) {
	entries, err := os.ReadDir(data)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	for _, e := range entries {
		if e.Name() != "kapok.lock" {
			return true, nil
		}
	}
	return false, nil
}

// demoPhones gives the passwords of the demo's desk phones, made at the first start and kept for this user alone.
// fresh says that some are new and have to be made known.
func demoPhones(data string, codes []string) (known map[string]string, fresh bool, err error) {
	file := filepath.Join(data, "keys", "demo-phones.json")
	known = map[string]string{}
	text, err := os.ReadFile(file)
	if err == nil {
		if err := json.Unmarshal(text, &known); err != nil {
			return nil, false, fmt.Errorf("%s is damaged: %w; delete it, new passwords are made", file, err)
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, false, err
	}
	for _, c := range codes {
		if known[c] == "" {
			var b [16]byte
			_, _ = rand.Read(b[:]) // never fails since Go 1.24
			known[c], fresh = hex.EncodeToString(b[:]), true
		}
	}
	if !fresh {
		return known, false, nil
	}
	if text, err = json.Marshal(known); err != nil {
		return nil, false, err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return nil, false, err
	}
	return known, true, writeNew(file, text)
}
