package store

import (
	"io/fs"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

func TestSQLiteTerms(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"a number as the key", "seq BIGINT  NOT NULL PRIMARY KEY, -- 1, 2", "seq INTEGER  NOT NULL PRIMARY KEY, -- 1, 2"},
		{"without NOT NULL", "id BIGINT PRIMARY KEY,", "id INTEGER PRIMARY KEY,"},
		{"a number beside the key", "at BIGINT NOT NULL,\n PRIMARY KEY (at, id)", "at BIGINT NOT NULL,\n PRIMARY KEY (at, id)"},
		{"a text as the key", "id TEXT NOT NULL PRIMARY KEY", "id TEXT NOT NULL PRIMARY KEY"},
		{"a clustered table", "PRIMARY KEY (a, b)\n) /* clustered */;", "PRIMARY KEY (a, b)\n) WITHOUT ROWID;"},
	} {
		t.Run(c.name, func(t *testing.T) {
			files := sqliteFiles{fstest.MapFS{"00001_x.sql": {Data: []byte(c.text)}}}
			got, err := fs.ReadFile(files, "00001_x.sql")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, string(got)); diff != "" {
				t.Error(diff)
			}
		})
	}
}
