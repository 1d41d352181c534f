package test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
)

// pacing are the files that read the machine's time themselves, and why nobody hands them a clock: sound leaves every
// 20 ms by deadlines on the monotonic clock, against which the runtime's own timers run. A clock from outside can
// stand still, jump or be set, and a caller would hear that; what is written down of a call is told by the clock that
// is handed in everywhere else. The beat is tested in testing/synctest, where
// the runtime itself hands in the clock.
var pacing = map[string]bool{
	"platform/audio/tick.go": true, // the one 20 ms beat of all players and mixers
	"platform/rtp/digits.go": true, // the packets of a telephone-event
}

// TestClock: only platform/clock and the pacing of media read the time; everything else takes it.
func TestClock(t *testing.T) {
	for _, floor := range []string{"core", "engine", "platform", "modules"} {
		err := filepath.WalkDir(filepath.Join("..", floor), func(path string, d fs.DirEntry, err error) error {
			switch name := d.Name(); {
			case err != nil:
				return err
			case d.IsDir() && (strings.HasSuffix(name, "test") || name == "clock" || name == "node_modules"):
				return filepath.SkipDir // test kits
			case d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go"):
				return nil
			}
			if at := readsTime(t, path); at != "" && !pacing[filepath.ToSlash(strings.TrimPrefix(path, "../"))] {
				t.Errorf("%s reads the time: take a clock", at)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for path := range pacing {
		if readsTime(t, filepath.Join("..", path)) == "" {
			t.Errorf("%s needs no exception any more", path)
		}
	}
}

// readsTime gives the first place where a file asks the machine for the time, "" for none.
func readsTime(t *testing.T, path string) (where string) {
	t.Helper()
	files := token.NewFileSet()
	f, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(f, func(n ast.Node) bool {
		s, ok := n.(*ast.SelectorExpr)
		if !ok || where != "" {
			return where == ""
		}
		if x, ok := s.X.(*ast.Ident); ok && x.Name == "time" && (s.Sel.Name == "Now" || s.Sel.Name == "Since" || s.Sel.Name == "Until") {
			where = files.Position(s.Pos()).String()
		}
		return true
	})
	return where
}
