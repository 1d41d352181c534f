package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unsafe"
)

// machine says where the figures were taken.
type machine struct {
	CPU    string    `json:"cpu"`
	Cores  int       `json:"cores"`
	Kernel string    `json:"kernel"`
	Go     string    `json:"go"`
	Load   [2]string `json:"load"` // 1, 5 and 15 minutes, before and after
	Busy   bool      `json:"busy"` // others were at work: a goal that is met is met, one that is not may be the machine's fault
}

// busyLoad is the load average, per core, above which nothing is called good: the bench itself keeps both of two
// cores at work at most, so what is more is somebody else's.
const busyLoad = 1.5

func look() machine {
	m := machine{CPU: "unknown", Cores: runtime.NumCPU(), Go: runtime.Version()}
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(text)) {
			if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
				m.CPU = strings.TrimSpace(value)
				break
			}
		}
	}
	if text, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		m.Kernel = strings.TrimSpace(string(text))
	}
	m.Load[0], _ = load()
	return m
}

// load gives the load averages as text and that of the last minute.
func load() (string, float64) {
	text, err := os.ReadFile("/proc/loadavg")
	f := strings.Fields(string(text))
	if err != nil || len(f) < 3 {
		return "unknown", 0
	}
	one, _ := strconv.ParseFloat(f[0], 64)
	return strings.Join(f[:3], " "), one
}

// note takes another look at the load.
func (m *machine) note() {
	text, one := load()
	m.Load[1] = text
	if one > busyLoad*float64(m.Cores) {
		m.Busy = true
	}
}

// tick is the unit of /proc/PID/stat: USER_HZ, 100 a second on every Linux Go runs on.
const tick = 10 * time.Millisecond

// used gives the processor time a process has used, in user and kernel mode.
func used(pid int) (time.Duration, error) {
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return 0, fmt.Errorf("the server is gone: %w", err)
	}
	_, after, _ := bytes.Cut(text, []byte(") ")) // the name may hold anything
	f := strings.Fields(string(after))
	if len(f) < 13 {
		return 0, fmt.Errorf("/proc/%d/stat is not what it should be", pid)
	}
	user, err1 := strconv.ParseInt(f[11], 10, 64)
	system, err2 := strconv.ParseInt(f[12], 10, 64)
	if err1 != nil || err2 != nil {
		return 0, fmt.Errorf("/proc/%d/stat is not what it should be", pid)
	}
	return time.Duration(user+system) * tick, nil
}

// resident gives the memory a process holds, in bytes.
func resident(pid int) (int64, error) {
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "statm"))
	f := strings.Fields(string(text))
	if err != nil || len(f) < 2 {
		return 0, fmt.Errorf("the server is gone: %w", err)
	}
	pages, err := strconv.ParseInt(f[1], 10, 64)
	return pages * int64(os.Getpagesize()), err
}

// pin keeps this process, the load, to one core; the server has another.
func pin(core int) error {
	var set [16]uint64
	for n := range runtime.NumCPU() {
		if core == n || core == allCores {
			set[n/64] |= 1 << (n % 64)
		}
	}
	for range 2 { // a thread begun meanwhile has its mother's cores
		tasks, err := os.ReadDir("/proc/self/task")
		if err != nil {
			return err
		}
		for _, t := range tasks {
			tid, err := strconv.Atoi(t.Name())
			if err != nil {
				return err
			}
			_, _, e := syscall.RawSyscall(syscall.SYS_SCHED_SETAFFINITY, uintptr(tid), unsafe.Sizeof(set), uintptr(unsafe.Pointer(&set))) //nolint:gosec // a system call takes a pointer
			if e != 0 && e != syscall.ESRCH {
				return fmt.Errorf("the load cannot be kept on core %d: %w", core, e)
			}
		}
	}
	return nil
}

// allCores lets pin undo itself.
const allCores = -1

// held gives how long the threads of a process have been ready and waited for a core (/proc/PID/schedstat, run_delay).
func held(pid int) time.Duration {
	tasks, _ := filepath.Glob(filepath.Join("/proc", strconv.Itoa(pid), "task", "*", "schedstat"))
	var sum time.Duration
	for _, t := range tasks {
		text, err := os.ReadFile(t)
		if f := strings.Fields(string(text)); err == nil && len(f) == 3 { // gone meanwhile: it waits no more
			ns, _ := strconv.ParseInt(f[1], 10, 64)
			sum += time.Duration(ns)
		}
	}
	return sum
}
