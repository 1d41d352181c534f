package rtp

import (
	"net/netip"
	"time"
)

const (
	latchWindow  = 5 * time.Second // after an answer the peer may still move: early media, another device of the same user
	latchSilence = 3 * time.Second // a NAT that forgot its mapping: the same host comes from a new port
)

// latch decides whose packets are the peer's, and so where ours go (symmetric RTP, RFC 4961). The first valid
// packet wins; afterwards the source changes only to the signalled address, within a window after an answer, or
// to another port of the same host when the old one is silent. Everything else is not listened to (RTP bleed).
type latch struct {
	signalled netip.AddrPort
	strict    bool // only the signalled host is ever accepted
	opened    time.Time
	current   netip.AddrPort
	last      time.Time // of the last accepted packet
}

// open begins a new window with a newly signalled address.
func (l *latch) open(signalled netip.AddrPort, at time.Time) {
	l.signalled, l.opened = signalled, at
}

// accept says whether a valid packet from the address at that time is the peer's.
func (l *latch) accept(from netip.AddrPort, at time.Time) bool {
	if from != l.current && !l.may(from, at) {
		return false
	}
	l.current, l.last = from, at
	return true
}

func (l *latch) may(from netip.AddrPort, at time.Time) bool {
	switch {
	case from == l.signalled:
		return true
	case l.strict && from.Addr() != l.signalled.Addr():
		return false
	case !l.current.IsValid():
		return true
	case l.current == l.signalled && at.Sub(l.last) < latchSilence:
		return false // the one that was announced is speaking: nobody talks over it
	case at.Sub(l.opened) < latchWindow:
		return true
	}
	return from.Addr() == l.current.Addr() && at.Sub(l.last) >= latchSilence
}

// target gives where to send: the latched address, before that the signalled one.
func (l *latch) target() netip.AddrPort {
	if l.current.IsValid() {
		return l.current
	}
	if l.signalled.Addr().IsValid() && l.signalled.Port() != 0 {
		return l.signalled
	}
	return netip.AddrPort{}
}
