package report

import (
	"embed"
	"io/fs"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

//go:embed texts/*.json
var textFiles embed.FS

func migrations() fs.FS { return sub(migrationFiles, "migrations") }

func texts() fs.FS { return sub(textFiles, "texts") }

func sub(files embed.FS, folder string) fs.FS {
	f, err := fs.Sub(files, folder)
	if err != nil { // the folder is embedded: only a misspelt name fails
		panic(err)
	}
	return f
}
