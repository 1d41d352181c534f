// Package datagram is a UDP socket for a process that moves many small packets and sleeps between them.
//
// Go announces each system call to the runtime, so that another thread can take over should it block. When the
// process was idle, that announcement wakes the runtime's watchman (sysmon), and a moment later he lies down again:
// four thread switches for a packet, 15 % of what a bridged browser call costs and 6 % of a queue call. Reading and
// writing a socket that does not block needs no watchman; here they are not announced.
package datagram

import (
	"net"
	"net/netip"
	"sync"
	"syscall"
)

// Socket is a UDP socket. One goroutine may read from it; any number may write and close.
type Socket struct {
	conn  *net.UDPConn
	raw   syscall.RawConn // nil: not on Linux, all goes by conn
	four  bool            // the socket is IPv4, not both
	in    reading
	write sync.Mutex
	out   writing
}

// New takes over a bound socket.
func New(c *net.UDPConn) *Socket {
	s := &Socket{conn: c}
	s.prepare()
	return s
}

// Conn gives the socket itself: for its options and deadlines.
func (s *Socket) Conn() *net.UDPConn { return s.conn }

// LocalAddr gives the address the socket is bound to.
func (s *Socket) LocalAddr() net.Addr { return s.conn.LocalAddr() }

// Close ends the reading and frees the port.
func (s *Socket) Close() error { return s.conn.Close() }

// ReadFromAddrPort waits for a datagram; what is longer than b is cut. An IPv4 address is given as such on every
// socket. net.ErrClosed when the socket is closed.
func (s *Socket) ReadFromAddrPort(b []byte) (int, netip.AddrPort, error) {
	if s.raw != nil {
		return s.read(b)
	}
	n, from, err := s.conn.ReadFromUDPAddrPort(b)
	return n, netip.AddrPortFrom(from.Addr().Unmap(), from.Port()), err
}

// WriteToAddrPort sends a datagram.
func (s *Socket) WriteToAddrPort(b []byte, to netip.AddrPort) (int, error) {
	if ip := to.Addr(); s.raw != nil && ip.IsValid() && ip.Zone() == "" && (!s.four || ip.Is4()) {
		return s.send(b, to)
	}
	return s.conn.WriteToUDPAddrPort(b, to)
}
