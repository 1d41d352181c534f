package datagram

import (
	"encoding/binary"
	"net/netip"
	"os"
	"strconv"
	"syscall"
	"unsafe"
)

// address is a sockaddr_in6, or a sockaddr_in in its first bytes.
type address = syscall.RawSockaddrInet6

// reading is the state of the one read; the function is made once, so that a read allocates nothing.
type reading struct {
	do   func(fd uintptr) bool
	b    []byte
	from address
	size uint32
	n    uintptr
	err  syscall.Errno
}

// writing is the same of the write that has its turn.
type writing struct {
	do   func(fd uintptr) bool
	b    []byte
	to   address
	size uintptr
	n    uintptr
	err  syscall.Errno
}

func (s *Socket) prepare() {
	raw, err := s.conn.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) {
		switch a, err := syscall.Getsockname(int(fd)); a.(type) {
		case *syscall.SockaddrInet4:
			s.four = err == nil
			s.raw = raw
		case *syscall.SockaddrInet6:
			s.raw = raw
		}
	})
	s.in.do, s.out.do = s.in.once, s.out.once
}

// once is one try; false: nothing is there yet.
func (r *reading) once(fd uintptr) bool {
	for {
		r.size = syscall.SizeofSockaddrInet6
		r.n, _, r.err = syscall.RawSyscall6(syscall.SYS_RECVFROM, fd, uintptr(unsafe.Pointer(unsafe.SliceData(r.b))), uintptr(len(r.b)), //nolint:gosec // a system call takes pointers
			syscall.MSG_DONTWAIT, uintptr(unsafe.Pointer(&r.from)), uintptr(unsafe.Pointer(&r.size))) //nolint:gosec // likewise
		if r.err != syscall.EINTR {
			return r.err != syscall.EAGAIN
		}
	}
}

func (s *Socket) read(b []byte) (int, netip.AddrPort, error) {
	s.in.b = b
	if err := s.raw.Read(s.in.do); err != nil {
		return 0, netip.AddrPort{}, err
	}
	if s.in.err != 0 {
		return 0, netip.AddrPort{}, os.NewSyscallError("recvfrom", s.in.err)
	}
	return int(s.in.n), addrPort(&s.in.from), nil
}

func (w *writing) once(fd uintptr) bool {
	for {
		w.n, _, w.err = syscall.RawSyscall6(syscall.SYS_SENDTO, fd, uintptr(unsafe.Pointer(unsafe.SliceData(w.b))), uintptr(len(w.b)), //nolint:gosec // a system call takes pointers
			syscall.MSG_DONTWAIT, uintptr(unsafe.Pointer(&w.to)), w.size) //nolint:gosec // likewise
		if w.err != syscall.EINTR {
			return w.err != syscall.EAGAIN
		}
	}
}

func (s *Socket) send(b []byte, to netip.AddrPort) (int, error) {
	s.write.Lock()
	defer s.write.Unlock()
	w := &s.out
	w.b, w.size = b, put(&w.to, to, s.four)
	err := s.raw.Write(w.do)
	w.b = nil
	if err != nil {
		return 0, err
	}
	if w.err != 0 {
		return 0, os.NewSyscallError("sendto", w.err)
	}
	return int(w.n), nil
}

// put writes an address as a socket of its family wants it, and gives its size. On an IPv6 socket IPv4 addresses are
// mapped ones (RFC 4291 §2.5.5.2).
func put(a *address, to netip.AddrPort, four bool) uintptr {
	if four {
		v4 := (*syscall.RawSockaddrInet4)(unsafe.Pointer(a)) //nolint:gosec // the smaller of the two
		*v4 = syscall.RawSockaddrInet4{Family: syscall.AF_INET, Port: swap(to.Port()), Addr: to.Addr().As4()}
		return syscall.SizeofSockaddrInet4
	}
	*a = address{Family: syscall.AF_INET6, Port: swap(to.Port()), Addr: to.Addr().As16()}
	return syscall.SizeofSockaddrInet6
}

func addrPort(a *address) netip.AddrPort {
	if a.Family == syscall.AF_INET {
		v4 := (*syscall.RawSockaddrInet4)(unsafe.Pointer(a)) //nolint:gosec // the smaller of the two
		return netip.AddrPortFrom(netip.AddrFrom4(v4.Addr), swap(v4.Port))
	}
	ip := netip.AddrFrom16(a.Addr).Unmap()
	if a.Scope_id != 0 { // a link-local peer
		ip = ip.WithZone(strconv.FormatUint(uint64(a.Scope_id), 10))
	}
	return netip.AddrPortFrom(ip, swap(a.Port))
}

// swap turns a port from the network's order into ours, or back.
func swap(port uint16) uint16 {
	var b [2]byte
	binary.NativeEndian.PutUint16(b[:], port)
	return binary.BigEndian.Uint16(b[:])
}
