package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
)

const applyHelp = `
kapok apply -f FILE [--dry-run] [--data DIR]
  Brings sites, users, rights, phones, trunks, numbers, queues, skills, calendars, flows and all else that can
  be configured to what FILE says ("-" reads standard input). What FILE does not name stays. All or nothing; the
  same file a second time changes nothing. Mistakes are named by line.

  -f FILE      the file, YAML
  --dry-run    say what would change and change nothing
  --data DIR   data folder of the running Kapok (default ./kapok-data)

Examples:
  kapok apply -f bureau.yaml --dry-run
  kapok export --data kapok-demo | kapok apply -f - --data kapok-demo`

const exportHelp = `
kapok export [--data DIR]
  Writes the whole configuration, without secrets, as the file that ` + "`kapok apply`" + ` reads.

  --data DIR   data folder of the running Kapok (default ./kapok-data)

Example:
  kapok export --data kapok-demo > bureau.yaml`

// applied is the answer of POST /api/v1/apply.
type applied struct {
	Applied bool `json:"applied"`
	Changes []struct {
		Section string   `json:"section"`
		Code    string   `json:"code"`
		Kind    string   `json:"kind"`
		Fields  []string `json:"fields"`
	} `json:"changes"`
	Problems []struct {
		Line int    `json:"line"`
		Path string `json:"path"`
		Code string `json:"code"`
		Text string `json:"text"`
	} `json:"problems"`
	Version int64 `json:"version"`
}

func runApply(ctx context.Context, c *call) error {
	f := newFlags("apply", c)
	file := f.String("f", "", "")
	dry := f.Bool("dry-run", false, "")
	data := f.String("data", "kapok-data", "")
	if err := f.Parse(c.args); err != nil || *file == "" || f.NArg() > 0 {
		return errUsage
	}
	text, err := readFile(*file, c.in)
	if err != nil {
		return err
	}
	path := "/api/v1/apply"
	if *dry {
		path += "?" + url.Values{"dry_run": {"true"}}.Encode()
	}
	answer, err := newAdmin(*data).do(ctx, "POST", path, "application/yaml", bytes.NewReader(text))
	if err != nil {
		return err
	}
	var r applied
	if err := json.Unmarshal(answer, &r); err != nil {
		return err
	}
	return r.print(c, *dry)
}

func (r applied) print(c *call, dry bool) error {
	for _, p := range r.Problems {
		text := p.Text
		if text == "" {
			text = p.Code
		}
		fmt.Fprintf(c.err, "line %d: %s: %s\n", p.Line, p.Path, text)
	}
	if len(r.Problems) > 0 {
		return errors.New("nothing was changed")
	}
	for _, x := range r.Changes {
		fmt.Fprintf(c.out, "%s %s/%s", x.Kind, x.Section, x.Code)
		if len(x.Fields) > 0 {
			fmt.Fprintf(c.out, " %v", x.Fields)
		}
		fmt.Fprintln(c.out)
	}
	switch {
	case len(r.Changes) == 0:
		fmt.Fprintln(c.out, "no change")
	case dry:
		fmt.Fprintf(c.out, "%d would change\n", len(r.Changes))
	default:
		fmt.Fprintf(c.out, "%d changed, version %d\n", len(r.Changes), r.Version)
	}
	return nil
}

func readFile(name string, in io.Reader) ([]byte, error) {
	if name == "-" {
		return io.ReadAll(io.LimitReader(in, maxFile))
	}
	return os.ReadFile(name)
}

const maxFile = 16 << 20

func runExport(ctx context.Context, c *call) error {
	f := newFlags("export", c)
	data := f.String("data", "kapok-data", "")
	if err := f.Parse(c.args); err != nil || f.NArg() > 0 {
		return errUsage
	}
	answer, err := newAdmin(*data).do(ctx, "GET", "/api/v1/export", "", nil)
	if err != nil {
		return err
	}
	_, err = c.out.Write(answer)
	return err
}
