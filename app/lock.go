package app

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// lockFolder takes the data folder for this process: two on one folder would be two writers. The lock goes with
// the process, however it ends.
func lockFolder(data string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(data, "kapok.lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("the data folder %s cannot be written: %w; choose another with --data", data, err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close() // never ours
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("another Kapok is running on %s; stop it, or choose another folder with --data", data)
		}
		return nil, fmt.Errorf("the data folder %s cannot be locked: %w", data, err)
	}
	return f, nil
}
