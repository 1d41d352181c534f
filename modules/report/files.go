package report

import (
	"embed"
	"io/fs"

	"github.com/kapok-hotline/kapok/platform/store"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

//go:embed texts/*.json
var textFiles embed.FS

func migrations() fs.FS { return store.Folder(migrationFiles, "migrations") }

func texts() fs.FS { return store.Folder(textFiles, "texts") }
