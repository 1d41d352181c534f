package rtp

import (
	"bytes"
	"math"
	"testing"
	"time"

	"github.com/pion/rtcp"
)

func TestCompoundIsReadByOthers(t *testing.T) {
	now := time.Unix(1_700_000_000, 500_000_000)
	var b [128]byte
	about := &block{ssrc: 7, fraction: 64, lost: 1000, highest: 70000, jitter: 80, lsr: 0x12345678, dlsr: 65536}
	n := compound(b[:], 42, true, now, 8000, 100, 16000, about)
	ps, err := rtcp.Unmarshal(b[:n])
	if err != nil {
		t.Fatal(err)
	}
	sr, ok := ps[0].(*rtcp.SenderReport)
	if !ok || sr.SSRC != 42 || sr.RTPTime != 8000 || sr.PacketCount != 100 || sr.OctetCount != 16000 || sr.NTPTime>>32 != 1_700_000_000+ntpEpoch || uint32(sr.NTPTime) != 1<<31 {
		t.Errorf("%+v", ps[0])
	}
	want := rtcp.ReceptionReport{SSRC: 7, FractionLost: 64, TotalLost: 1000, LastSequenceNumber: 70000, Jitter: 80, LastSenderReport: 0x12345678, Delay: 65536}
	if sr.Reports[0] != want {
		t.Errorf("%+v", sr.Reports[0])
	}
	if sd := ps[1].(*rtcp.SourceDescription); sd.Chunks[0].Items[0].Text != "kapok" {
		t.Errorf("%+v", sd)
	}
	r, ok := readReport(b[:n], 7)
	if !ok || !r.sender || r.ssrc != 42 || r.block != *about || r.ntp != ntp(now) {
		t.Errorf("%+v", r)
	}
	if r, _ := readReport(b[:n], 8); r.about {
		t.Error("a report about somebody else is taken")
	}
	n = compound(b[:], 42, false, now, 0, 0, 0, nil)
	if ps, err := rtcp.Unmarshal(b[:n]); err != nil || len(ps) != 2 {
		t.Errorf("an empty RR: %v", err)
	}
}

func TestRoundTrip(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	sent := uint32(ntp(now.Add(-350*time.Millisecond)) >> 16)
	k := block{lsr: sent, dlsr: 65536 / 4}
	if rtt := k.roundTrip(now); rtt < 99*time.Millisecond || rtt > 101*time.Millisecond {
		t.Errorf("%v", rtt)
	}
	if (block{}).roundTrip(now) != 0 || (block{lsr: sent, dlsr: 65536}).roundTrip(now) != 0 {
		t.Error("unknown and negative round trips are 0")
	}
}

func FuzzReport(f *testing.F) {
	var b [128]byte
	n := compound(b[:], 42, true, time.Unix(1, 0), 1, 2, 3, &block{ssrc: 7})
	f.Add(bytes.Clone(b[:n]))
	f.Fuzz(func(t *testing.T, b []byte) { readReport(b, 7) })
}

func TestTally(t *testing.T) {
	var c tally
	t0 := time.Unix(1000, 0)
	at := func(i int) time.Time { return t0.Add(time.Duration(i) * 20 * time.Millisecond) }
	for i := range 100 {
		if i%10 == 9 {
			continue // every tenth is lost
		}
		c.packet(1, uint16(65500+i), uint32(i*160), at(i), true)
	}
	if c.lost() != 9 || c.fraction() != uint8(9*256/99) || c.fraction() != 0 || c.jitter > 0.01 {
		t.Errorf("lost %d jitter %.2f", c.lost(), c.jitter)
	}
	c.packet(2, 1, 0, at(100), true) // a new stream keeps the sum
	c.packet(2, 4, 480, at(103), true)
	c.packet(2, 3, 320, at(104), true)
	c.packet(2, 3, 320, at(104), true)
	if c.lostOld+c.lost() != 9 || c.all != 94 {
		t.Errorf("old %d lost %d all %d", c.lostOld, c.lost(), c.all)
	}
	c.packet(2, 20000, 0, at(105), true) // a jump is a restart, not a loss of 20,000
	if c.lost() != 0 {
		t.Errorf("lost %d", c.lost())
	}
	var j tally
	for i := range 1000 { // ±5 ms by turns: 10 ms between neighbours
		j.packet(1, uint16(i), uint32(i*160), at(i).Add(time.Duration(i%2*10)*time.Millisecond), true)
	}
	if ms := j.jitterTime().Seconds() * 1000; math.Abs(ms-10) > 0.5 {
		t.Errorf("jitter %.2f ms", ms)
	}
}

func TestMOS(t *testing.T) {
	for _, c := range []struct {
		name        string
		loss        float64
		jitter, rtt time.Duration
		low, high   float64
	}{
		{"a clean line: G.711's ceiling", 0, 0, 0, 4.35, 4.45},
		{"1 % lost", 0.01, 0, 0, 4.2, 4.4},
		{"5 % lost", 0.05, 0, 0, 3.6, 4.0},
		{"20 % lost", 0.2, 0, 0, 2.2, 2.9},
		{"half a second round trip", 0, 0, 500 * time.Millisecond, 3.5, 4.1},
		{"a bad line", 0.1, 60 * time.Millisecond, 600 * time.Millisecond, 1.3, 2.8},
		{"nothing comes", 1, 0, 0, 1, 1.4},
		{"absurd", 2, time.Hour, time.Hour, 1, 1},
	} {
		if m := mos(c.loss, c.jitter, c.rtt); m < c.low || m > c.high {
			t.Errorf("%s: %.2f, want %.2f–%.2f", c.name, m, c.low, c.high)
		}
	}
	for l := 0.0; l < 1; l += 0.05 {
		if mos(l+0.05, 0, 0) > mos(l, 0, 0) {
			t.Error("more loss sounds better")
		}
	}
}
