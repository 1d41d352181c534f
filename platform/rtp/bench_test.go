package rtp

import (
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"slices"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/pion/srtp/v3"

	"github.com/kapok-hotline/kapok/platform/audio"
	"github.com/kapok-hotline/kapok/platform/sdp"
)

// cpu gives the processor time the process has used.
func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkBridgedPacket measures the processor time of one packet through a bridge, and as a ratio to an idle echo
// loop on the same sockets in the same run (1.0: the bridge costs nothing beside the system's sockets).
func BenchmarkBridgedPacket(b *testing.B) {
	for _, c := range []struct {
		name   string
		codecs string
		cfg    PlainConfig
	}{{"same law", "8", PlainConfig{}}, {"A to µ", "0", PlainConfig{}}} {
		b.Run(c.name, func(b *testing.B) {
			p := newPlane(b, nil)
			x, y := bare(b), bare(b)
			px, py := &phone{conn: x, pt: 8}, &phone{conn: y, pt: 8}
			lx := answered(b, p, px, c.cfg, px.sdp("8", 101, ""))
			ly := answered(b, p, py, c.cfg, py.sdp(c.codecs, 101, ""))
			Join(lx, ly)
			in := make([]byte, maxPacket)
			packet := make([]byte, headerSize+160)
			round := func(i int, dst netip.AddrPort) {
				put(packet, false, 8, uint16(i), uint32(i*160), 7)
				_, _ = x.WriteToUDPAddrPort(packet, dst)
				_ = y.SetReadDeadline(time.Now().Add(time.Second))
				if _, _, err := y.ReadFromUDPAddrPort(in); err != nil {
					b.Fatal(err)
				}
			}
			lx.in.mu.Lock()
			lx.in.second = 1 << 62 // the benchmark is faster than any call: no flood limit
			lx.in.mu.Unlock()
			echo := echoTo(b, py.addr())
			b.ReportAllocs()
			b.ResetTimer()
			t0 := cpu()
			for i := range b.N {
				lx.in.rate = 0
				round(i, px.dst)
			}
			bridged := cpu() - t0
			b.StopTimer()
			t0 = cpu()
			for i := range b.N {
				round(i, echo)
			}
			idle := cpu() - t0
			b.ReportMetric(float64(bridged.Microseconds())/float64(b.N), "cpu-µs/packet")
			b.ReportMetric(float64(bridged)/float64(max(idle, 1)), "×echo")
		})
	}
}

// bare opens a socket that nobody reads but the benchmark.
func bare(b *testing.B) *net.UDPConn {
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = c.Close() })
	return c
}

// echoTo is the idle loop: a goroutine that reads a socket and writes to dst.
func echoTo(b *testing.B, dst netip.AddrPort) netip.AddrPort {
	c := bare(b)
	go func() {
		buf := make([]byte, maxPacket)
		for {
			n, _, err := c.ReadFromUDPAddrPort(buf)
			if err != nil {
				return
			}
			_, _ = c.WriteToUDPAddrPort(buf[:n], dst)
		}
	}()
	return c.LocalAddr().(*net.UDPAddr).AddrPort()
}

// BenchmarkRelayOnly measures our own part of a relayed packet: parse, latch, tally, numbering, translation; no
// sockets.
func BenchmarkRelayOnly(b *testing.B) {
	for _, law := range []string{"8", "0"} {
		b.Run(law, func(b *testing.B) {
			p := newPlane(b, nil)
			px, py := &phone{conn: bare(b)}, &phone{conn: bare(b)}
			lx := answered(b, p, px, PlainConfig{}, px.sdp("8", 101, ""))
			ly := answered(b, p, py, PlainConfig{}, py.sdp(law, 101, ""))
			ly.out.mu.Lock()
			ly.dst = netip.AddrPort{} // everything but the system call
			ly.out.mu.Unlock()
			Join(lx, ly)
			packet, from, at := make([]byte, headerSize+160), px.addr(), time.Now()
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				put(packet, false, 8, uint16(i), uint32(i*160), 7)
				at = at.Add(20 * time.Millisecond)
				lx.arrive(packet, from, at)
			}
		})
	}
}

// BenchmarkCalls runs bridged calls at their real pace on one processor and prints what share of it they use.
func BenchmarkCalls(b *testing.B) {
	const calls, window = 200, 2 * time.Second
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	p := newPlane(b, nil)
	type side struct {
		c   *net.UDPConn
		dst netip.AddrPort
	}
	var sides []side
	for range calls {
		x, y := &phone{conn: bare(b)}, &phone{conn: bare(b)}
		lx := answered(b, p, x, PlainConfig{}, x.sdp("8", 101, ""))
		ly := answered(b, p, y, PlainConfig{}, y.sdp("8", 101, ""))
		Join(lx, ly)
		sides = append(sides, side{x.conn, x.dst}, side{y.conn, y.dst})
	}
	packet := make([]byte, headerSize+160)
	pace := func(to func(side) netip.AddrPort) time.Duration {
		t0, begin := cpu(), time.Now()
		for i := range int(window / audio.FrameTime) {
			time.Sleep(time.Until(begin.Add(time.Duration(i) * audio.FrameTime)))
			put(packet, false, 8, uint16(i), uint32(i*160), 7)
			for _, s := range sides {
				_, _ = s.c.WriteToUDPAddrPort(packet, to(s))
			}
		}
		return cpu() - t0
	}
	for range b.N {
		sink := bare(b).LocalAddr().(*net.UDPAddr).AddrPort()
		load := pace(func(side) netip.AddrPort { return sink }) // the sending alone
		both := pace(func(s side) netip.AddrPort { return s.dst })
		sent, got := uint64(calls*2)*uint64(window/audio.FrameTime), uint64(0)
		time.Sleep(200 * time.Millisecond)
		for _, l := range p.list(nil) {
			got += l.(*Plain).Stats().Received
		}
		b.ReportMetric(100*float64(sent-got)/float64(sent), "%lost")
		b.ReportMetric(100*float64(both-load)/float64(window)*100/calls, "%core/100calls")
		b.ReportMetric(100*float64(load)/float64(window)*100/calls, "%core/100calls-generator")
	}
}

// BenchmarkMusic plays to a thousand callers over real sockets and prints the share of a processor and the memory.
func BenchmarkMusic(b *testing.B) {
	const callers, window = 1000, 2 * time.Second
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	p := newPlane(b, func(c *Config) { c.Buffer = 16 << 10 })
	to := &phone{conn: bare(b)}
	tick := audio.NewTick()
	defer tick.Close()
	music := audio.RingBack()
	b.ReportMetric(0, "ns/op")
	idle := lateness(window)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	players := make([]*audio.Player, callers)
	for i := range players {
		players[i] = tick.NewPlayer(answered(b, p, to, PlainConfig{}, to.sdp("8", 101, "")))
		players[i].Music(music)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	perCaller := float64(after.HeapInuse+after.StackInuse-before.HeapInuse-before.StackInuse) / callers / 1000
	for range b.N {
		t0 := cpu()
		b.ReportMetric(float64(lateness(window).Microseconds()), "µs-late-p99")
		b.ReportMetric(100*float64(cpu()-t0)/float64(window)/callers*100, "%core/100callers")
		b.ReportMetric(perCaller, "kB/caller")
		b.ReportMetric(float64(idle.Microseconds()), "µs-late-p99-idle")
	}
	for _, l := range players {
		l.Stop()
	}
}

// lateness gives the 99th percentile of how late another goroutine gets the processor, watched for a while: what
// signalling would wait.
func lateness(watch time.Duration) time.Duration {
	var late []time.Duration
	for begin := time.Now(); time.Since(begin) < watch; {
		t := time.Now()
		time.Sleep(time.Millisecond)
		late = append(late, time.Since(t)-time.Millisecond)
	}
	slices.Sort(late)
	return late[len(late)*99/100]
}

// BenchmarkSRTP compares the two suites on one packet each way.
func BenchmarkSRTP(b *testing.B) {
	for _, s := range []struct {
		name    string
		profile srtp.ProtectionProfile
	}{{sdp.SuiteSHA1, srtp.ProtectionProfileAes128CmHmacSha1_80}, {sdp.SuiteGCM, srtp.ProtectionProfileAeadAes128Gcm}} {
		b.Run(s.name, func(b *testing.B) {
			key := make([]byte, sdp.KeyLength(s.name))
			out, _ := newGuard(s.name, s.profile, key[:16], key[16:], false)
			in, _ := newGuard(s.name, s.profile, key[:16], key[16:], true)
			packet := make([]byte, headerSize+160)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				put(packet, false, 8, uint16(i), uint32(i*160), 7)
				e, err := out.protect(packet)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := in.open(e); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// TestNothingIsAllocatedPerPacket holds the way of a packet through parse, latch, tally, tap and numbering, in the
// clear and with SRTP, to zero allocations.
func TestNothingIsAllocatedPerPacket(t *testing.T) {
	p := newPlane(t, nil)
	at := time.Now()
	var heard atomic.Int64
	for _, c := range []struct {
		name string
		cfg  PlainConfig
	}{{"clear", PlainConfig{}}, {"SRTP", PlainConfig{SDES: sdp.Required}}} {
		a, b := pair(t, p, c.cfg, c.cfg)
		_, d := pair(t, p, PlainConfig{}, PlainConfig{PreferMu: true})
		br := Join(b, d)
		br.Tap(audio.SinkFunc(func(*audio.Frame) error { heard.Add(1); return nil }), nil)
		for _, l := range []*Plain{a, d} { // no system calls
			l.out.mu.Lock()
			l.dst = netip.AddrPort{}
			l.out.mu.Unlock()
		}
		packet := make([]byte, headerSize+160, maxPacket)
		from := netip.MustParseAddrPort(fmt.Sprintf("127.0.0.1:%d", a.Port()))
		f := audio.Frame{Source: &audio.Source{}, Payload: packet[headerSize:]}
		if n := testing.AllocsPerRun(300, func() {
			at = at.Add(20 * time.Millisecond)
			f.Seq++
			f.Time += 160
			f.At = at
			a.out.mu.Lock()
			wire := a.out.build(&f)
			if a.guardOut != nil {
				wire, _ = a.guardOut.protect(wire)
			}
			a.out.mu.Unlock()
			b.arrive(wire, from, at)
		}); n > 0 {
			t.Errorf("%s: %.1f allocations a packet", c.name, n)
		}
		if heard.Swap(0) < 300 {
			t.Errorf("%s: the packets did not pass", c.name)
		}
	}
}
