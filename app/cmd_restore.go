package app

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/kapok-hotline/kapok/platform/store"
)

// runRestore unpacks an archive and puts its database back into a folder that holds none.
func runRestore(ctx context.Context, c *call) error {
	f := newFlags("restore", c)
	data := f.String("data", "kapok-data", "")
	db := f.String("db", "", "")
	file, err := oneFile(f, c.args)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(*data, 0o700); err != nil {
		return fmt.Errorf("the data folder %s cannot be made: %w", *data, err)
	}
	lock, err := lockFolder(*data)
	if err != nil {
		return err
	}
	defer lock.Close() //nolint:errcheck // the lock goes with it
	work, err := os.MkdirTemp(*data, ".restore-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work) //nolint:errcheck // what is left is a hidden folder
	database := filepath.Join(work, "database")
	if err := unpack(file, "database", database); err != nil {
		return err
	}
	address := *db
	if address == "" {
		address = "sqlite:" + filepath.Join(*data, "kapok.db")
	}
	if err := store.Restore(ctx, address, database); err != nil {
		return err
	}
	fmt.Fprintf(c.out, "restored into %s; put the folders recordings and keys back beside it, then start it\n", *data)
	return nil
}

// unpack writes one member of the archive to a file.
func unpack(archive, member, to string) error {
	f, err := os.Open(archive)
	if err != nil {
		return fmt.Errorf("the backup cannot be read: %w", err)
	}
	defer f.Close() //nolint:errcheck // only read
	t := tar.NewReader(f)
	for {
		head, err := t.Next()
		if errors.Is(err, io.EOF) {
			return fmt.Errorf("%s holds no %s: it is not a backup made by kapok", archive, member)
		}
		if err != nil {
			return fmt.Errorf("%s is damaged: %w", archive, err)
		}
		if head.Name != member {
			continue
		}
		out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return err
		}
		if _, err := io.Copy(out, t); err != nil { //nolint:gosec // as large as the database it came from
			return errors.Join(fmt.Errorf("%s is damaged: %w", archive, err), out.Close())
		}
		return out.Close()
	}
}
