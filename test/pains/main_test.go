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
	"github.com/kapok-hotline/kapok/test/ua"
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

// street is where the house's calls out arrive: everybody's telephone.
var street = make(chan *ua.Call, 64)

// start runs the demo bureau: phones ring for five seconds, and the queue behind 12368 calls people back.
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
	carrier, err := ua.Open("127.0.0.1", h.SIP, "carrier", "")
	if err != nil {
		return nil, err
	}
	carrier.OnCall = func(c *ua.Call) {
		c.Ring()
		street <- c
	}
	bureau, err := house.Bureau(
		4, "ring_s: 15", "ring_s: 5", "wrapup_s: 30", "wrapup_s: 300",
		"trunks:\n", fmt.Sprintf("trunks:\n  - {code: out, name: 外线, site: gz, kind: ip, peers: [%q], accept: [127.9.9.9/32]}\n", carrier.Addr()),
		"numbers:\n", "numbers:\n  - {code: \"12368\", name: 回拨, site: gz, flow: back}\n",
		"flows:\n", "flows:\n  - {code: back, name: 回拨, start: queue, nodes: [{id: queue, kind: queue, queue: social}]}\n",
		"name_en: Social insurance, site: gz,", "name_en: Social insurance, callback_s: 1, callback_gap_s: 1, site: gz,",
	)
	if err != nil {
		return nil, err
	}
	return h, h.Apply(ctx, bureau)
}
