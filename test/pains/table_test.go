package pains

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/kapok-hotline/kapok/test/house"
)

var (
	testName = regexp.MustCompile(`Test[A-Z]\w*`)
	testFunc = regexp.MustCompile(`(?m)^func (Test[A-Z]\w*)\(`)
)

// TestTheTableOfPainsIsTrue: docs/pains.md has every number once, and every test it names is there.
func TestTheTableOfPainsIsTrue(t *testing.T) {
	root, err := house.Root()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(root, "docs", "pains.md"))
	if err != nil {
		t.Fatal(err)
	}
	known := tests(t, root)
	rows := map[string]string{}
	for _, line := range strings.Split(string(text), "\n") {
		if cells := strings.Split(line, "|"); len(cells) == 6 {
			rows[strings.TrimSpace(cells[1])] += cells[4]
		}
	}
	for n := 1; n <= 39; n++ {
		row := rows[fmt.Sprint(n)]
		named := testName.FindAllString(row, -1)
		if len(named) == 0 && !strings.Contains(row, " with the ") {
			t.Errorf("pain %d has neither a test nor the word when it comes", n)
		}
		for _, name := range named {
			if !known[name] {
				t.Errorf("pain %d: there is no test %s", n, name)
			}
		}
	}
	for name := range known {
		number, ok := strings.CutPrefix(name, "TestPain")
		if ok && len(number) >= 2 && !strings.Contains(rows[strings.TrimLeft(number[:2], "0")], name) {
			t.Logf("%s is not in the table", name) // no fault: tests may come before their line
		}
	}
}

// tests gives the names of all tests of the repository.
func tests(t *testing.T, root string) map[string]bool {
	t.Helper()
	known := map[string]bool{}
	for _, dir := range []string{"app", "core", "engine", "modules", "platform", "test"} {
		err := filepath.WalkDir(filepath.Join(root, dir), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") {
				return err
			}
			text, err := os.ReadFile(path)
			for _, m := range testFunc.FindAllStringSubmatch(string(text), -1) {
				known[m[1]] = true
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return known
}
