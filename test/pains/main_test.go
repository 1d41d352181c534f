// Package pains proves, on a whole house with real telephones, that faults users of other open-source call centres
// reported are not ours. The numbers are those of docs/pains.md, which names the tests beside engines and modules, too.
package pains

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/test/house"
)

// open is the house of all tests here: it is built and started once.
var open *house.House

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) (code int) {
	dir, err := os.MkdirTemp("", "kapok-pains-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a temporary folder
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	if open, err = start(ctx, dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() {
		if err := open.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, "the house does not end well:", err)
			code = 1
		}
		if code != 0 {
			fmt.Fprintln(os.Stderr, "the house said:\n"+open.Log())
		}
	}()
	return m.Run()
}

// start runs the demo bureau: phones ring for five seconds.
func start(ctx context.Context, dir string) (*house.House, error) {
	program, err := house.Build(ctx, dir)
	if err != nil {
		return nil, err
	}
	h, err := house.New(program, filepath.Join(dir, "data"))
	if err != nil {
		return nil, err
	}
	if err := h.Start(ctx); err != nil {
		return nil, err
	}
	bureau, err := house.Bureau(4, "ring_s: 15", "ring_s: 5", "wrapup_s: 30", "wrapup_s: 300")
	if err != nil {
		return nil, err
	}
	return h, h.Apply(ctx, bureau)
}
