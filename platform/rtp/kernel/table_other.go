//go:build !linux

package kernel

import (
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"time"
)

// ErrNoWay means that an address cannot be reached by a plain route.
var ErrNoWay = errors.New("kernel: no plain route")

// Config says which ports the kernel may relay.
type Config struct {
	First, Last uint16
	Log         *slog.Logger
}

// Way is how packets get to an address.
type Way struct {
	Out  int
	From netip.Addr
}

// Table is not there on this system.
type Table struct{}

// Open gives ErrUnsupported.
func Open(Config) (*Table, error) { return nil, ErrUnsupported }

// Turn is 0.
func (*Table) Turn() uint32 { return 0 }

// Slot is nil.
func (*Table) Slot(uint16) *Slot { return nil }

// Now is 0.
func (*Table) Now() time.Duration { return 0 }

// Way gives ErrNoWay.
func (*Table) Way(netip.Addr) (Way, error) { return Way{}, ErrNoWay }

// Close does nothing.
func (*Table) Close() error { return nil }

// Pending is true.
func Pending(*net.UDPConn) bool { return true }

// Interfaces is 0.
func (*Table) Interfaces() int { return 0 }
