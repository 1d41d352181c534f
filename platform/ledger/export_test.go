package ledger

import "io/fs"

// Migrations gives the package's migrations to its tests.
func Migrations() fs.FS { return migrations }
