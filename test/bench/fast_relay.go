package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/kapok-hotline/kapok/platform/rtp"
)

// beRelay is a media plane with bridged calls and nothing else, in the server's namespace and on its core. order is the
// number of calls, whether the kernel may help, and the port of the telephones. It prints the ports of the calls' legs,
// then answers each line of its standard input with the state of all legs, and ends with it.
func beRelay(order string) error {
	var calls, port int
	var fast bool
	if _, err := fmt.Sscanf(order, "%d,%t,%d", &calls, &fast, &port); err != nil {
		return err
	}
	var limit syscall.Rlimit
	_ = syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit) // what there is has to do
	limit.Cur = limit.Max
	_ = syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit) // likewise
	p, err := rtp.New(rtp.Config{
		Public: netip.MustParseAddr(fastServer), First: 10000, Last: 39999, Fast: fast, Now: time.Now,
		Log: slog.New(slog.NewTextHandler(os.Stderr, nil)),
	})
	if err != nil {
		return err
	}
	offer := fmt.Appendf(nil, "v=0\r\no=p 1 1 IN IP4 %[1]s\r\ns=-\r\nc=IN IP4 %[1]s\r\nt=0 0\r\nm=audio %[2]d RTP/AVP 8 101\r\na=rtpmap:101 telephone-event/8000\r\n", fastPhones, port)
	legs := make([]*rtp.Plain, 2*calls)
	for i := range legs {
		if legs[i], err = p.NewPlain(rtp.PlainConfig{}); err != nil {
			return err
		}
		if _, err := legs[i].Answer(offer); err != nil {
			return err
		}
		if i%2 == 1 {
			rtp.Join(legs[i-1], legs[i])
		}
		fmt.Println(legs[i].Port())
	}
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		var s state
		for _, l := range legs {
			x := l.Stats()
			s.received, s.carried, s.lost, s.stale = s.received+x.Received, s.carried+x.Carried, s.lost+x.Lost, s.stale+x.Stale
			if x.Fast {
				s.fast++
			}
		}
		fmt.Println(s.fast, s.received, s.carried, s.lost, s.stale)
	}
	return nil
}

// beOther is what the bench is when it has called itself for row fast-path.
func beOther(relay, spin string) error {
	if relay != "" {
		return beRelay(relay)
	}
	return beSpinner(spin)
}

// state is what a relay says of its legs.
type state struct {
	fast              int // the kernel has them
	received, carried uint64
	lost, stale       uint64 // never came; came, but too late to be passed on
}

// relay is a running beRelay.
type relay struct {
	cmd   *exec.Cmd
	in    io.WriteCloser
	out   *bufio.Reader
	log   *os.File
	ports []int
}

// startRelay runs a relay in a place, on core 0.
func startRelay(in *place, calls int, fast bool, port int) (*relay, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	r := &relay{cmd: exec.Command("taskset", "-c", "0", self, "-relay", fmt.Sprintf("%d,%t,%d", calls, fast, port))}
	r.cmd.Env = append(os.Environ(), "GOMAXPROCS=1")
	if r.log, err = os.CreateTemp("", "kapok-relay-*"); err != nil {
		return nil, err
	}
	r.cmd.Stderr = r.log
	if r.in, err = r.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := r.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := in.do(r.cmd.Start); err != nil {
		return nil, err
	}
	r.out = bufio.NewReader(out)
	for range 2 * calls {
		var port int
		if _, err := fmt.Fscanln(r.out, &port); err != nil {
			return nil, errors.New("the relay did not start: " + r.stop())
		}
		r.ports = append(r.ports, port)
	}
	if fast && !strings.Contains(r.said(), "fast path on") {
		return nil, errors.New("the kernel does not take part: " + r.stop())
	}
	return r, nil
}

func (r *relay) state() (s state, err error) {
	if _, err = fmt.Fprintln(r.in); err == nil {
		_, err = fmt.Fscanln(r.out, &s.fast, &s.received, &s.carried, &s.lost, &s.stale)
	}
	if err != nil {
		err = fmt.Errorf("the relay is gone: %w: %s", err, r.said())
	}
	return s, err
}

// said gives the end of the relay's log.
func (r *relay) said() string {
	text, err := os.ReadFile(r.log.Name())
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-4000):])
}

// stop ends the relay and gives what it said.
func (r *relay) stop() string {
	_ = r.in.Close() // ends it
	_ = r.cmd.Wait() // likewise
	said := r.said()
	_ = r.log.Close()           // read already
	_ = os.Remove(r.log.Name()) // likewise
	return said
}
