package rtp

import (
	"errors"
	"net"
	"net/netip"
	"sync/atomic"
	"time"
)

// portPair is an even RTP port and the odd RTCP port after it (RFC 3550 §11), with the two goroutines that read them. It
// outlives its leg: opening, closing and beginning to read two sockets is a tenth of what a whole call costs, so a
// freed pair stays open while it rests and serves the next leg. What comes meanwhile is heard and dropped, so that
// ports knows whether somebody still talks to it.
type portPair struct {
	rtp, rtcp *net.UDPConn
	port      uint16
	leg       atomic.Pointer[Plain] // whose packets they are; nil while it rests
	heard     atomic.Int64          // when something last came while it rested, unix-ns
}

// begin starts the readers; they end with the sockets.
func (p *portPair) begin(now func() time.Time) {
	go p.read(p.rtp, make([]byte, maxPacket), now, (*Plain).arrive)
	go p.read(p.rtcp, make([]byte, maxReport), now, (*Plain).arriveReport)
}

func (p *portPair) read(c *net.UDPConn, buf []byte, now func() time.Time, take func(l *Plain, b []byte, from netip.AddrPort, at time.Time)) {
	for {
		n, from, err := c.ReadFromUDPAddrPort(buf)
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return
			}
			time.Sleep(10 * time.Millisecond) // never a busy loop on a socket that fails
			continue
		}
		at := now()
		if l := p.leg.Load(); l != nil {
			take(l, buf[:n], netip.AddrPortFrom(from.Addr().Unmap(), from.Port()), at)
		} else {
			p.heard.Store(at.UnixNano())
		}
	}
}

// silent says whether nobody has spoken to the resting pair for a time.
func (p *portPair) silent(now time.Time, span time.Duration) bool {
	return now.UnixNano()-p.heard.Load() >= int64(span)
}

// close ends the sockets and with them the readers.
func (p *portPair) close() { _, _ = p.rtp.Close(), p.rtcp.Close() }
