package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"
)

// A core's work that belongs to no process (packets in soft interrupts) is not in any process' account, and the machine's
// own is a sample at the clock's ticks, by which a load that also goes by a clock is seen always or never. So an idle
// loop counts on the core, behind everybody else (SCHED_IDLE): what it cannot count is what the core was used for.

// spinner is that loop, in a process of its own.
type spinner struct {
	cmd   *exec.Cmd
	in    io.Closer
	count *uint64 // shared with it
}

// beSpinner counts into a file until its standard input ends.
func beSpinner(path string) error {
	count, err := counter(path)
	if err != nil {
		return err
	}
	go func() {
		_, _ = os.Stdin.Read(make([]byte, 1)) // returns when the bench is gone
		os.Exit(0)
	}()
	runtime.LockOSThread()
	const idle = 5 // SCHED_IDLE
	var priority int32
	if _, _, e := syscall.RawSyscall(syscall.SYS_SCHED_SETSCHEDULER, 0, idle, uintptr(unsafe.Pointer(&priority))); e != 0 { //nolint:gosec // a system call takes a pointer
		return fmt.Errorf("the idle loop is not idle: %w", e)
	}
	for x := uint64(1); ; {
		for range 1000 {
			x ^= x << 13
			x ^= x >> 7
		}
		atomic.AddUint64(count, min(x, 1)) // 1: x is never 0, and is used, so it is made
	}
}

// counter maps eight bytes of a file.
func counter(path string) (*uint64, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // the memory stays
	if err := f.Truncate(8); err != nil {
		return nil, err
	}
	b, err := syscall.Mmap(int(f.Fd()), 0, 8, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	if err != nil {
		return nil, err
	}
	return (*uint64)(unsafe.Pointer(&b[0])), nil //nolint:gosec // of a page
}

func startSpinner(dir string) (*spinner, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, "spin")
	s := &spinner{cmd: exec.Command("taskset", "-c", "0", self, "-spin", path)}
	if s.count, err = counter(path); err != nil {
		return nil, err
	}
	s.cmd.Stderr = os.Stderr
	if s.in, err = s.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	return s, s.cmd.Start()
}

// rate gives the counts a second over a span.
func (s *spinner) rate(span time.Duration) float64 {
	before, began := atomic.LoadUint64(s.count), time.Now()
	time.Sleep(span)
	return float64(atomic.LoadUint64(s.count)-before) / time.Since(began).Seconds()
}

func (s *spinner) stop() {
	_ = s.in.Close() // ends it
	_ = s.cmd.Wait() // likewise
}
