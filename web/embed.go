// Package web carries the built pages of Kapok inside the binary. The folder dist is made by `npm run build`
// and committed, so that `go build` needs no Node; a test in CI rebuilds it and compares byte for byte.
package web

import (
	"embed"
	"io/fs"
)

//go:embed all:dist
var built embed.FS

// Dist returns the built pages: index.html at the root, hashed files under assets/.
func Dist() fs.FS {
	sub, err := fs.Sub(built, "dist")
	if err != nil {
		// fs.Sub fails only for an invalid path, and this one is a constant.
		panic(err)
	}
	return sub
}
