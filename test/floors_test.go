// Package test holds the tests of the house as a whole.
package test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"strings"
	"testing"
)

const house = "github.com/kapok-hotline/kapok/"

// floor gives the floor and the room (the module's or package's own folder) of an import path inside the house.
func floor(path string) (level int, storey, room string) {
	rest := strings.TrimPrefix(path, house)
	storey, below, _ := strings.Cut(rest, "/")
	room, _, _ = strings.Cut(below, "/")
	switch storey {
	case "cmd":
		level = 5
	case "app":
		level = 4
	case "modules":
		level = 3
	case "engine", "platform":
		level = 2
	case "core":
		level = 1
	default:
		level = 0
	}
	return level, storey, room
}

// allowed says whether a package may import another of the house, and if not why.
func allowed(from, to string) string {
	fl, fs, fr := floor(from)
	tl, ts, tr := floor(to)
	switch {
	case fs == "sim":
		if ts != "sim" {
			return "sim shares no code with the product"
		}
	case fs == "test" || fs == "web" || fs == "scripts":
		return ""
	case ts == "sim":
		if fs != "app" {
			return "only app's demo starts sim"
		}
	case ts == "web":
		if fs != "app" {
			return "the built pages are handed in by app"
		}
	case ts == "test":
		return "the product does not need its tests"
	case fl == 0:
		return "this folder is not a floor of the house"
	case tl > fl:
		return "imports go downward"
	case fs == "modules" && ts == "modules" && fr != tr:
		return "a module never imports a module"
	case fl == 2 && tl == 2 && fs != ts:
		return "engine and platform do not import each other"
	}
	return ""
}

// TestFloors keeps DESIGN: cmd → app → modules → {engine, platform} → core, for the product and for its tests.
func TestFloors(t *testing.T) {
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports,TestImports,XTestImports,Standard", "../...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	seen := 0
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p struct {
			ImportPath                         string
			Imports, TestImports, XTestImports []string
		}
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		seen++
		_, storey, _ := floor(p.ImportPath)
		for _, imp := range p.Imports {
			checkImport(t, p.ImportPath, imp, storey)
		}
		for _, imp := range append(p.TestImports, p.XTestImports...) {
			if strings.HasPrefix(imp, house) && storey != "test" {
				if why := allowed(p.ImportPath, imp); why != "" {
					t.Errorf("the test of %s imports %s: %s", p.ImportPath, imp, why)
				}
			}
		}
	}
	if seen < 5 {
		t.Fatalf("only %d packages were looked at", seen)
	}
}

func checkImport(t *testing.T, from, imp, storey string) {
	t.Helper()
	if strings.HasPrefix(imp, house) {
		if why := allowed(from, imp); why != "" {
			t.Errorf("%s imports %s: %s", from, imp, why)
		}
		return
	}
	if storey == "core" && strings.Contains(strings.SplitN(imp, "/", 2)[0], ".") {
		t.Errorf("%s imports %s: core is standard library only", from, imp)
	}
}

// TestFloorRules shows the rule itself refuses what it should.
func TestFloorRules(t *testing.T) {
	for _, c := range []struct {
		from, to string
		ok       bool
	}{
		{"app", "modules/voice", true},
		{"modules/voice", "platform/sip", true},
		{"modules/voice", "modules/routing", false},
		{"modules/voice/internal/x", "modules/voice", true},
		{"platform/sip", "engine/acd", false},
		{"engine/twin", "engine/acd", true},
		{"core/id", "platform/bus", false},
		{"sim/callers", "core/id", false},
		{"modules/voice", "sim/callers", false},
		{"app", "sim/callers", true},
	} {
		if got := allowed(house+c.from, house+c.to) == ""; got != c.ok {
			t.Errorf("%s importing %s: allowed %v, want %v", c.from, c.to, got, c.ok)
		}
	}
}
