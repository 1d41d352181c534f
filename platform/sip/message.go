package sip

import (
	"crypto/rand"
	"math/big"
	"net/netip"
	"time"

	"github.com/kapok-hotline/kapok/platform/sip/wire"
)

// message is one message from outside: what it says, the way it came and when.
type message struct {
	*wire.Message
	raw  []byte
	flow *Flow
	at   time.Time
}

// newMessage reads the routing fields. The message is returned with whatever could be read, so that a
// malformed request can be answered.
func newMessage(h *wire.Head, raw []byte, f *Flow, at time.Time) (*message, error) {
	p, err := wire.Read(h)
	return &message{Message: p, raw: raw, flow: f, at: at}, err
}

// response writes the reply to m, as it is sent back to where m came from.
func (m *message) response(r wire.Reply) []byte { return m.Answer(r, m.flow.Remote) }

// replyFlow is where responses go (RFC 3261 §18.2.2, RFC 3581): back on the connection; on UDP to the source, or
// to the port of the Via when rport was not asked and the Via names the true address.
func (m *message) replyFlow() *Flow {
	f := m.flow
	if f.udp == nil || m.Via.RPort {
		return f
	}
	port := m.Via.Port
	if port == 0 {
		port = 5060
	}
	a, err := netip.ParseAddr(m.Via.Host)
	if err != nil || a.Unmap() != f.Remote.Addr() || port == int(f.Remote.Port()) {
		return f
	}
	return &Flow{Transport: f.Transport, Remote: netip.AddrPortFrom(f.Remote.Addr(), uint16(port)), local: f.local, udp: f.udp}
}

// between draws evenly from [lo, hi).
func between(lo, hi time.Duration) time.Duration {
	if hi <= lo {
		return lo
	}
	n, _ := rand.Int(rand.Reader, big.NewInt(int64(hi-lo)))
	return lo + time.Duration(n.Int64())
}
