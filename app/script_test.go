package app

import (
	"context"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/kapok-hotline/kapok/platform/web"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"kapok": func() {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		code := Main(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
		stop()
		os.Exit(code)
	}})
}

// TestCommands runs the commands as an operator does; each script is a page of the manual that must stay true.
func TestCommands(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("LANG", "en_GB.UTF-8")
			province, err := os.ReadFile("../docs/examples/province.yaml")
			if err == nil {
				err = os.WriteFile(filepath.Join(env.WorkDir, "province.yaml"), province, 0o600)
			}
			if err != nil {
				return err
			}
			bureau, err := os.ReadFile("demo/bureau.yaml")
			if err != nil {
				return err
			}
			for _, name := range []string{"WEB1", "WEB2"} {
				env.Setenv(name, freeUDP())
			}
			return os.WriteFile(filepath.Join(env.WorkDir, "bureau.yaml"), bureau, 0o600)
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){"up": up},
	})
}

// freeUDP gives a UDP port nobody uses: a browser's media port cannot be left to chance, it is announced.
func freeUDP() string {
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	defer c.Close()
	_, port, _ := net.SplitHostPort(c.LocalAddr().String())
	return port
}

// up DIR waits until the Kapok on the data folder answers.
func up(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: up DIR")
	}
	socket := filepath.Join(ts.MkAbs(args[0]), web.SocketName)
	for range 300 {
		if _, err := os.Stat(socket); err == nil {
			if _, err := newAdmin(ts.MkAbs(args[0])).do(context.Background(), "GET", "/api/v1/config", "", nil); err == nil {
				return
			}
		}
		time.Sleep(50 * time.Millisecond)
	}
	ts.Fatalf("no Kapok came up on %s", args[0])
}
