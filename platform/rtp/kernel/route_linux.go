package kernel

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"time"
	"unsafe"
)

// Way is how packets get to an address.
type Way struct {
	Out  int        // the interface; 0: the address is this machine's own
	From netip.Addr // the address of ours that the system takes as sender
}

// ErrNoWay means that an address cannot be reached by a plain route: none, a broadcast, not IPv4.
var ErrNoWay = errors.New("kernel: no plain route")

// Groups of the kernel's news (RTMGRP_LINK, RTMGRP_IPV4_IFADDR and RTMGRP_IPV4_ROUTE of linux/rtnetlink.h).
const groups = 0x1 | 0x10 | 0x40

// restAfterNews gathers changes that come in a row.
const restAfterNews = 200 * time.Millisecond

// routes asks the kernel for ways, and hears when they change.
type routes struct {
	mu    sync.Mutex
	fd    int
	seq   uint32
	buf   [8192]byte
	known map[netip.Addr]known
	turn  uint32 // of what is known

	news *os.File
	done chan struct{}
}

// known is an answer.
type known struct {
	Way
	err error
}

// mostWays is how many answers are kept at most.
const mostWays = 4096

// newRoutes opens both conversations with the kernel; moved is called, on a goroutine of its own, after changes.
func newRoutes(moved func()) (*routes, error) {
	fd, err := netlink(0, 0)
	if err != nil {
		return nil, err
	}
	heard, err := netlink(groups, syscall.SOCK_NONBLOCK)
	if err != nil {
		return nil, errors.Join(err, syscall.Close(fd))
	}
	r := &routes{fd: fd, known: map[netip.Addr]known{}, news: os.NewFile(uintptr(heard), "netlink"), done: make(chan struct{})}
	go r.listen(moved)
	return r, nil
}

func netlink(groups uint32, flags int) (int, error) {
	fd, err := syscall.Socket(syscall.AF_NETLINK, syscall.SOCK_RAW|syscall.SOCK_CLOEXEC|flags, syscall.NETLINK_ROUTE)
	if err != nil {
		return 0, fmt.Errorf("kernel: routes: %w", err)
	}
	if err := syscall.Bind(fd, &syscall.SockaddrNetlink{Family: syscall.AF_NETLINK, Groups: groups}); err != nil {
		return 0, errors.Join(fmt.Errorf("kernel: routes: %w", err), syscall.Close(fd))
	}
	return fd, nil
}

// listen waits for news until the socket is closed. News that were too many and got lost are news too.
func (r *routes) listen(moved func()) {
	defer close(r.done)
	buf := make([]byte, 1<<16)
	for {
		if _, err := r.news.Read(buf); err != nil && !errors.Is(err, syscall.ENOBUFS) {
			return
		}
		time.Sleep(restAfterNews)
		_ = r.news.SetReadDeadline(time.Unix(1, 0)) // only what has come already
		for {
			if _, err := r.news.Read(buf); err != nil && !errors.Is(err, syscall.ENOBUFS) {
				if !errors.Is(err, os.ErrDeadlineExceeded) {
					return
				}
				break
			}
		}
		_ = r.news.SetReadDeadline(time.Time{})
		moved()
	}
}

// close ends both conversations.
func (r *routes) close() error {
	err := r.news.Close()
	<-r.done
	r.mu.Lock()
	defer r.mu.Unlock()
	return errors.Join(err, syscall.Close(r.fd))
}

// Way gives the route to an address, as a media socket's packets take it. The system is asked once for each address
// until something changes.
func (t *Table) Way(to netip.Addr) (Way, error) {
	if !to.Is4() {
		return Way{}, ErrNoWay
	}
	return t.routes.way(to, t.Turn())
}

// way gives what is known since a turn, and else asks.
func (r *routes) way(to netip.Addr, turn uint32) (Way, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.turn != turn || len(r.known) >= mostWays {
		clear(r.known)
		r.turn = turn
	}
	if k, ok := r.known[to]; ok {
		return k.Way, k.err
	}
	w, err := r.ask(to)
	if err == nil || errors.Is(err, ErrNoWay) {
		r.known[to] = known{w, err}
	}
	return w, err
}

// ask sends RTM_GETROUTE and reads the answer (rtnetlink(7)), which is there when the question has been sent. The calls
// are not announced to the runtime: under pressure it would have others run meanwhile, all of whom want the lock.
func (r *routes) ask(to netip.Addr) (Way, error) {
	r.seq++
	a := to.As4()
	var b [syscall.NLMSG_HDRLEN + syscall.SizeofRtMsg + 8]byte
	binary.NativeEndian.PutUint32(b[0:], uint32(len(b)))
	binary.NativeEndian.PutUint16(b[4:], syscall.RTM_GETROUTE)
	binary.NativeEndian.PutUint16(b[6:], syscall.NLM_F_REQUEST)
	binary.NativeEndian.PutUint32(b[8:], r.seq)
	m := b[syscall.NLMSG_HDRLEN:]
	m[0], m[1], m[3] = syscall.AF_INET, 32, dscpEF&0x1e // family, length of the destination, its type of service
	m = m[syscall.SizeofRtMsg:]
	binary.NativeEndian.PutUint16(m[0:], 8)
	binary.NativeEndian.PutUint16(m[2:], syscall.RTA_DST)
	copy(m[4:], a[:])
	system := syscall.RawSockaddrNetlink{Family: syscall.AF_NETLINK}
	if _, _, e := syscall.RawSyscall6(syscall.SYS_SENDTO, uintptr(r.fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)), 0, //nolint:gosec // a system call takes pointers
		uintptr(unsafe.Pointer(&system)), unsafe.Sizeof(system)); e != 0 { //nolint:gosec // likewise
		return Way{}, fmt.Errorf("kernel: route to %s: %w", to, e)
	}
	for {
		n, _, e := syscall.RawSyscall6(syscall.SYS_RECVFROM, uintptr(r.fd), uintptr(unsafe.Pointer(&r.buf[0])), uintptr(len(r.buf)), //nolint:gosec // likewise
			syscall.MSG_DONTWAIT, 0, 0)
		if e != 0 {
			return Way{}, fmt.Errorf("kernel: route to %s: %w", to, e)
		}
		list, err := syscall.ParseNetlinkMessage(r.buf[:n])
		if err != nil {
			return Way{}, fmt.Errorf("kernel: route to %s: %w", to, err)
		}
		for i := range list {
			if list[i].Header.Seq == r.seq {
				return readWay(&list[i])
			}
		}
	}
}

// readWay reads one answer.
func readWay(m *syscall.NetlinkMessage) (w Way, err error) {
	if m.Header.Type != syscall.RTM_NEWROUTE || len(m.Data) < syscall.SizeofRtMsg {
		return w, ErrNoWay
	}
	kind := m.Data[7] // rtm_type
	if kind != syscall.RTN_UNICAST && kind != syscall.RTN_LOCAL {
		return w, ErrNoWay
	}
	list, err := syscall.ParseNetlinkRouteAttr(m)
	if err != nil {
		return w, fmt.Errorf("kernel: route: %w", err)
	}
	for _, a := range list {
		switch {
		case a.Attr.Type == syscall.RTA_OIF && len(a.Value) == 4:
			w.Out = int(binary.NativeEndian.Uint32(a.Value))
		case a.Attr.Type == syscall.RTA_PREFSRC && len(a.Value) == 4:
			w.From = netip.AddrFrom4([4]byte(a.Value))
		}
	}
	if w.Out == loopback || kind == syscall.RTN_LOCAL {
		w.Out = 0
	}
	if !w.From.IsValid() {
		return w, ErrNoWay
	}
	return w, nil
}
