package kernel

import (
	"errors"
	"log/slog"
	"net/netip"
	"testing"
	"unsafe"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// open opens a table, or says why the kernel's part of the tests cannot be run here.
func open(t *testing.T) *Table {
	t.Helper()
	k, err := Open(Config{Log: slog.Default()})
	if errors.Is(err, ErrRights) || errors.Is(err, ErrUnsupported) {
		t.Skipf("the kernel's part is not tested: %v", err)
	}
	if err != nil {
		t.Fatalf("%+v", err)
	}
	t.Cleanup(func() {
		if err := k.Close(); err != nil {
			t.Error(err)
		}
	})
	return k
}

func TestSlotLaysWhereTheProgramLooks(t *testing.T) {
	var s Slot
	for _, c := range []struct {
		name      string
		got, want uintptr
	}{
		{"state", unsafe.Offsetof(s.state), slotState},
		{"why", unsafe.Offsetof(s.why), slotWhy},
		{"from", unsafe.Offsetof(s.from), slotFrom},
		{"to", unsafe.Offsetof(s.to), slotTo},
		{"port", unsafe.Offsetof(s.port), slotPort},
		{"kind", unsafe.Offsetof(s.kind), slotKind},
		{"ssrc", unsafe.Offsetof(s.ssrc), slotSSRC},
		{"newFrom", unsafe.Offsetof(s.newFrom), slotNewFrom},
		{"newTo", unsafe.Offsetof(s.newTo), slotNewTo},
		{"newPort", unsafe.Offsetof(s.newPort), slotNewPorts},
		{"newDest", unsafe.Offsetof(s.newDest), slotNewPorts + 2},
		{"newSSRC", unsafe.Offsetof(s.newSSRC), slotNewSSRC},
		{"seqOff", unsafe.Offsetof(s.seqOff), slotSeqOff},
		{"newKind", unsafe.Offsetof(s.newKind), slotNewKind},
		{"timeOff", unsafe.Offsetof(s.timeOff), slotTimeOff},
		{"out", unsafe.Offsetof(s.out), slotOut},
		{"first", unsafe.Offsetof(s.first), slotFirst},
		{"packets", unsafe.Offsetof(s.packets), slotPackets},
		{"octets", unsafe.Offsetof(s.octets), slotOctets},
		{"heard", unsafe.Offsetof(s.heard), slotHeard},
		{"advanced", unsafe.Offsetof(s.advanced), slotAdvanced},
		{"highest", unsafe.Offsetof(s.highest), slotHighest},
		{"time", unsafe.Offsetof(s.time), slotTime},
		{"transit", unsafe.Offsetof(s.transit), slotTransit},
		{"jitter", unsafe.Offsetof(s.jitter), slotJitter},
		{"window", unsafe.Offsetof(s.window), slotWindow},
		{"rate", unsafe.Offsetof(s.rate), slotRate},
		{"flooded", unsafe.Offsetof(s.flooded), slotFlooded},
		{"all of it", unsafe.Sizeof(s), slotSize},
	} {
		if c.got != c.want {
			t.Errorf("%s stands at %d, the program looks at %d", c.name, c.got, c.want)
		}
	}
}

func TestTheProgramIsAccepted(t *testing.T) {
	k := open(t)
	if k.Slot(20000) == nil || k.Slot(20001) != nil || k.Slot(0) != nil {
		t.Error("even ports have slots, odd ones have none")
	}
	w, err := k.Way(netip.MustParseAddr("127.0.3.4"))
	if err != nil || w.Out != 0 || w.From != netip.MustParseAddr("127.0.0.1") {
		t.Errorf("the way to this machine is %+v, %v", w, err)
	}
	if _, err := k.Way(netip.MustParseAddr("255.255.255.255")); !errors.Is(err, ErrNoWay) {
		t.Errorf("a broadcast: %v", err)
	}
	if k.Now() <= 0 {
		t.Error("the clock stands still")
	}
}
