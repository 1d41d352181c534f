// Package kernel relays the packets of plain RTP streams inside the Linux kernel: an eBPF program on the ingress of
// every interface (TCX, Linux 6.6) rewrites them and sends them on, without a socket, a copy or this process. It
// knows one direction of a bridge at a time, a slot; who owns a slot, and what that means, stands in DESIGN.md.
package kernel

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"runtime"
	"sync/atomic"
	"time"
)

// The reasons why there is no fast path.
var (
	ErrRights      = errors.New("kernel: no rights to load a program (CAP_BPF and CAP_NET_ADMIN)")
	ErrUnsupported = errors.New("kernel: this system cannot do it (Linux 6.6 or later is needed, with TCX)")
)

// Why says what made the kernel give a slot back.
type Why uint32

// The reasons, in the order the program looks for them.
const (
	NotGiven  Why = iota
	ByForm        // a header with extensions, padding or contributors
	ByKind        // another payload type: a digit, comfort noise, another law
	ByWay         // it came in where its answer would not go out
	BySize        // lengths that disagree, or nothing in it
	ByHops        // its time to live is over
	BySource      // another SSRC: a new stream
	ByNumber      // a jump of the sequence number
	ByTime        // a jump of the timestamp
	whyAtMost = ByTime
)

// String names the reason for logs and tests.
func (w Why) String() string {
	return [...]string{"not given back", "header", "payload type", "interface", "size", "hops", "SSRC", "number", "time"}[min(w, whyAtMost)]
}

// The states of a slot: the lowest bit says that the kernel owns it, every run of the program under way adds two.
const (
	owned = 1
	run   = 2
)

// Slot is one direction of a bridge in memory that is shared with the kernel: packets that come in on one media
// port. All numbers are the machine's, except what is copied from and into packets as it stands there. The offsets
// are the program's (program.go).
type Slot struct {
	state uint32
	why   uint32

	// What comes in; as it stands in packets.
	from [4]byte
	to   [4]byte
	port [2]byte
	kind uint8
	_    uint8
	ssrc [4]byte

	// What goes out.
	newFrom [4]byte
	newTo   [4]byte
	newPort [2]byte
	newDest [2]byte
	newSSRC [4]byte
	seqOff  uint16
	newKind uint8
	_       uint8
	timeOff uint32
	out     uint32 // interface; 0: handed to this machine's own sockets
	first   uint16 // what the kernel counts, too: the number of the first packet it relayed
	_       uint16
	_       uint64

	// What the kernel counts.
	packets  uint64
	octets   uint64
	heard    uint64 // ns of the monotonic clock
	advanced uint64 // when the timestamp moved on
	highest  uint32 // extended sequence number
	time     uint32 // latest timestamp
	transit  uint32
	jitter   uint32 // in sixteenths of a sample
	window   uint64 // second of the rate
	rate     uint32
	flooded  uint32
}

// MaxRate is how many packets a second a slot passes; what is more is dropped.
const MaxRate = 400

// Order is what the kernel is to do with the packets of a slot, and where their numbers stand.
type Order struct {
	From    netip.AddrPort // the peer that speaks
	To      netip.Addr     // our address that it speaks to
	Kind    uint8          // payload type it sends
	SSRC    uint32         // and its SSRC
	NewFrom netip.AddrPort // the address and port we send from
	NewTo   netip.AddrPort // the peer that hears
	NewKind uint8
	NewSSRC uint32
	SeqOff  uint16 // added to sequence numbers
	TimeOff uint32 // added to timestamps
	Out     int    // interface it leaves by; 0: the peer is on this machine

	Highest  uint32        // extended sequence number of the newest packet
	Time     uint32        // its timestamp
	Heard    time.Duration // by the kernel's clock: when the last packet came
	Advanced time.Duration // and when the timestamp moved on
	Transit  uint32        // of the last packet, in samples by the kernel's clock (Samples)
	Jitter   float64       // in samples
}

// Tally is what the kernel has done since a slot was given to it.
type Tally struct {
	Packets  uint64 // relayed
	Octets   uint64 // payload bytes of them
	Flooded  uint64 // dropped because there were too many
	First    uint16 // number of the first that was relayed; means nothing while Packets is 0
	Heard    time.Duration
	Advanced time.Duration
	Highest  uint32
	Time     uint32
	Transit  uint32
	Jitter   float64
}

// Samples turns a time of the kernel's clock into samples of 8 kHz.
func Samples(t time.Duration) uint32 { return uint32(uint64(t) / uint64(time.Second/8000)) }

// Give hands the slot to the kernel. It must be the process's: taken back, or never given.
func (s *Slot) Give(o Order) {
	s.from, s.to, s.kind = o.From.Addr().As4(), o.To.As4(), o.Kind
	binary.BigEndian.PutUint16(s.port[:], o.From.Port())
	binary.BigEndian.PutUint32(s.ssrc[:], o.SSRC)
	s.newFrom, s.newTo, s.newKind = o.NewFrom.Addr().As4(), o.NewTo.Addr().As4(), o.NewKind
	binary.BigEndian.PutUint16(s.newPort[:], o.NewFrom.Port())
	binary.BigEndian.PutUint16(s.newDest[:], o.NewTo.Port())
	binary.BigEndian.PutUint32(s.newSSRC[:], o.NewSSRC)
	s.seqOff, s.timeOff, s.out = o.SeqOff, o.TimeOff, uint32(o.Out)
	s.packets, s.octets, s.flooded, s.window, s.rate = 0, 0, 0, 0, 0
	s.first = uint16(o.Highest) + 1
	s.heard, s.advanced = uint64(o.Heard), uint64(o.Advanced)
	s.highest, s.time, s.transit, s.jitter = o.Highest, o.Time, o.Transit, uint32(o.Jitter*16)
	atomic.StoreUint32(&s.why, uint32(NotGiven))
	atomic.OrUint32(&s.state, owned) // what was written above is seen by whoever sees this
}

// Take makes the slot the process's. When it returns no run of the program is under way with it any more: what Tally
// gives is final, and every packet that comes from now on reaches the socket. It says whether the kernel had it.
func (s *Slot) Take() bool {
	had := atomic.AndUint32(&s.state, ^uint32(owned))&owned != 0
	for atomic.LoadUint32(&s.state) != 0 { // a run takes about a microsecond and cannot be interrupted by us
		runtime.Gosched()
	}
	return had
}

// Owned says whether the kernel has the slot. It gives one back by itself.
func (s *Slot) Owned() bool { return atomic.LoadUint32(&s.state)&owned != 0 }

// Why says what made the kernel give the slot back the last time.
func (s *Slot) Why() Why { return Why(atomic.LoadUint32(&s.why)) }

// Tally gives the counters. While the kernel owns the slot they are of about the same moment, afterwards exact.
func (s *Slot) Tally() Tally {
	return Tally{
		Packets: atomic.LoadUint64(&s.packets), First: s.first, Octets: atomic.LoadUint64(&s.octets), Flooded: uint64(atomic.LoadUint32(&s.flooded)),
		Heard: time.Duration(atomic.LoadUint64(&s.heard)), Advanced: time.Duration(atomic.LoadUint64(&s.advanced)),
		Highest: atomic.LoadUint32(&s.highest), Time: atomic.LoadUint32(&s.time), Transit: atomic.LoadUint32(&s.transit),
		Jitter: float64(atomic.LoadUint32(&s.jitter)) / 16,
	}
}
