package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/kapok-hotline/kapok/platform/ledger"
)

const doctorHelp = `
kapok doctor [--json] [--data DIR] [--db ADDRESS]
  Checks every invariant: one start and one end per contact, legs that add up, agents' seconds that add up to
  their sign-in time, one winner per answer, wallboard = report = ledger, an unbroken audit. Exit status 0 when
  all hold; else 1, and each broken one is named with its contacts. Works on a running Kapok and on a stopped one.

  --json       the findings as JSON
  --data DIR   data folder (default ./kapok-data)

Examples:
  kapok doctor
  kapok doctor --json --data kapok-demo`

const tokenHelp = `
kapok token create --user NAME [--name WHAT] [--data DIR]
kapok token list [--data DIR]
kapok token revoke ID [--data DIR]
  Makes an API token that may do what the user may, and prints the token and nothing else: it is shown once.

Examples:
  kapok token create --user admin
  kapok token list --data kapok-demo`

const drainHelp = `
kapok drain [--wait DURATION] [--data DIR]
  Takes no new calls from now on and waits until the running ones have ended (default 30m). The process stays.

Example:
  kapok drain --wait 5m --data kapok-demo`

func newFlags(name string, c *call) *flag.FlagSet {
	f := flag.NewFlagSet(name, flag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.Usage = func() {}
	return f
}

// diagnosis is what the doctor says: the findings in the order of their declaration.
type diagnosis struct {
	Healthy  bool             `json:"healthy"`
	Findings []ledger.Finding `json:"findings"`
	Errors   []string         `json:"errors,omitempty"` // invariants that could not be checked
}

// diagnose checks every invariant.
func (h *House) diagnose(ctx context.Context) diagnosis {
	d := diagnosis{Healthy: true, Findings: h.ledger.Check(ctx)}
	for _, f := range d.Findings {
		if f.Err != nil {
			d.Errors = append(d.Errors, f.Name+": "+f.Err.Error())
		}
		if f.Err != nil || len(f.Breaches) > 0 {
			d.Healthy = false
		}
	}
	return d
}

func runDoctor(ctx context.Context, c *call) error {
	f := newFlags("doctor", c)
	asJSON := f.Bool("json", false, "")
	data := f.String("data", "kapok-data", "")
	db := f.String("db", "", "")
	if err := f.Parse(c.args); err != nil || f.NArg() > 0 {
		return errUsage
	}
	var d diagnosis
	answer, err := newAdmin(*data).do(ctx, "GET", "/api/v1/doctor", "", nil)
	switch {
	case err == nil:
		err = json.Unmarshal(answer, &d)
	case errors.Is(err, errNotRunning):
		d, err = doctorAlone(ctx, *data, *db)
	}
	if err != nil {
		return err
	}
	return d.print(c, *asJSON)
}

// doctorAlone examines a house that is not running.
func doctorAlone(ctx context.Context, data, db string) (diagnosis, error) {
	if _, err := os.Stat(data); err != nil && db == "" {
		return diagnosis{}, fmt.Errorf("there is no data folder %s; name it with --data", data)
	}
	h, err := Open(ctx, Options{Data: data, DB: db, Log: quiet(), Closed: true})
	if err != nil {
		return diagnosis{}, err
	}
	defer h.close()
	return h.diagnose(ctx), nil
}

// errUnhealthy is the doctor's exit status; what is wrong has been printed.
var errUnhealthy = errors.New("the figures cannot be believed until this is mended")

func (d diagnosis) print(c *call, asJSON bool) error {
	if asJSON {
		e := json.NewEncoder(c.out)
		e.SetIndent("", "  ")
		if err := e.Encode(d); err != nil {
			return err
		}
	} else {
		for _, f := range d.Findings {
			if len(f.Breaches) == 0 {
				continue
			}
			fmt.Fprintf(c.out, "BROKEN %s: %d (%s)\n", f.Name, len(f.Breaches), say(f.Name, nil))
			for i, b := range f.Breaches {
				if i == 20 {
					fmt.Fprintf(c.out, "  … and %d more\n", len(f.Breaches)-i)
					break
				}
				fmt.Fprintf(c.out, "  %s %v\n", b.Subject, b.Params)
			}
		}
		for _, e := range d.Errors {
			fmt.Fprintln(c.out, "NOT CHECKED", e)
		}
		if d.Healthy {
			fmt.Fprintf(c.out, "all %d invariants hold\n", len(d.Findings))
		}
	}
	if !d.Healthy {
		return errUnhealthy
	}
	return nil
}

func runToken(ctx context.Context, c *call) error {
	if len(c.args) == 0 {
		return errUsage
	}
	f := newFlags("token", c)
	user := f.String("user", "", "")
	name := f.String("name", "command line", "")
	data := f.String("data", "kapok-data", "")
	if err := f.Parse(c.args[1:]); err != nil {
		return errUsage
	}
	a := newAdmin(*data)
	switch c.args[0] {
	case "create":
		return createToken(ctx, c, a, *user, *name)
	case "list":
		answer, err := a.do(ctx, "GET", "/api/v1/tokens", "", nil)
		if err != nil {
			return err
		}
		var out bytes.Buffer
		if err := json.Indent(&out, answer, "", "  "); err != nil {
			return err
		}
		fmt.Fprintln(c.out, out.String())
		return nil
	case "revoke":
		if f.NArg() != 1 {
			return errUsage
		}
		_, err := a.do(ctx, "DELETE", "/api/v1/tokens/"+f.Arg(0), "", nil)
		return err
	}
	return errUsage
}

func createToken(ctx context.Context, c *call, a *admin, user, name string) error {
	if user == "" {
		return errUsage
	}
	body, err := json.Marshal(map[string]string{"user": user, "name": name})
	if err != nil {
		return err
	}
	answer, err := a.do(ctx, "POST", "/api/v1/tokens", "application/json", bytes.NewReader(body))
	if err != nil {
		return err
	}
	var t struct{ Token string }
	if err := json.Unmarshal(answer, &t); err != nil {
		return err
	}
	fmt.Fprintln(c.out, t.Token)
	return nil
}

func runDrain(ctx context.Context, c *call) error {
	f := newFlags("drain", c)
	wait := f.Duration("wait", 30*time.Minute, "")
	data := f.String("data", "kapok-data", "")
	if err := f.Parse(c.args); err != nil || f.NArg() > 0 {
		return errUsage
	}
	ctx, cancel := context.WithTimeout(ctx, *wait)
	defer cancel()
	a := newAdmin(*data)
	for {
		answer, err := a.do(ctx, "POST", "/api/v1/drain", "", nil)
		if err != nil {
			return err
		}
		var d struct{ Calls int }
		if err := json.Unmarshal(answer, &d); err != nil {
			return err
		}
		fmt.Fprintf(c.out, "%d calls\n", d.Calls)
		if d.Calls == 0 {
			return nil
		}
		select {
		case <-time.After(drainLook):
		case <-ctx.Done():
			return fmt.Errorf("%d calls are still under way", d.Calls)
		}
	}
}

const drainLook = 2 * time.Second

const backupHelp = `
kapok backup FILE [--data DIR]
  Copies the database (consistent, while Kapok runs) and the list of recordings into FILE, a tar archive.
  Recordings and keys are not in it: copy the folders recordings and keys of the data folder beside it.

Example:
  kapok backup kapok-monday.tar --data kapok-demo`

const restoreHelp = `
kapok restore FILE [--data DIR]
  Puts a backup back into an empty data folder. Kapok must not be running on it. Put the folders recordings and
  keys back beside it.

Example:
  kapok restore kapok-monday.tar --data kapok-restored`

func runBackup(ctx context.Context, c *call) error {
	f := newFlags("backup", c)
	data := f.String("data", "kapok-data", "")
	file, err := oneFile(f, c.args)
	if err != nil {
		return err
	}
	file, err = filepath.Abs(file)
	if err != nil {
		return err
	}
	body, err := json.Marshal(map[string]string{"file": file})
	if err != nil {
		return err
	}
	answer, err := newAdmin(*data).do(ctx, "POST", "/api/v1/backup", "application/json", bytes.NewReader(body))
	if err != nil {
		return err
	}
	var r struct{ Bytes int64 }
	if err := json.Unmarshal(answer, &r); err != nil {
		return err
	}
	fmt.Fprintf(c.out, "%s: %d bytes\n", file, r.Bytes)
	return nil
}

// oneFile reads `FILE [flags]` as well as `[flags] FILE`.
func oneFile(f *flag.FlagSet, args []string) (string, error) {
	if len(args) == 0 {
		return "", errUsage
	}
	file := ""
	if args[0] != "" && args[0][0] != '-' {
		file, args = args[0], args[1:]
	}
	if err := f.Parse(args); err != nil {
		return "", errUsage
	}
	if file == "" && f.NArg() == 1 {
		return f.Arg(0), nil
	}
	if file == "" || f.NArg() > 0 {
		return "", errUsage
	}
	return file, nil
}
