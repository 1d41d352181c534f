package sip

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/kapok-hotline/kapok/platform/sip/wire"
)

// writeTimeout bounds a write to a peer that no longer reads.
const writeTimeout = 5 * time.Second

// firstMessage is how long a new connection may say nothing.
const firstMessage = 30 * time.Second

// streamPipe is one TCP or TLS connection with SIP framing (RFC 3261 §18.3).
type streamPipe struct {
	conn net.Conn
	srv  *Server
	mu   sync.Mutex
}

func (p *streamPipe) send(b []byte) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	_ = p.conn.SetWriteDeadline(p.srv.cfg.Now().Add(writeTimeout))
	if _, err := p.conn.Write(b); err != nil {
		_ = p.conn.Close() // half a message may be out: the stream has lost its framing
		return err
	}
	return nil
}

func (p *streamPipe) close() { _ = p.conn.Close() }

// accept serves a listener until it closes.
func (s *Server) accept(l net.Listener, transport string) {
	for {
		c, err := l.Accept()
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return
			}
			s.log.Warn("sip: accept", "transport", transport, "err", err)
			s.pause(20 * time.Millisecond)
			continue
		}
		if s.connections.Add(1) > maxConnections {
			s.connections.Add(-1)
			_ = c.Close()
			continue
		}
		s.spawn(func() {
			defer s.connections.Add(-1)
			s.serveConn(c, transport)
		})
	}
}

// serveConn runs one accepted connection; a TLS handshake happens here, where it holds up nobody else.
func (s *Server) serveConn(c net.Conn, transport string) {
	if t, ok := c.(*tls.Conn); ok {
		_ = t.SetDeadline(s.cfg.Now().Add(10 * time.Second))
		if err := t.Handshake(); err != nil {
			_ = c.Close()
			return
		}
		_ = t.SetDeadline(time.Time{})
	}
	f := s.newStreamFlow(c, transport)
	if f == nil {
		return
	}
	s.readStream(f, c)
}

// newStreamFlow enters the connection into the table of live flows; nil when the server is closing.
func (s *Server) newStreamFlow(c net.Conn, transport string) *Flow {
	f := &Flow{
		Transport: transport, Remote: addrPort(c.RemoteAddr()), local: addrPort(c.LocalAddr()),
		stream: &streamPipe{conn: c, srv: s},
	}
	if !s.flows.add(f) {
		_ = c.Close()
		return nil
	}
	return f
}

// readStream reads messages until the connection ends or loses its framing.
func (s *Server) readStream(f *Flow, c net.Conn) {
	defer s.endFlow(f)
	r := bufio.NewReaderSize(c, 4096)
	patience := firstMessage
	for {
		_ = c.SetReadDeadline(s.cfg.Now().Add(patience))
		raw, err := readMessage(r)
		var t net.Error
		switch {
		case errors.As(err, &t) && t.Timeout() && f.pinned.Load() > 0 && r.Buffered() == 0:
			continue // idle, but a registration lives here
		case errors.Is(err, errKeepAlive):
			if f.write([]byte("\r\n")) != nil { // pong, RFC 5626 §3.5.1
				return
			}
		case err != nil:
			if !errors.Is(err, io.EOF) && !errors.Is(err, net.ErrClosed) {
				s.log.Debug("sip: connection ended", "peer", f.Key(), "err", err)
			}
			return
		default:
			patience = s.cfg.IdleTCP
			s.arrived(f, raw)
		}
	}
}

// endFlow takes a dead connection out of the table and tells everybody who waits on it.
func (s *Server) endFlow(f *Flow) {
	f.Close()
	s.flows.remove(f)
	f.dead()
	s.registrar.flowClosed(f)
}

// errKeepAlive is a double CRLF between messages.
var errKeepAlive = errors.New("sip: keep-alive")

// readMessage cuts one message off a stream: header section, then Content-Length bytes. A message without
// Content-Length has no body here (RFC 3261 §20.14). Bare CRLFs before it are skipped, a double one is a ping.
func readMessage(r *bufio.Reader) ([]byte, error) {
	var msg bytes.Buffer
	blank, length := 0, 0
	for {
		line, err := r.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			msg.Write(line)
			if msg.Len() > wire.MaxMessage {
				return nil, wire.ErrTooLarge
			}
			continue
		}
		if err != nil {
			return nil, err
		}
		empty := len(bytes.TrimRight(line, "\r\n")) == 0
		if msg.Len() == 0 && empty {
			if blank++; blank == 2 {
				return nil, errKeepAlive
			}
			continue
		}
		msg.Write(line)
		if msg.Len() > wire.MaxMessage {
			return nil, wire.ErrTooLarge
		}
		if empty {
			break
		}
		if n, ok := contentLength(line); ok {
			if n < 0 {
				return nil, wire.ErrBadLength
			}
			length = n
		}
	}
	if msg.Len()+length > wire.MaxMessage {
		return nil, wire.ErrTooLarge
	}
	if _, err := io.CopyN(&msg, r, int64(length)); err != nil {
		return nil, err
	}
	return msg.Bytes(), nil
}

// contentLength reads the header line if it is the Content-Length; -1 for nonsense.
func contentLength(line []byte) (int, bool) {
	name, value, ok := strings.Cut(string(line[:min(len(line), 64)]), ":")
	if !ok {
		return 0, false
	}
	name = strings.TrimRight(name, " \t")
	if !strings.EqualFold(name, "content-length") && !strings.EqualFold(name, "l") {
		return 0, false
	}
	n, err := strconv.ParseUint(strings.TrimSpace(value), 10, 31)
	if err != nil {
		return -1, true
	}
	return int(n), true
}

func addrPort(a net.Addr) netip.AddrPort {
	switch a := a.(type) {
	case *net.TCPAddr:
		ap := a.AddrPort()
		return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
	case *net.UDPAddr:
		ap := a.AddrPort()
		return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
	}
	if a == nil {
		return netip.AddrPort{}
	}
	ap, _ := netip.ParseAddrPort(a.String())
	return ap
}

// flowTable holds the live connections by key, so that requests find the way back and connections are reused.
type flowTable struct {
	mu     sync.Mutex
	byKey  map[string]*Flow
	closed bool
}

func (t *flowTable) add(f *Flow) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return false
	}
	t.byKey[f.Key()] = f
	return true
}

func (t *flowTable) remove(f *Flow) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.byKey[f.Key()] == f {
		delete(t.byKey, f.Key())
	}
}

func (t *flowTable) get(key string) *Flow {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.byKey[key]
}

// shut closes all and refuses new ones.
func (t *flowTable) shut() {
	t.mu.Lock()
	t.closed = true
	all := make([]*Flow, 0, len(t.byKey))
	for _, f := range t.byKey {
		all = append(all, f)
	}
	t.mu.Unlock()
	for _, f := range all {
		f.Close()
	}
}
