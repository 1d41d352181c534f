package store

import (
	"bytes"
	"io"
	"io/fs"
	"regexp"
	"time"
)

// Migrations are one text for both engines. Two things that cost SQLite much and PostgreSQL nothing are put right
// on the way to SQLite, where a table is a tree by row number and every other key a second tree beside it:
//   - `BIGINT NOT NULL PRIMARY KEY` becomes INTEGER, which SQLite takes for the row number itself (lang_createtable.html §5);
//   - `) /* clustered */;` becomes WITHOUT ROWID (withoutrowid.html): rows lie in the tree of their key. For short rows
//     that are found by their key.
var sqliteTerms = []struct {
	re   *regexp.Regexp
	with []byte
}{
	{regexp.MustCompile(`\bBIGINT(\s+NOT NULL)?\s+PRIMARY KEY`), []byte("INTEGER$1 PRIMARY KEY")},
	{regexp.MustCompile(`/\* clustered \*/`), []byte("WITHOUT ROWID")},
}

// sqliteFiles shows migrations as SQLite takes them.
type sqliteFiles struct{ fs.FS }

// Open is fs.FS's.
func (s sqliteFiles) Open(name string) (fs.File, error) {
	f, err := s.FS.Open(name)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil || info.IsDir() {
		return f, err
	}
	defer f.Close() //nolint:errcheck // only read
	text, err := io.ReadAll(f)
	if err != nil {
		return nil, err
	}
	for _, t := range sqliteTerms {
		text = t.re.ReplaceAll(text, t.with)
	}
	return &textFile{Reader: bytes.NewReader(text), name: info.Name(), size: int64(len(text))}, nil
}

// ReadDir is fs.ReadDirFS's.
func (s sqliteFiles) ReadDir(name string) ([]fs.DirEntry, error) { return fs.ReadDir(s.FS, name) }

// textFile is a file of a known text, and its own description.
type textFile struct {
	*bytes.Reader
	name string
	size int64
}

func (f *textFile) Close() error               { return nil }
func (f *textFile) Stat() (fs.FileInfo, error) { return textInfo{f.name, f.size}, nil }

type textInfo struct {
	name string
	size int64
}

func (i textInfo) Name() string     { return i.name }
func (i textInfo) Size() int64      { return i.size }
func (textInfo) Mode() fs.FileMode  { return 0o444 }
func (textInfo) ModTime() time.Time { return time.Time{} }
func (textInfo) IsDir() bool        { return false }
func (textInfo) Sys() any           { return nil }
