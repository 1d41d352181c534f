package main

import (
	"encoding/binary"
	"errors"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/net/ipv4"
)

// The speech of the bench: G.711 A-law, 20 ms a packet. Each carries when it was sent, so delay is measured from one
// clock; nothing is transcoded on the way, so it arrives as it was sent.
const (
	frame    = 20 * time.Millisecond
	phases   = 10 // senders are spread over the frame
	rtpSize  = 12 + 160
	speech   = 0x4b41504f // marks a packet of ours
	maxDelay = 2000       // ms the histogram of delays reaches
	grain    = 20         // its steps per ms
	sockets  = 8          // that the streams of a pump share
)

// pump sends and hears the media of many calls over a few sockets.
type pump struct {
	conns []*net.UDPConn
	stopc chan struct{}
	work  sync.WaitGroup

	mu      sync.Mutex
	streams [phases][]*stream
	next    int

	window   atomic.Uint32 // number of the window being measured; 0: none
	sent     atomic.Int64  // in the window
	received atomic.Int64  // of the window
	foreign  atomic.Int64  // G.711 packets that no stream sent: music, a browser's speech
	delays   []atomic.Int32
}

// stream is one direction of a call's speech.
type stream struct {
	p     *pump
	conn  *net.UDPConn
	n     int
	to    *net.UDPAddr
	seq   uint16
	stamp uint32
}

func newPump() (*pump, error) {
	p := &pump{stopc: make(chan struct{}), delays: make([]atomic.Int32, maxDelay*grain+1)}
	for range sockets {
		conn, err := listen()
		if err != nil {
			return nil, errors.Join(err, p.close())
		}
		widen(conn)
		p.conns = append(p.conns, conn)
		p.work.Go(func() { p.hear(conn) })
	}
	p.work.Go(p.send)
	return p, nil
}

// widen makes the socket's buffer large beyond what is usually granted: packets lost at our own door would be
// counted as the server's. Without the right to do so the usual size has to do.
func widen(conn *net.UDPConn) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) {
		_ = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUFFORCE, 32<<20) // see above
	})
}

func (p *pump) close() error {
	close(p.stopc)
	var err error
	for _, c := range p.conns {
		err = errors.Join(err, c.Close())
	}
	p.work.Wait()
	return err
}

// open gives a stream and the port it hears on.
func (p *pump) open() (int, *stream) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.next++
	s := &stream{p: p, n: p.next, conn: p.conns[p.next%len(p.conns)]}
	return s.conn.LocalAddr().(*net.UDPAddr).Port, s
}

// start speaks to a port of the server.
func (s *stream) start(port int) {
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	if s.to == nil && port > 0 {
		s.to = &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port}
		s.p.streams[s.n%phases] = append(s.p.streams[s.n%phases], s)
	}
}

func (s *stream) stop() {
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	list := &s.p.streams[s.n%phases]
	if i := slices.Index(*list, s); i >= 0 {
		*list = slices.Delete(*list, i, i+1)
	}
}

// send has each stream speak once a frame; what is late is made up for.
func (p *pump) send() {
	out := map[*net.UDPConn][]ipv4.Message{}
	wires := map[*net.UDPConn]*ipv4.PacketConn{}
	for _, c := range p.conns {
		wires[c] = ipv4.NewPacketConn(c)
	}
	begin := time.Now()
	for turn := 0; ; turn++ {
		due := begin.Add(time.Duration(turn) * frame / phases)
		if d := time.Until(due); d > 0 {
			time.Sleep(d)
		} else if d < -time.Second { // a second lost is lost: this is a load, not a debt
			begin = begin.Add(-d)
		}
		select {
		case <-p.stopc:
			return
		default:
		}
		window := p.window.Load()
		if window&closing != 0 {
			window = 0
		}
		p.mu.Lock()
		for _, s := range p.streams[turn%phases] {
			out[s.conn] = append(out[s.conn], ipv4.Message{Buffers: [][]byte{s.packet(window)}, Addr: s.to})
		}
		p.mu.Unlock()
		for c, list := range out {
			p.flush(wires[c], list, window)
			out[c] = list[:0]
		}
	}
}

func (p *pump) flush(c *ipv4.PacketConn, list []ipv4.Message, window uint32) {
	for len(list) > 0 {
		n, err := c.WriteBatch(list[:min(len(list), batch)], 0)
		if err != nil || n <= 0 {
			n = 1 // this one is not sent and not counted
		} else if window != 0 {
			p.sent.Add(int64(n))
		}
		list = list[n:]
	}
}

// packet makes the stream's next packet; p.mu is held.
func (s *stream) packet(window uint32) []byte {
	b := make([]byte, rtpSize)
	b[0], b[1] = 0x80, 8
	s.seq++
	s.stamp += 160
	binary.BigEndian.PutUint16(b[2:], s.seq)
	binary.BigEndian.PutUint32(b[4:], s.stamp)
	binary.BigEndian.PutUint32(b[8:], uint32(s.n))
	binary.BigEndian.PutUint32(b[12:], speech)
	binary.BigEndian.PutUint32(b[16:], window)
	binary.BigEndian.PutUint64(b[20:], uint64(time.Now().UnixNano()))
	return b
}

// hear counts what arrives.
func (p *pump) hear(conn *net.UDPConn) {
	c, in := ipv4.NewPacketConn(conn), letters()
	for {
		n, err := c.ReadBatch(in, 0)
		if err != nil {
			return
		}
		now, window := time.Now().UnixNano(), p.window.Load()
		for i := range n {
			b := in[i].Buffers[0][:in[i].N]
			if len(b) < 28 || binary.BigEndian.Uint32(b[12:]) != speech {
				if len(b) == rtpSize {
					p.foreign.Add(1)
				}
				continue
			}
			if w := binary.BigEndian.Uint32(b[16:]); w == 0 || w != window&^closing {
				continue
			}
			p.received.Add(1)
			d := (now - int64(binary.BigEndian.Uint64(b[20:]))) * grain / int64(time.Millisecond)
			p.delays[min(max(d, 0), maxDelay*grain)].Add(1)
		}
	}
}

// closing marks a window whose last packets are awaited: nothing more is sent in it.
const closing = 1 << 31

// heard is what a window of media was like.
type heard struct {
	sent, received int64
	p50, p99       float64 // ms from sender to receiver
}

// loss gives the share that did not arrive within a second.
func (h heard) loss() float64 {
	if h.sent == 0 {
		return 1
	}
	return max(0, float64(h.sent-h.received)/float64(h.sent))
}

// measure watches the media for a time.
func (p *pump) measure(number uint32, span time.Duration) heard {
	p.sent.Store(0)
	p.received.Store(0)
	for i := range p.delays {
		p.delays[i].Store(0)
	}
	p.window.Store(number)
	time.Sleep(span)
	p.window.Store(number | closing)
	time.Sleep(time.Second)
	h := heard{sent: p.sent.Load(), received: p.received.Load()}
	h.p50, h.p99 = p.quantile(0.5), p.quantile(0.99)
	p.window.Store(0)
	return h
}

func (p *pump) quantile(q float64) float64 {
	limit, n := int64(q*float64(p.received.Load())), int64(0)
	for i := range p.delays {
		if n += int64(p.delays[i].Load()); n > limit {
			return float64(i) / grain
		}
	}
	return maxDelay
}
