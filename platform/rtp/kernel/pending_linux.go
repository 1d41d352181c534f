package kernel

import (
	"net"
	"syscall"
	"unsafe"
)

// siocinq asks a socket how much there is to read (linux/sockios.h).
const siocinq = 0x541B

// Pending says whether a datagram waits in a socket, or that this cannot be known.
func Pending(c *net.UDPConn) bool {
	raw, err := c.SyscallConn()
	if err != nil {
		return true
	}
	var n int32
	failed := true
	_ = raw.Control(func(fd uintptr) {
		_, _, e := syscall.RawSyscall(syscall.SYS_IOCTL, fd, siocinq, uintptr(unsafe.Pointer(&n))) //nolint:gosec // a system call takes a pointer; this one does not wait
		failed = e != 0
	})
	return failed || n > 0
}
