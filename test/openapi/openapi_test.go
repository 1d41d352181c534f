// Package openapi keeps the description of the REST interface beside the code: who changes the interface sees it
// in the difference of openapi.json, and the pages' types are made from that file.
package openapi

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"slices"
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

// TestOnlyTheseAskForNoSession names every operation that anybody may call: a new one is a decision, not an accident.
func TestOnlyTheseAskForNoSession(t *testing.T) {
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
	var open []string
	for path, methods := range spec.Paths {
		for method, op := range methods {
			if op.Summary == "" {
				t.Errorf("%s %s does not say what it is for", method, path)
			}
			if op.Right == "" {
				open = append(open, method+" "+path)
			}
		}
	}
	slices.Sort(open)
	want := []string{
		"get /api/v1/demo/logins", "get /api/v1/oidc", "get /api/v1/password/reset", "get /api/v1/setup",
		"post /api/v1/demo/login", "post /api/v1/login", "post /api/v1/logout", "post /api/v1/password/reset", "post /api/v1/setup",
	}
	if d := cmp.Diff(want, open); d != "" {
		t.Errorf("operations without a session (-want +got):\n%s", d)
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
