package store

import (
	"io/fs"
	"testing"
	"testing/fstest"
)

func TestFolder(t *testing.T) {
	files := fstest.MapFS{"texts/zh.json": {Data: []byte("{}")}, "file": {}}
	if b, err := fs.ReadFile(Folder(files, "texts"), "zh.json"); err != nil || string(b) != "{}" {
		t.Errorf("%q %v", b, err)
	}
	for _, name := range []string{"text", "file", "../x"} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s was given as a folder", name)
				}
			}()
			Folder(files, name)
		}()
	}
}
