// Package openapi keeps the description of the REST interface beside the code: who changes the interface sees it
// in the difference of openapi.json, and the pages' types are made from that file.
package openapi

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kapok-hotline/kapok/app"
)

const golden = "openapi.json"

var update = flag.Bool("update", false, "write openapi.json anew")

// TestInterfaceIsAsWritten compares what a house serves with openapi.json; scripts/api.sh writes both it and the
// pages' types anew.
func TestInterfaceIsAsWritten(t *testing.T) {
	raw, err := app.Spec(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	got := plain(t, raw)
	if *update {
		if err := os.WriteFile(golden, got, 0o644); err != nil { //nolint:gosec // a file of the repository
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(bytes.Split(want, []byte("\n")), bytes.Split(got, []byte("\n"))); d != "" {
		t.Errorf("the interface is not what %s says; run scripts/api.sh and commit what changes:\n%s", golden, d)
	}
}

// TestEveryOperationNamesItsRight: what an interface asks for is part of its description.
func TestEveryOperationNamesItsRight(t *testing.T) {
	b, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	var spec struct {
		Paths map[string]map[string]struct {
			Right   string `json:"x-right"`
			Summary string `json:"summary"`
		} `json:"paths"`
	}
	if err := json.Unmarshal(b, &spec); err != nil {
		t.Fatal(err)
	}
	if len(spec.Paths) < 50 {
		t.Errorf("%d paths; the house serves more", len(spec.Paths))
	}
	for path, methods := range spec.Paths {
		for method, op := range methods {
			if op.Right == "" || op.Summary == "" {
				t.Errorf("%s %s: right %q, summary %q", method, path, op.Right, op.Summary)
			}
		}
	}
}

// plain writes the description one value a line, keys in order, without the version of the build.
func plain(t *testing.T, raw []byte) []byte {
	t.Helper()
	var spec map[string]any
	if err := json.Unmarshal(raw, &spec); err != nil {
		t.Fatal(err)
	}
	spec["info"].(map[string]any)["version"] = "0" //nolint:forcetypeassert // a panic is the right answer
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(spec); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
