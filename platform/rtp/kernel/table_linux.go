package kernel

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
)

// loopback is the interface number of lo in every network namespace.
const loopback = 1

// mapMmapable is BPF_F_MMAPABLE: the slots are memory of this process too.
const mapMmapable = 1 << 10

// clockMonotonic is the clock the kernel stamps with (CLOCK_MONOTONIC).
const clockMonotonic = 1

// Config says which ports the kernel may relay.
type Config struct {
	First, Last uint16 // media ports; both 0: all
	Log         *slog.Logger
}

// Table is the kernel's half of the media plane: the program, the slots it shares with this process, the interfaces
// it watches, and what it knows of routes.
type Table struct {
	log    *slog.Logger
	first  uint16
	slots  *ebpf.Map
	prog   *ebpf.Program
	memory []byte
	routes *routes

	mu     sync.Mutex
	links  map[int]link.Link // by interface
	closed bool

	turn atomic.Uint32 // of routes and interfaces
}

// Open loads the program and puts it on every interface with an IPv4 address. ErrRights and ErrUnsupported are the
// common reasons why it cannot be.
func Open(cfg Config) (*Table, error) {
	if cfg.First == 0 {
		cfg.First, cfg.Last = 2, 65534
	}
	cfg.First += cfg.First & 1
	if cfg.Last <= cfg.First {
		return nil, fmt.Errorf("kernel: no pair of ports between %d and %d", cfg.First, cfg.Last)
	}
	t := &Table{log: cfg.Log, first: cfg.First, links: map[int]link.Link{}}
	if err := t.load(int(cfg.Last-cfg.First)/2 + 1); err != nil {
		return nil, errors.Join(explain(err), t.Close())
	}
	if err := t.attach(); err != nil {
		return nil, errors.Join(explain(err), t.Close())
	}
	var err error
	if t.routes, err = newRoutes(t.moved); err != nil {
		return nil, errors.Join(explain(err), t.Close())
	}
	return t, nil
}

// explain says which of the common reasons an error is.
func explain(err error) error {
	switch {
	case errors.Is(err, os.ErrPermission): // EPERM, EACCES
		return fmt.Errorf("%w: %w", ErrRights, err)
	case errors.Is(err, ebpf.ErrNotSupported), errors.Is(err, syscall.ENOSYS):
		return fmt.Errorf("%w: %w", ErrUnsupported, err)
	}
	return err
}

// load makes the slots and the program.
func (t *Table) load(pairs int) (err error) {
	t.slots, err = ebpf.NewMap(&ebpf.MapSpec{
		Name: "kapok_rtp", Type: ebpf.Array, KeySize: 4, ValueSize: slotSize, MaxEntries: uint32(pairs), Flags: mapMmapable,
	})
	if err != nil {
		return fmt.Errorf("kernel: the slots: %w", err)
	}
	t.memory, err = syscall.Mmap(t.slots.FD(), 0, pairs*slotSize, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	if err != nil {
		return fmt.Errorf("kernel: the slots' memory: %w", err)
	}
	t.prog, err = ebpf.NewProgram(&ebpf.ProgramSpec{
		Name: "kapok_rtp", Type: ebpf.SchedCLS, AttachType: ebpf.AttachTCXIngress, License: "Apache-2.0",
		Instructions: program(t.slots, t.first),
	})
	if err != nil {
		return fmt.Errorf("kernel: the program: %w", err)
	}
	return nil
}

// attach puts the program on the interfaces that have come, and forgets those that have gone. Those without Ethernet
// headers are left alone: their packets reach the sockets.
func (t *Table) attach() error {
	all, err := net.Interfaces()
	if err != nil {
		return fmt.Errorf("kernel: the interfaces: %w", err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return nil
	}
	there := map[int]bool{}
	for _, i := range all {
		if !suits(i) {
			continue
		}
		there[i.Index] = true
		if t.links[i.Index] != nil {
			continue
		}
		l, err := link.AttachTCX(link.TCXOptions{Interface: i.Index, Program: t.prog, Attach: ebpf.AttachTCXIngress})
		if err != nil {
			return fmt.Errorf("kernel: interface %s: %w", i.Name, err)
		}
		t.links[i.Index] = l
	}
	for index, l := range t.links {
		if !there[index] {
			_ = l.Close() // the interface took it along
			delete(t.links, index)
		}
	}
	return nil
}

func suits(i net.Interface) bool {
	if i.Flags&net.FlagUp == 0 || i.Flags&net.FlagLoopback == 0 && len(i.HardwareAddr) != 6 {
		return false
	}
	list, err := i.Addrs()
	if err != nil {
		return false // it is going away
	}
	for _, a := range list {
		if n, ok := a.(*net.IPNet); ok && n.IP.To4() != nil {
			return true
		}
	}
	return false
}

// moved is called when routes, addresses or interfaces have changed.
func (t *Table) moved() {
	if err := t.attach(); err != nil {
		t.log.Warn("the media fast path leaves an interface alone", "err", err)
	}
	t.turn.Add(1)
}

// Turn changes whenever routes, addresses or interfaces have changed: what Way said before may no longer hold.
func (t *Table) Turn() uint32 { return t.turn.Load() }

// Slot gives the slot of a media port; nil when it has none.
func (t *Table) Slot(port uint16) *Slot {
	i := (int(port) - int(t.first)) / 2
	if port < t.first || port&1 != 0 || (i+1)*slotSize > len(t.memory) {
		return nil
	}
	return (*Slot)(unsafe.Pointer(&t.memory[i*slotSize])) //nolint:gosec // the memory is the kernel's; Slot's layout is the program's
}

// Now gives the time of the kernel's clock, by which slots are stamped.
func (t *Table) Now() time.Duration {
	var ts syscall.Timespec
	_, _, _ = syscall.RawSyscall(syscall.SYS_CLOCK_GETTIME, clockMonotonic, uintptr(unsafe.Pointer(&ts)), 0) //nolint:gosec // a system call takes a pointer; this one cannot fail
	return time.Duration(ts.Nano())
}

// Close takes the program off. All slots must have been taken back.
func (t *Table) Close() error {
	t.mu.Lock()
	links := t.links
	t.links, t.closed = nil, true
	t.mu.Unlock()
	var err error
	for _, l := range links {
		err = errors.Join(err, l.Close())
	}
	if t.routes != nil {
		err = errors.Join(err, t.routes.close())
	}
	if t.prog != nil {
		err = errors.Join(err, t.prog.Close())
	}
	if t.memory != nil {
		err = errors.Join(err, syscall.Munmap(t.memory))
		t.memory = nil
	}
	if t.slots != nil {
		err = errors.Join(err, t.slots.Close())
	}
	return err
}

// Interfaces gives how many interfaces the program is on.
func (t *Table) Interfaces() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.links)
}
