package sip_test

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/platform/sip"
	"github.com/kapok-hotline/kapok/platform/sip/siptest"
)

// sipvicious is the scanner most hotlines are found by. It must be installed: a missing one fails the test.

// TestScannersFindNothing lets Debian's sipvicious look for us, for our extensions and for a password, over loopback.
func TestScannersFindNothing(t *testing.T) {
	t.Parallel()
	s := start(t, func(c *sip.Config) { c.Flood = sip.FloodConfig{} })
	port := fmt.Sprint(s.Addr("udp").Port())
	for _, args := range [][]string{
		{"svmap", "-p", port, "127.0.0.1"},
		{"svmap", "-p", port, "-m", "INVITE", "127.0.0.1"},
		{"svmap", "-p", port, "-m", "REGISTER", "127.0.0.1"},
		{"svwar", "-p", port, "-e", "100-105", "--maximumtime=2", "127.0.0.1"},
		{"svcrack", "-p", port, "-u", "101", "-r", "100-105", "--maximumtime=2", "127.0.0.1"},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		cmd := exec.CommandContext(ctx, args[0], args[1:]...)
		cmd.Dir = t.TempDir()
		out, err := cmd.CombinedOutput() // it ends by 0 or 1, whatever it finds
		cancel()
		if !strings.Contains(strings.ToLower(string(out)), "found nothing") {
			t.Errorf("%v: %v\n%s", args, err, out)
		}
	}
	// Who is no scanner is still answered.
	p := siptest.New(t, s.Addr("udp"))
	p.Send("OPTIONS sip:x@kapok SIP/2.0\nVia: SIP/2.0/UDP {addr};branch={branch}\nFrom: <sip:a@b>;tag=1\nTo: <sip:x@kapok>\nCall-ID: " +
		siptest.Token() + "\nCSeq: 1 OPTIONS\nUser-Agent: Yealink\n")
	p.Expect("SIP/2.0 200")
}
