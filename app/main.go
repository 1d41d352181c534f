package app

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"runtime/debug"
	"strings"

	"github.com/kapok-hotline/kapok/platform/conf"
)

// command is one word after `kapok`.
type command struct {
	name    string
	summary string
	help    string // what it does, its flags and examples that run; fits a screen
	run     func(ctx context.Context, c *call) error
}

// call is a command being run.
type call struct {
	args []string
	in   io.Reader
	out  io.Writer
	err  io.Writer
}

// errUsage asks for the help to be shown.
var errUsage = errors.New("usage")

func commands() []command {
	return []command{
		{"demo", "a whole hotline with callers, to look at", demoHelp, runDemo},
		{"serve", "run the hotline", serveHelp + conf.Usage(), runServe},
		{"apply", "bring the configuration to what a file says", applyHelp, runApply},
		{"export", "write the configuration as a file", exportHelp, runExport},
		{"doctor", "check that every figure is true", doctorHelp, runDoctor},
		{"token", "make, list and revoke API tokens", tokenHelp, runToken},
		{"backup", "copy everything into one file", backupHelp, runBackup},
		{"restore", "put a backup back", restoreHelp, runRestore},
		{"drain", "take no new calls and wait for the running ones", drainHelp, runDrain},
		{"version", "print the version", versionHelp, runVersion},
	}
}

// Main runs a command and gives the exit status: 0 done, 1 it failed (one sentence on stderr), 2 wrong usage.
func Main(ctx context.Context, args []string, in io.Reader, out, errw io.Writer) int {
	if len(args) == 0 || args[0] == "help" || args[0] == "-h" || args[0] == "--help" {
		if len(args) > 1 {
			args = []string{args[1], "--help"}
		} else {
			usage(out)
			return 0
		}
	}
	for _, c := range commands() {
		if c.name != args[0] {
			continue
		}
		for _, a := range args[1:] {
			if a == "-h" || a == "--help" || a == "-help" {
				fmt.Fprintln(out, strings.TrimSpace(c.help))
				return 0
			}
		}
		err := c.run(ctx, &call{args: args[1:], in: in, out: out, err: errw})
		switch {
		case err == nil || errors.Is(err, flag.ErrHelp):
			return 0
		case errors.Is(err, errUsage):
			fmt.Fprintln(errw, strings.TrimSpace(c.help))
			return 2
		}
		fmt.Fprintln(errw, "kapok:", Sentence(err))
		return 1
	}
	fmt.Fprintf(errw, "kapok: there is no command %q; `kapok help` lists them\n", args[0])
	return 2
}

func usage(out io.Writer) {
	fmt.Fprint(out, "Kapok (木棉) runs a public-service hotline in one program.\n\nCommands:\n")
	for _, c := range commands() {
		fmt.Fprintf(out, "  %-8s %s\n", c.name, c.summary)
	}
	fmt.Fprint(out, "\n`kapok COMMAND --help` says more. Begin with `kapok demo`.\n")
}

// Version gives the program's version as Go recorded it.
func Version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "dev"
	}
	return strings.Trim(info.Main.Version, "()")
}

const versionHelp = `
kapok version
  Prints the program's version.

Example:
  kapok version`

func runVersion(_ context.Context, c *call) error {
	fmt.Fprintln(c.out, "kapok", Version())
	return nil
}
