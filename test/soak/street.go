package main

import (
	"bytes"
	"context"
	"embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/kapok-hotline/kapok/test/house"
)

//go:embed caller.xml
var files embed.FS

// street is sipp's processes, one for each habit.
type street struct {
	done  chan struct{}
	err   error
	stop  context.CancelFunc
	once  sync.Once
	mu    sync.Mutex
	calls [2]int // ended as planned, otherwise
}

// callers starts them all; the rate is divided as the shares are.
func (p *plan) callers(ctx context.Context, dir string) (*street, error) {
	ctx, stop := context.WithCancel(ctx)
	s := &street{done: make(chan struct{}), stop: stop}
	script, err := files.ReadFile("caller.xml")
	if err != nil {
		return nil, err
	}
	var running sync.WaitGroup
	for i, h := range habits {
		n := p.calls * h.share / 100
		file := filepath.Join(dir, fmt.Sprintf("caller%d.xml", i))
		text := strings.NewReplacer("PATIENCE", strconv.Itoa(h.patience), "HABIT", strconv.Itoa(i)).Replace(string(script))
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			return nil, err
		}
		port, err := house.FreePort("udp")
		if err != nil {
			return nil, err
		}
		// sipp takes whole calls in a period: the share of the rate is spread over ten seconds.
		cmd := exec.CommandContext(ctx, "sipp", "-sf", file, "-s", h.number, "-i", "127.0.0.1", "-p", strconv.Itoa(port), "-nostdin",
			"-m", strconv.Itoa(n), "-r", strconv.Itoa(max(1, p.rate*h.share/10)), "-rp", "10000", "-l", "5000", "-buff_size", "4000000",
			"-max_invite_retrans", "4", "-max_non_invite_retrans", "4", "-recv_timeout", "40000", p.h.SIP)
		cmd.Dir = dir
		var out bytes.Buffer
		cmd.Stdout = &out
		if err := cmd.Start(); err != nil {
			return nil, fmt.Errorf("sipp: %w", err)
		}
		running.Go(func() {
			_ = cmd.Wait() // a call that met the power cut makes its status 1
			s.count(out.String())
		})
	}
	go func() {
		running.Wait()
		close(s.done)
	}()
	return s, nil
}

var ends = regexp.MustCompile(`(Successful|Failed) call +\| +\d+ +\| +(\d+)`)

// count adds what a sipp says at its end.
func (s *street) count(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	last := map[string]int{}
	for _, m := range ends.FindAllStringSubmatch(text, -1) {
		last[m[1]], _ = strconv.Atoi(m[2]) // digits by the pattern
	}
	s.calls[0] += last["Successful"]
	s.calls[1] += last["Failed"]
}

func (s *street) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return fmt.Sprintf("%d calls went as planned, %d met the power cut or hung up in the same moment as the house", s.calls[0], s.calls[1])
}

func (s *street) end() {
	s.once.Do(func() {
		s.stop()
		<-s.done
	})
}
