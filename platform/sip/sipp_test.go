package sip_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/platform/sip"
)

// sipp is the foreign peer. It must be installed: a missing one fails the test.

// freePort gives a UDP port that is free now.
func freePort(t testing.TB) int {
	t.Helper()
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return c.LocalAddr().(*net.UDPAddr).Port
}

// runSipp runs sipp to its end and fails with what it says.
func runSipp(t testing.TB, args ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	dir := t.TempDir()
	cmd := exec.CommandContext(ctx, "sipp", append([]string{
		"-i", "127.0.0.1", "-p", strconv.Itoa(freePort(t)), "-buff_size", "2000000", "-nostdin", "-trace_err",
	}, args...)...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		logs, _ := filepath.Glob(filepath.Join(dir, "*errors.log"))
		for _, l := range logs {
			b, _ := os.ReadFile(l)
			out = append(out, b[:min(len(b), 4000)]...)
		}
		t.Fatalf("sipp %s: %v\n%s", strings.Join(args, " "), err, tail(out, 6000))
	}
}

func tail(b []byte, n int) []byte { return b[max(0, len(b)-n):] }

// serveSipp runs a sipp that answers until the test ends.
func serveSipp(t testing.TB, args ...string) (port int) {
	t.Helper()
	port = freePort(t)
	cmd := exec.Command("sipp", append([]string{"-i", "127.0.0.1", "-p", strconv.Itoa(port), "-buff_size", "2000000", "-nostdin"}, args...)...)
	cmd.Dir = t.TempDir()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	deadline := time.Now().Add(5 * time.Second)
	for time.Now().Before(deadline) { // until the port is taken
		c, err := net.ListenPacket("udp4", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			return port
		}
		c.Close()
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("sipp does not listen")
	return 0
}

// through is a back-to-back call: the caller's leg is answered when the far leg is.
func through(s *atomic.Pointer[sip.Server], port int) func(*sip.Incoming) {
	return func(in *sip.Incoming) {
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		o, err := s.Load().Call(ctx, sip.CallOptions{
			URI: sip.URI{User: "agent", Host: "127.0.0.1", Port: port}, From: in.From, Body: in.Offer,
		})
		if err != nil {
			_ = in.Reject(503, "")
			return
		}
		for e := range o.Events() {
			switch e.Kind {
			case sip.Progressed:
				_ = in.Progress(e.Code, e.Reason, e.Body)
			case sip.Failed:
				_ = in.Reject(max(e.Code, 480), e.Reason)
			case sip.Answered:
				d, err := in.Answer(ctx, e.Body)
				if err != nil {
					_ = e.Dialog.Bye(ctx)
					return
				}
				select {
				case <-d.Done():
					_ = e.Dialog.Bye(ctx)
				case <-e.Dialog.Done():
					_ = d.Bye(ctx)
				}
			}
		}
	}
}

func TestSippCallsThrough(t *testing.T) {
	t.Parallel()
	var far atomic.Pointer[sip.Server]
	port := serveSipp(t, "-sn", "uas")
	s := start(t, func(c *sip.Config) { c.T1, c.T2, c.T4 = 0, 0, 0; c.Invite = through(&far, port) })
	far.Store(s)
	runSipp(t, s.Addr("udp").String(), "-sn", "uac", "-m", "200", "-r", "100", "-d", "50")
}

func TestSippCallsOverTCP(t *testing.T) {
	t.Parallel()
	s := start(t, func(c *sip.Config) { c.T1, c.T2, c.T4 = 0, 0, 0; c.Invite = answering(nil) })
	runSipp(t, s.Addr("tcp").String(), "-sn", "uac", "-t", "t1", "-m", "100", "-r", "100")
}

func TestSippCancels(t *testing.T) {
	t.Parallel()
	s := start(t, func(c *sip.Config) {
		c.T1, c.T2, c.T4 = 0, 0, 0
		c.Invite = func(in *sip.Incoming) { _ = in.Progress(180, "", nil) }
	})
	runSipp(t, s.Addr("udp").String(), "-sf", scenario(t, "cancel", `
  <send><![CDATA[`+sippHead("INVITE", "[branch]", "")+`]]></send>
  <recv response="100" optional="true"/>
  <recv response="180"/>
  <send><![CDATA[`+sippHead("CANCEL", "[branch-3]", "")+`]]></send>
  <recv response="200"/>
  <recv response="487"/>
  <send><![CDATA[`+sippHead("ACK", "[branch-6]", "[peer_tag_param]")+`]]></send>`), "-m", "100", "-r", "100")
}

// ACK and BYE leave in the same instant; in between OPTIONS and INFO come within the dialog.
func TestSippAckByeAtOnce(t *testing.T) {
	t.Parallel()
	s := start(t, func(c *sip.Config) { c.T1, c.T2, c.T4 = 0, 0, 0; c.Invite = answering(nil) })
	runSipp(t, s.Addr("udp").String(), "-sf", scenario(t, "ackbye", `
  <send retrans="500"><![CDATA[`+sippHead("INVITE", "[branch]", "")+`]]></send>
  <recv response="100" optional="true"/>
  <recv response="200"/>
  <send><![CDATA[`+sippHead("ACK", "[branch]", "[peer_tag_param]")+`]]></send>
  <send retrans="500"><![CDATA[`+sippHead("BYE", "[branch]", "[peer_tag_param]")+`]]></send>
  <recv response="200"/>`), "-m", "500", "-r", "500")
}

func scenario(t testing.TB, name, steps string) string {
	t.Helper()
	f := filepath.Join(t.TempDir(), name+".xml")
	if err := os.WriteFile(f, []byte(`<?xml version="1.0" encoding="ISO-8859-1" ?><scenario name="`+name+`">`+steps+`</scenario>`), 0o600); err != nil {
		t.Fatal(err)
	}
	return f
}

func sippHead(method, branch, tag string) string {
	cseq := "1 " + method
	if method == "BYE" {
		cseq = "2 BYE"
	}
	return "\n" + method + ` sip:12366@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=` + branch + `
From: <sip:sipp@[local_ip]:[local_port]>;tag=[call_number]
To: <sip:12366@[remote_ip]:[remote_port]>` + tag + `
Call-ID: [call_id]
CSeq: ` + cseq + `
Contact: <sip:sipp@[local_ip]:[local_port]>
Max-Forwards: 70
Content-Length: 0

`
}

// cpu is what this process has used: user and system.
func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkCallThrough prints the CPU of one call with both legs (INVITE, 180, 200, ACK, BYE, 200 on each), sipp at
// both ends: -benchtime=1500x.
func BenchmarkCallThrough(b *testing.B) {
	var far atomic.Pointer[sip.Server]
	port := serveSipp(b, "-sn", "uas")
	s := start(b, func(c *sip.Config) { c.T1, c.T2, c.T4 = 0, 0, 0; c.Invite = through(&far, port) })
	far.Store(s)
	from := cpu()
	runSipp(b, s.Addr("udp").String(), "-sn", "uac", "-m", strconv.Itoa(b.N), "-r", "400")
	b.ReportMetric(float64((cpu()-from).Microseconds())/float64(b.N), "cpu-µs/call")
}

// BenchmarkAnswer is the same for one leg only.
func BenchmarkAnswer(b *testing.B) {
	s := start(b, func(c *sip.Config) { c.T1, c.T2, c.T4 = 0, 0, 0; c.Invite = answering(nil) })
	from, before := cpu(), heap()
	runSipp(b, s.Addr("udp").String(), "-sn", "uac", "-m", strconv.Itoa(b.N), "-r", "1000")
	b.ReportMetric(float64((cpu()-from).Microseconds())/float64(b.N), "cpu-µs/call")
	b.ReportMetric(float64(heap()-before)/float64(max(s.Lanes(), 1)), "B/call-in-memory") // for 32 s after its end
}
