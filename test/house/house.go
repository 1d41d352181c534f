// Package house runs the built program as its users do: a process with a data folder, its commands, its API. It
// shares no code with the product.
package house

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// House is a `kapok serve` with its folder and its ports, which stay the same over a restart.
type House struct {
	Program string // the binary
	Data    string
	HTTP    string // host:port
	HTTPS   string
	SIP     string
	SIPS    string
	WebRTC  int
	RTP     string
	More    []string // further flags
	Env     []string // beside this process's

	mu   sync.Mutex
	log  bytes.Buffer
	cmd  *exec.Cmd
	done chan struct{}
	err  error
}

// Root gives the folder of the repository.
func Root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for ; dir != "/"; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
	}
	return "", errors.New("this is not inside the repository: no go.mod above")
}

// Build makes the program in a folder and gives its path. KAPOK_PROGRAM names one that is built already.
func Build(ctx context.Context, dir string) (string, error) {
	if p := os.Getenv("KAPOK_PROGRAM"); p != "" {
		return p, nil
	}
	root, err := Root()
	if err != nil {
		return "", err
	}
	program := filepath.Join(dir, "kapok")
	cmd := exec.CommandContext(ctx, "go", "build", "-o", program, "./cmd/kapok")
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return program, nil
}

// New prepares a house with free ports on an empty folder.
func New(program, data string) (*House, error) {
	h := &House{Program: program, Data: data}
	var ports [5]int
	for i, network := range []string{"tcp", "tcp", "udp", "tcp", "udp"} {
		p, err := FreePort(network)
		if err != nil {
			return nil, err
		}
		ports[i] = p
	}
	at := func(i int) string { return fmt.Sprintf("127.0.0.1:%d", ports[i]) }
	h.HTTP, h.HTTPS, h.SIP, h.SIPS, h.WebRTC = at(0), at(1), at(2), at(3), ports[4]
	h.RTP = "20000-29999"
	return h, nil
}

// The ports of houses lie below those the system gives to whoever asks for any, and beside those of media: what was free
// is still free when the house begins.
const firstPort, ports = 10000, 9000

// handed counts the ports given so far, so that none is given twice; where it begins is another in each program.
var handed atomic.Uint32

// FreePort gives a port that nobody uses, in TCP and UDP.
func FreePort(string) (int, error) {
	handed.CompareAndSwap(0, 1+rand.Uint32N(ports))
	for range 500 {
		port := firstPort + int(handed.Add(1)%ports)
		l, err := net.Listen("tcp4", fmt.Sprintf(":%d", port))
		if err != nil {
			continue
		}
		u, err := net.ListenUDP("udp4", &net.UDPAddr{Port: port})
		_ = l.Close()
		if err == nil {
			return port, u.Close()
		}
	}
	return 0, errors.New("no port is free")
}

// Start runs the house and returns when it takes calls.
func (h *House) Start(ctx context.Context) error {
	flags := []string{
		"serve", "--data", h.Data, "--http", h.HTTP, "--https", h.HTTPS, "--sip", h.SIP,
		"--sips", h.SIPS, "--webrtc-port", fmt.Sprint(h.WebRTC), "--rtp-ports", h.RTP, "--advertise-ip", "127.0.0.1",
	}
	cmd := exec.Command(h.Program, append(flags, h.More...)...)
	cmd.Env = append(os.Environ(), h.Env...)
	cmd.Stdout, cmd.Stderr = writer{h}, writer{h}
	if err := cmd.Start(); err != nil {
		return err
	}
	done := make(chan struct{})
	h.cmd, h.done = cmd, done
	go func() {
		h.err = cmd.Wait()
		close(done)
	}()
	for {
		resp, err := http.Get("http://" + h.HTTP + "/healthz") //nolint:noctx // bounded by the loop
		if err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-done:
			return fmt.Errorf("kapok serve ended: %w\n%s", h.err, h.Log())
		case <-ctx.Done():
			return fmt.Errorf("kapok serve is not ready: %w\n%s", ctx.Err(), h.Log())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

type writer struct{ h *House }

func (w writer) Write(b []byte) (int, error) {
	w.h.mu.Lock()
	defer w.h.mu.Unlock()
	return w.h.log.Write(b)
}

// Log gives what the house has printed since the first start.
func (h *House) Log() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.log.String()
}

// Memory gives the resident set of the process in MB, 0 when it is not known.
func (h *House) Memory() (mb int) {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", h.cmd.Process.Pid)) // without it: not known
	if _, after, ok := strings.Cut(string(b), "VmRSS:"); ok {
		_, _ = fmt.Sscan(after, &mb) // as above
	}
	return mb / 1024
}

// Meter reads a figure of /metrics that has no labels.
func (h *House) Meter(name string) (float64, error) {
	resp, err := http.Get("http://" + h.HTTP + "/metrics") //nolint:noctx // bounded by the process
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close() //nolint:errcheck // only read
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(b)) {
		if v, ok := strings.CutPrefix(line, name+" "); ok {
			var n float64
			_, err := fmt.Sscan(v, &n)
			return n, err
		}
	}
	return 0, fmt.Errorf("/metrics has no %s", name)
}

// Running says whether the process lives.
func (h *House) Running() bool {
	if h.done == nil {
		return false
	}
	select {
	case <-h.done:
		return false
	default:
		return true
	}
}

// Kill ends the process as a power cut does.
func (h *House) Kill() {
	_ = h.cmd.Process.Kill() // it may have ended by itself
	<-h.done
}

// Stop ends the process in good order; an error when it did not end well.
func (h *House) Stop() error {
	_ = h.cmd.Process.Signal(syscall.SIGTERM) // it may have ended by itself
	select {
	case <-h.done:
		return h.err
	case <-time.After(30 * time.Second):
		h.Kill()
		return errors.New("kapok serve did not end within 30 s of SIGTERM")
	}
}

// Run runs a command of the program on the house's folder and gives what it prints.
func (h *House) Run(ctx context.Context, in io.Reader, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, h.Program, append(args, "--data", h.Data)...)
	cmd.Stdin = in
	out, err := cmd.CombinedOutput()
	if err != nil {
		err = fmt.Errorf("kapok %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return string(out), err
}

// Apply brings the configuration to what a text says.
func (h *House) Apply(ctx context.Context, yaml string) error {
	_, err := h.Run(ctx, strings.NewReader(yaml), "apply", "-f", "-")
	return err
}

// Doctor fails, naming them, when invariants are broken.
func (h *House) Doctor(ctx context.Context) error {
	_, err := h.Run(ctx, nil, "doctor")
	return err
}

// Password is what every person and phone of a test bureau has.
const Password = "Kapok-2026-baum"

// Bureau gives the demo bureau with passwords for some of its people and phones.
func Bureau(agents int, more ...string) (string, error) {
	root, err := Root()
	if err != nil {
		return "", err
	}
	file, err := os.ReadFile(filepath.Join(root, "app", "demo", "bureau.yaml"))
	if err != nil {
		return "", err
	}
	text := string(file)
	for _, who := range append([]string{"leader1", "manager", "admin"}, codes(1001, agents)...) {
		text = secret(text, who, ", password: "+Password+", must_change: false")
	}
	for _, code := range codes(8001, agents) {
		text = secret(text, code, ", password: "+Password)
	}
	for i := 0; i+1 < len(more); i += 2 {
		if !strings.Contains(text, more[i]) {
			return "", fmt.Errorf("the demo bureau has no %q", more[i])
		}
		text = strings.ReplaceAll(text, more[i], more[i+1])
	}
	return text, nil
}

func codes(first, n int) (out []string) {
	for i := range n {
		out = append(out, fmt.Sprint(first+i))
	}
	return out
}

// secret adds to the line of a user or a phone.
func secret(text, code, more string) string {
	lines := strings.Split(text, "\n")
	for i, l := range lines {
		l = strings.TrimSpace(l)
		if (strings.HasPrefix(l, "- {code: "+code+",") || strings.HasPrefix(l, `- {code: "`+code+`",`)) && strings.Contains(l, "site: gz") {
			lines[i] = strings.TrimSuffix(lines[i], "}") + more + "}"
		}
	}
	return strings.Join(lines, "\n")
}
