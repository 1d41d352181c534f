package rtp

import (
	"errors"
	"net"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/kapok-hotline/kapok/platform/datagram"
)

// portPair is an even RTP port and the odd RTCP port after it (RFC 3550 §11), with the two goroutines that read them. It
// outlives its leg: opening, closing and beginning to read two sockets is a tenth of what a whole call costs, so a
// freed pair stays open while it rests and serves the next leg. What comes meanwhile is heard and dropped, so that
// ports knows whether somebody still talks to it.
type portPair struct {
	rtp, rtcp *datagram.Socket
	port      uint16
	leg       atomic.Pointer[Plain] // whose packets they are; nil while it rests
	heard     atomic.Int64          // when something last came while it rested, unix-ns
}

// begin starts the readers; they end with the sockets.
func (p *portPair) begin(now func() time.Time) {
	go p.read(p.rtp, make([]byte, maxPacket), now, (*Plain).arrive)
	go p.read(p.rtcp, make([]byte, maxReport), now, (*Plain).arriveReport)
}

func (p *portPair) read(c *datagram.Socket, buf []byte, now func() time.Time, take func(l *Plain, b []byte, from netip.AddrPort, at time.Time)) {
	for {
		n, from, err := c.ReadFromAddrPort(buf)
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return
			}
			time.Sleep(10 * time.Millisecond) // never a busy loop on a socket that fails
			continue
		}
		at := now()
		if l := p.leg.Load(); l != nil {
			take(l, buf[:n], from, at)
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
