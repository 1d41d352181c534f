package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// server is a kapok of its own: built from this tree, pinned to the first core with GOMAXPROCS=1.
type server struct {
	bin, data string
	http      string
	sip       *net.UDPAddr
	cmd       *exec.Cmd
	log       *os.File
	ended     chan struct{}     // closed when the process is gone
	tokens    map[string]string // by user
	client    *http.Client
}

// build compiles the binary once.
func build(dir string) (string, error) {
	bin := filepath.Join(dir, "kapok")
	cmd := exec.Command("go", "build", "-o", bin, "github.com/kapok-hotline/kapok/cmd/kapok")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("kapok could not be built: %w\n%s", err, out)
	}
	return bin, nil
}

// freePort gives a port nobody holds now, on UDP and TCP.
func freePort() (int, error) {
	for range 50 {
		l, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			return 0, err
		}
		port := l.Addr().(*net.TCPAddr).Port
		u, err := net.ListenPacket("udp4", "127.0.0.1:"+strconv.Itoa(port))
		_ = l.Close() // only asked for its number
		if err == nil {
			_ = u.Close() // likewise
			return port, nil
		}
	}
	return 0, errors.New("no port is free on UDP and TCP")
}

// startServer runs kapok with the bench's bureau in it.
func startServer(ctx context.Context, bin, dir string, o staffing) (*server, error) {
	data, err := os.MkdirTemp(dir, "data-*")
	if err != nil {
		return nil, err
	}
	var port [5]int
	for i := range port {
		if port[i], err = freePort(); err != nil {
			return nil, err
		}
	}
	at := func(i int) string { return "127.0.0.1:" + strconv.Itoa(port[i]) }
	s := &server{bin: bin, data: data, http: at(0), tokens: map[string]string{}}
	s.sip = &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port[2]}
	s.client = &http.Client{Timeout: 30 * time.Second}
	if s.log, err = os.Create(filepath.Join(data, "..", filepath.Base(data)+".log")); err != nil {
		return nil, err
	}
	args := []string{
		"-c", "0", bin, "serve", "--data", data, "--http", at(0), "--https", at(1), "--sip", at(2), "--sips", at(3),
		"--webrtc-port", strconv.Itoa(port[4]), "--rtp-ports", "20000-29999", "--advertise-ip", "127.0.0.1", "--log", "warn",
		"--fast-path", "off", // the kernel's work is not in a process' account; row fast-path measures it
	}
	s.cmd = exec.Command("taskset", args...)
	s.cmd.Env = append(os.Environ(), "GOMAXPROCS=1")
	s.cmd.Stdout, s.cmd.Stderr = s.log, s.log
	if err := s.cmd.Start(); err != nil {
		return nil, fmt.Errorf("kapok could not be started on one core (is taskset of util-linux there?): %w", err)
	}
	s.ended = make(chan struct{})
	go func() {
		_ = s.cmd.Wait() // how it ended is in its log
		close(s.ended)
	}()
	if err := s.furnish(ctx, o); err != nil {
		return nil, errors.Join(err, s.stop(), errors.New(s.lastLines()))
	}
	return s, nil
}

func (s *server) furnish(ctx context.Context, o staffing) error {
	if err := s.healthy(ctx); err != nil {
		return err
	}
	file, err := bureau(o)
	if err != nil {
		return err
	}
	apply := exec.CommandContext(ctx, s.bin, "apply", "-f", "-", "--data", s.data)
	apply.Stdin = bytes.NewReader(file)
	if out, err := apply.CombinedOutput(); err != nil {
		return fmt.Errorf("the bureau was not applied: %w\n%s", err, out)
	}
	return s.makeTokens(ctx, o.people)
}

// healthy waits until calls can be taken.
func (s *server) healthy(ctx context.Context) error {
	for deadline := time.Now().Add(90 * time.Second); time.Now().Before(deadline); {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.http+"/healthz", nil)
		if err != nil {
			return err
		}
		if resp, err := s.client.Do(req); err == nil {
			_ = resp.Body.Close() // empty
			if resp.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.ended:
			return errors.New("kapok ended at once")
		case <-time.After(100 * time.Millisecond):
		}
	}
	return errors.New("kapok did not become healthy within 90 s")
}

// makeTokens lets the robots work at every agent's desk, over the admin socket as `kapok token create` does.
func (s *server) makeTokens(ctx context.Context, people int) error {
	admin := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", filepath.Join(s.data, "kapok.sock"))
	}}}
	for i := range people {
		u := userCode(i)
		var t struct{ Token string }
		if err := post(ctx, admin, "http://kapok/api/v1/tokens", "", map[string]string{"user": u, "name": "bench"}, &t); err != nil {
			return fmt.Errorf("no token for %s: %w", u, err)
		}
		s.tokens[u] = t.Token
	}
	return nil
}

// post sends JSON and reads the answer into out (nil: not read).
func post(ctx context.Context, client *http.Client, url, token string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close() //nolint:errcheck // only read
	answer, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return err
	}
	if resp.StatusCode >= 300 {
		return fmt.Errorf("%s: %s %s", url, resp.Status, answer)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(answer, out)
}

// desk sends a request of an agent's desk.
func (s *server) desk(ctx context.Context, agent, what string, in any) error {
	return post(ctx, s.client, "http://"+s.http+"/api/v1/desk/"+what, s.tokens[agent], in, nil)
}

// stop ends the server in good order, and with force when it does not.
func (s *server) stop() error {
	_ = s.cmd.Process.Signal(syscall.SIGTERM) // gone already: Wait says so
	select {
	case <-s.ended:
	case <-time.After(30 * time.Second):
		_ = s.cmd.Process.Kill() // the last resort
		<-s.ended
	}
	return errors.Join(s.log.Close(), os.RemoveAll(s.data))
}

// lastLines gives the end of what the server said.
func (s *server) lastLines() string {
	f, err := os.Open(s.log.Name())
	if err != nil {
		return ""
	}
	defer f.Close() //nolint:errcheck // only read
	var lines []string
	for sc := bufio.NewScanner(f); sc.Scan(); {
		if lines = append(lines, sc.Text()); len(lines) > 8 {
			lines = lines[1:]
		}
	}
	return strings.Join(lines, "\n")
}

func (s *server) pid() int { return s.cmd.Process.Pid }
