package sip

import (
	"errors"
	"net"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kapok-hotline/kapok/platform/datagram"
	"github.com/kapok-hotline/kapok/platform/sip/wire"
)

// ErrFlowClosed says that the connection a message should have taken is gone.
var ErrFlowClosed = errors.New("sip: the connection to the peer is closed")

// Flow is the way to one peer: a transport and its address (RFC 5626 §3). Requests to phones behind NAT and to
// browsers go to the flow they registered on, never to their Contact. Flows are compared by Key.
type Flow struct {
	// Transport is udp, tcp, tls, ws or wss.
	Transport string
	Remote    netip.AddrPort
	local     netip.AddrPort

	udp    *datagram.Socket // of a UDP flow
	stream sender           // of the others

	mu       sync.Mutex
	watchers map[int]func() // told when the flow closes
	nextID   int
	closed   atomic.Bool
	pinned   atomic.Int32 // registrations that live on it
}

// sender writes one whole message and can be closed.
type sender interface {
	send(b []byte) error
	close()
}

// Key names the flow among all: two messages with the same key came the same way.
func (f *Flow) Key() string { return f.Transport + "|" + f.Remote.String() }

// Alive says whether a message can still be written. A UDP flow has no end.
func (f *Flow) Alive() bool { return !f.closed.Load() }

// Reliable says whether the transport itself repeats and orders (RFC 3261 §17).
func (f *Flow) Reliable() bool { return f.udp == nil }

func (f *Flow) write(b []byte) error {
	if f.closed.Load() {
		return ErrFlowClosed
	}
	if f.udp != nil {
		_, err := f.udp.WriteToAddrPort(b, f.Remote)
		return err
	}
	return f.stream.send(b)
}

// Close ends a connection; on UDP it does nothing.
func (f *Flow) Close() {
	if f.stream != nil {
		f.stream.close()
	}
}

// dead marks the flow closed and tells the watchers, once.
func (f *Flow) dead() {
	if f.closed.Swap(true) {
		return
	}
	f.mu.Lock()
	w := f.watchers
	f.watchers = nil
	f.mu.Unlock()
	for _, fn := range w {
		fn()
	}
}

// watch calls fn when the flow closes (at once if it has). The returned function ends the watch.
func (f *Flow) watch(fn func()) (stop func()) {
	if f.udp != nil {
		return func() {}
	}
	f.mu.Lock()
	if f.closed.Load() {
		f.mu.Unlock()
		fn()
		return func() {}
	}
	if f.watchers == nil {
		f.watchers = map[int]func(){}
	}
	f.nextID++
	id := f.nextID
	f.watchers[id] = fn
	f.mu.Unlock()
	return func() {
		f.mu.Lock()
		delete(f.watchers, id)
		f.mu.Unlock()
	}
}

// via gives the transport token of a Via line.
func (f *Flow) via() string { return strings.ToUpper(f.Transport) }

// packetPipe is one listening UDP socket.
type packetPipe struct {
	conn  *datagram.Socket
	local netip.AddrPort
}

const udpBuffer = 8 << 20 // bytes: a burst of some thousand messages while the process is not scheduled

// readLoop hands every datagram to the server in arrival order. The slice given on is its own copy.
func (p *packetPipe) readLoop(s *Server) {
	buf := make([]byte, wire.MaxMessage+1)
	for {
		n, from, err := p.conn.ReadFromAddrPort(buf)
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return
			}
			s.log.Warn("sip: UDP read", "err", err)
			s.pause(10 * time.Millisecond)
			continue
		}
		s.datagram(p, from, buf[:n])
	}
}
