package main

import (
	"encoding/binary"
	"net"
	"net/netip"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/net/ipv4"
)

// mouth speaks for all telephones from one socket: every stream a packet each 20 ms, spread over slots of a millisecond.
type mouth struct {
	wire *ipv4.PacketConn
	port int
	next int // slot of the next stream
	sent atomic.Int64
	late atomic.Int64                     // slots that began more than a slot behind their time
	to   atomic.Pointer[[][]ipv4.Message] // by slot
	stop chan struct{}
	done chan struct{}
}

// mouthSlots is how many bursts a frame is spread over.
const mouthSlots = 20

func newMouth(in *place) (*mouth, error) {
	var conn *net.UDPConn
	err := in.do(func() (err error) {
		conn, err = net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.MustParseAddrPort(fastPhones+":0")))
		return err
	})
	if err != nil {
		return nil, err
	}
	m := &mouth{wire: ipv4.NewPacketConn(conn), port: conn.LocalAddr().(*net.UDPAddr).Port, stop: make(chan struct{}), done: make(chan struct{})}
	m.speak(nil, "")
	go m.run()
	return m, nil
}

// speak says where the streams go from now on: ports of a host. Streams that were there before go on as they are.
func (m *mouth) speak(ports []int, host string) {
	slots := make([][]ipv4.Message, mouthSlots)
	if old := m.to.Load(); old != nil {
		for i := range slots {
			slots[i] = (*old)[i]
		}
	}
	if ports == nil {
		slots = make([][]ipv4.Message, mouthSlots)
	}
	for _, port := range ports {
		b := make([]byte, rtpSize)
		b[0], b[1] = 0x80, 8
		binary.BigEndian.PutUint32(b[8:], uint32(port))
		binary.NativeEndian.PutUint32(b[12:], speech)
		to := net.UDPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(host), uint16(port)))
		i := m.next % mouthSlots
		m.next++
		slots[i] = append(slots[i][:len(slots[i]):len(slots[i])], ipv4.Message{Buffers: [][]byte{b}, Addr: to})
	}
	m.to.Store(&slots)
}

func (m *mouth) run() {
	defer close(m.done)
	begin := time.Now()
	for turn := 0; ; turn++ {
		due := begin.Add(time.Duration(turn) * frame / mouthSlots)
		if d := time.Until(due); d > 0 {
			time.Sleep(d)
		} else if d < -frame/mouthSlots {
			m.late.Add(1)
			if d < -time.Second { // a second lost is lost: this is a load, not a debt
				begin = begin.Add(-d)
			}
		}
		select {
		case <-m.stop:
			return
		default:
		}
		list := (*m.to.Load())[turn%mouthSlots]
		for len(list) > 0 {
			part := list[:min(len(list), 64)]
			stamp := monotonic()
			for i := range part {
				b := part[i].Buffers[0]
				binary.BigEndian.PutUint16(b[2:], binary.BigEndian.Uint16(b[2:])+1)
				binary.BigEndian.PutUint32(b[4:], binary.BigEndian.Uint32(b[4:])+160)
				binary.NativeEndian.PutUint64(b[20:], stamp)
			}
			n, err := m.wire.WriteBatch(part, 0)
			if err != nil || n <= 0 {
				n = 1 // this one is not sent and not counted
			} else {
				m.sent.Add(int64(n))
			}
			list = list[n:]
		}
	}
}

func (m *mouth) close() error {
	close(m.stop)
	<-m.done
	return m.wire.Close()
}

// monotonic is the clock the kernel's programs read.
func monotonic() uint64 {
	var ts syscall.Timespec
	_, _, _ = syscall.RawSyscall(syscall.SYS_CLOCK_GETTIME, 1, uintptr(unsafe.Pointer(&ts)), 0) //nolint:gosec // a system call takes a pointer; this one cannot fail
	return uint64(ts.Nano())
}
