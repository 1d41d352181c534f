package main

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What is tried again, what is not, and how it ends.
func TestAgain(t *testing.T) {
	const one = "--- FAIL: TestSlow (2.10s)\n    --- FAIL: TestSlow/third (1.00s)\nFAIL\nFAIL\texample.org/a\t3.1s\n"
	for _, c := range []struct {
		name   string
		said   []string // what each round prints; a round that says FAIL fails
		status int
		ran    []string
		ends   string
	}{
		{"all is well", []string{"ok  \texample.org/a\t1s\n"}, 0, []string{"-p 2 -race -timeout 5m ./..."}, "1s\n"},
		{
			"a test that passes alone",
			[]string{one + "ok  \texample.org/b\t1s\nFAIL\n", "ok  \texample.org/a\t1s\n"},
			0,
			[]string{"-p 2 -race -timeout 5m ./...", "-race -timeout 5m -count=1 -run ^(TestSlow)$ example.org/a"},
			"== UNSTEADY, passed alone: example.org/a TestSlow\n",
		},
		{
			"a test that fails alone too",
			[]string{one, one},
			1,
			[]string{"-p 2 -race -timeout 5m ./...", "-race -timeout 5m -count=1 -run ^(TestSlow)$ example.org/a"},
			"example.org/a\t3.1s\n",
		},
		{"a data race", []string{"WARNING: DATA RACE\n" + one}, 1, []string{"-p 2 -race -timeout 5m ./..."}, "== not tried again: DATA RACE\n"},
		{"a panic", []string{"panic: nil\nFAIL\texample.org/a\t3.1s\n"}, 1, []string{"-p 2 -race -timeout 5m ./..."}, "== not tried again: panic:\n"},
		{"a package that does not build", []string{"FAIL\texample.org/a [build failed]\n"}, 1, []string{"-p 2 -race -timeout 5m ./..."}, "== not tried again: [build failed]\n"},
		{"a package that ends by itself", []string{"FAIL\texample.org/a\t3.1s\n"}, 1, []string{"-p 2 -race -timeout 5m ./..."}, "== not tried again: example.org/a failed without a failing test\n"},
		{"many at once", []string{strings.Repeat(one, 5)}, 1, []string{"-p 2 -race -timeout 5m ./..."}, "== not tried again: 5 tests failed\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out strings.Builder
			var ran []string
			status := run([]string{"-p", "2", "-race", "-timeout", "5m", "./..."}, &out, func(args []string, w io.Writer) error {
				said := c.said[len(ran)]
				ran = append(ran, strings.Join(args, " "))
				_, _ = io.WriteString(w, said)
				if strings.Contains(said, "FAIL") {
					return errors.New("exit status 1")
				}
				return nil
			})
			if status != c.status || !strings.HasSuffix(out.String(), c.ends) {
				t.Errorf("status %d, and it ended with\n%s", status, out.String())
			}
			if d := cmp.Diff(c.ran, ran); d != "" {
				t.Error(d)
			}
		})
	}
}
