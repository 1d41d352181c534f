package store

import "io/fs"

// Folder gives a folder of files embedded in the program: a package's migrations, its texts. A name that is not there
// is a mistake of the program's own and panics.
func Folder(files fs.FS, name string) fs.FS {
	if info, err := fs.Stat(files, name); err != nil || !info.IsDir() {
		panic("store: there is no embedded folder " + name)
	}
	out, err := fs.Sub(files, name)
	if err != nil {
		panic("store: " + err.Error())
	}
	return out
}
