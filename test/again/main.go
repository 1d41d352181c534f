// Again runs `go test` and gives what failed one more chance, alone.
//
//	go run ./test/again [go test flags and packages]
//
// Many tests here keep time over real sockets, and a crowded machine can hold one of them up for seconds. A test that fails
// is therefore run once more with nothing beside it, and only passes if it passes then; it is named as unsteady at the end,
// for its cause is still to be found. What no load excuses is not tried again: a data race, a panic, a leak, a package that
// does not build, or more than a few failures at once.
package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// most is how many tests may be tried again: more of them are no accident.
const most = 4

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, goTest))
}

// run does both rounds with a runner of `go test`, and gives the exit status.
func run(args []string, out io.Writer, test func([]string, io.Writer) error) int {
	var said strings.Builder
	if test(args, io.MultiWriter(out, &said)) == nil {
		return 0
	}
	failed, reason := read(said.String())
	if reason != "" {
		fmt.Fprintf(out, "== not tried again: %s\n", reason)
		return 1
	}
	status := 0
	flags := options(args)
	for _, f := range failed {
		fmt.Fprintf(out, "== once more, alone: %s %s\n", f.pkg, strings.Join(f.tests, " "))
		if test(append(slices.Clone(flags), "-count=1", "-run", "^("+strings.Join(f.tests, "|")+")$", f.pkg), out) != nil {
			status = 1
		}
	}
	if status == 0 {
		for _, f := range failed {
			fmt.Fprintf(out, "== UNSTEADY, passed alone: %s %s\n", f.pkg, strings.Join(f.tests, " "))
		}
	}
	return status
}

// goTest runs `go test`; both of its streams go to out.
func goTest(args []string, out io.Writer) error {
	cmd := exec.Command("go", append([]string{"test"}, args...)...) //nolint:gosec,noctx // the arguments are our own; it ends with its own -timeout
	cmd.Stdout, cmd.Stderr = out, out
	return cmd.Run()
}

// failure is a package and those of its tests that failed.
type failure struct {
	pkg   string
	tests []string
}

// read finds the failures in what `go test` printed, or the reason why a second try would excuse too much.
func read(said string) (all []failure, reason string) {
	for _, bad := range []string{"DATA RACE", "\npanic: ", "fatal error: ", "[build failed]", "[setup failed]", "found unexpected goroutines"} {
		if strings.Contains("\n"+said, bad) {
			return nil, strings.TrimSpace(bad)
		}
	}
	var tests []string
	n := 0
	for line := range strings.Lines(said) {
		line = strings.TrimRight(line, "\n")
		if name, ok := strings.CutPrefix(line, "--- FAIL: "); ok {
			name, _, _ = strings.Cut(name, " ")
			tests = append(tests, name)
		} else if rest, ok := strings.CutPrefix(line, "FAIL\t"); ok {
			pkg, _, _ := strings.Cut(rest, "\t")
			if len(tests) == 0 {
				return nil, pkg + " failed without a failing test"
			}
			all, tests, n = append(all, failure{pkg, tests}), nil, n+len(tests)
		} else if strings.HasPrefix(line, "ok  \t") {
			tests = nil
		}
	}
	switch {
	case n == 0:
		return nil, "no failing test is named"
	case n > most:
		return nil, fmt.Sprintf("%d tests failed", n)
	}
	return all, ""
}

// options gives the flags among the arguments of `go test`, with their values, without packages and -p.
func options(args []string) (flags []string) {
	for i := 0; i < len(args); i++ {
		switch a := args[i]; {
		case a == "-p":
			i++
		case a == "-timeout" || a == "-count" || a == "-run":
			i++
			if a == "-timeout" {
				flags = append(flags, a, args[i])
			}
		case strings.HasPrefix(a, "-"):
			flags = append(flags, a)
		}
	}
	return flags
}
