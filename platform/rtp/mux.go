package rtp

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/pion/dtls/v3/pkg/crypto/selfsign"
	"github.com/pion/ice/v4"
	"github.com/pion/logging"

	"github.com/kapok-hotline/kapok/platform/datagram"
)

// mux is the one UDP socket of all browser legs. SRTP and SRTCP of legs that are up (first byte 128–191, RFC 7983)
// are taken inline on the reading goroutine; STUN and DTLS go on to pion. It is a net.PacketConn with pion's
// allocation-free address methods.
type mux struct {
	conn        *datagram.Socket
	local       *net.UDPAddr // what pion takes the socket's address to be: never 0.0.0.0
	now         func() time.Time
	ice         *ice.UDPMuxDefault
	cert        tls.Certificate
	fingerprint string
	logs        logging.LoggerFactory

	mu   sync.RWMutex
	legs map[netip.AddrPort]*Web
}

// newMux opens the socket and makes the process's certificate.
func newMux(cfg Config) (*mux, error) {
	network := "udp4"
	if cfg.Bind.Is6() {
		network = "udp"
	}
	c, err := net.ListenUDP(network, net.UDPAddrFromAddrPort(netip.AddrPortFrom(cfg.Bind, cfg.WebPort)))
	if err != nil {
		return nil, fmt.Errorf("rtp: browser media port: %w", err)
	}
	_ = c.SetReadBuffer(cfg.WebBuffer)
	_ = c.SetWriteBuffer(cfg.WebBuffer)
	expedite(c)
	m := &mux{conn: datagram.New(c), now: cfg.Now, legs: map[netip.AddrPort]*Web{}, logs: quietLogs{cfg.Log}}
	addr := cfg.Bind
	if addr.IsUnspecified() {
		addr = cfg.Public
	}
	m.local = net.UDPAddrFromAddrPort(netip.AddrPortFrom(addr, portOf(c)))
	if m.cert, err = selfsign.GenerateSelfSigned(); err != nil {
		_ = c.Close()
		return nil, fmt.Errorf("rtp: certificate: %w", err)
	}
	sum := sha256.Sum256(m.cert.Certificate[0])
	m.fingerprint = "sha-256 " + colons(sum[:])
	m.ice = ice.NewUDPMuxDefault(ice.UDPMuxParams{UDPConn: m, Logger: m.logs.NewLogger("ice")})
	return m, nil
}

// colons writes a hash as SDP does.
func colons(sum []byte) string {
	return strings.ReplaceAll(fmt.Sprintf("% X", sum), " ", ":")
}

func (m *mux) close() error { return m.ice.Close() }

// own turns packets from an address to a leg; the address it had before is given up.
func (m *mux) own(l *Web, old, addr netip.AddrPort) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.legs[old] == l {
		delete(m.legs, old)
	}
	if addr.IsValid() {
		m.legs[addr] = l
	}
}

func (m *mux) find(addr netip.AddrPort) *Web {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.legs[addr]
}

// ReadFromAddrPort gives pion the next packet that is not media. A socket error other than the end is no reason
// to stop: pion would close the socket for all legs.
func (m *mux) ReadFromAddrPort(b []byte) (int, netip.AddrPort, error) {
	for {
		n, from, err := m.conn.ReadFromAddrPort(b)
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return 0, netip.AddrPort{}, err
			}
			time.Sleep(10 * time.Millisecond)
			continue
		}
		if n > 0 && b[0] >= 128 && b[0] <= 191 {
			if l := m.find(from); l != nil && n <= maxPacket {
				l.arrive(b[:n], m.now())
			}
			continue
		}
		return n, from, nil
	}
}

// WriteToAddrPort sends for pion.
func (m *mux) WriteToAddrPort(b []byte, addr netip.AddrPort) (int, error) {
	return m.conn.WriteToAddrPort(b, addr)
}

// ReadFrom is ReadFromAddrPort with the address as pion's older paths want it.
func (m *mux) ReadFrom(b []byte) (int, net.Addr, error) {
	n, from, err := m.ReadFromAddrPort(b)
	if err != nil {
		return 0, nil, err
	}
	return n, net.UDPAddrFromAddrPort(from), nil
}

// WriteTo sends for pion's older paths.
func (m *mux) WriteTo(b []byte, addr net.Addr) (int, error) { return m.conn.Conn().WriteTo(b, addr) }

// Close ends the socket.
func (m *mux) Close() error { return m.conn.Close() }

// LocalAddr gives the address that pion shall see.
func (m *mux) LocalAddr() net.Addr { return m.local }

// SetDeadline and its kin pass pion's deadlines on.
func (m *mux) SetDeadline(t time.Time) error { return m.conn.Conn().SetDeadline(t) }

// SetReadDeadline is part of net.PacketConn.
func (m *mux) SetReadDeadline(t time.Time) error { return m.conn.Conn().SetReadDeadline(t) }

// SetWriteDeadline is part of net.PacketConn.
func (m *mux) SetWriteDeadline(t time.Time) error { return m.conn.Conn().SetWriteDeadline(t) }

// quietLogs passes pion's logs on at debug level: what matters reaches the leg's events.
type quietLogs struct{ log *slog.Logger }

// NewLogger is part of logging.LoggerFactory.
func (q quietLogs) NewLogger(scope string) logging.LeveledLogger {
	return quietLog{q.log.With("scope", scope)}
}

type quietLog struct{ log *slog.Logger }

func (q quietLog) put(format string, args ...any) {
	if q.log.Enabled(context.Background(), slog.LevelDebug) {
		q.log.Debug(fmt.Sprintf(format, args...))
	}
}

// Trace and the other methods are those of logging.LeveledLogger.
func (q quietLog) Trace(string) {}

// Tracef drops: pion traces every packet.
func (q quietLog) Tracef(string, ...any) {}

// Debug drops too.
func (q quietLog) Debug(string) {}

// Debugf drops too.
func (q quietLog) Debugf(string, ...any) {}

// Info passes on at debug level.
func (q quietLog) Info(msg string) { q.put("%s", msg) }

// Infof passes on at debug level.
func (q quietLog) Infof(format string, args ...any) { q.put(format, args...) }

// Warn passes on at debug level.
func (q quietLog) Warn(msg string) { q.put("%s", msg) }

// Warnf passes on at debug level.
func (q quietLog) Warnf(format string, args ...any) { q.put(format, args...) }

// Error passes on at debug level.
func (q quietLog) Error(msg string) { q.put("%s", msg) }

// Errorf passes on at debug level.
func (q quietLog) Errorf(format string, args ...any) { q.put(format, args...) }
