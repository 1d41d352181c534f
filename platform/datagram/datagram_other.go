//go:build !linux

package datagram

import (
	"errors"
	"net/netip"
)

type (
	reading struct{}
	writing struct{}
)

func (*Socket) prepare() {}

func (*Socket) read([]byte) (int, netip.AddrPort, error) {
	return 0, netip.AddrPort{}, errors.ErrUnsupported
}

func (*Socket) send([]byte, netip.AddrPort) (int, error) { return 0, errors.ErrUnsupported }
