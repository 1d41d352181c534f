package rtp

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"
)

// insideVeth tells the test binary that it runs in a network namespace of its own.
const insideVeth = "KAPOK_RTP_VETH"

// TestRelayBetweenNetworks runs the relay tests with the phones behind two wires (veth) in another namespace: packets
// come in by one interface, leave by another, are routed and have neighbours. The wires' phones write their check sums
// themselves, so a wrong one is dropped where it arrives.
func TestRelayBetweenNetworks(t *testing.T) {
	needKernel(t)
	if os.Getenv(insideVeth) == "" {
		t.Parallel() // it is another process, and sleeps most of the time
		again(t)
		return
	}
	w := wires(t)
	relayIn(t, w)
	t.Run("a change of addresses begins lanes anew", func(t *testing.T) {
		r := newRig(t, w)
		r.talk()
		turn := r.p.kernel.Turn()
		ip(t, "addr", "add", "10.98.3.1/24", "dev", "kapok0")
		eventually(t, "the news is heard", func() bool { return r.p.kernel.Turn() != turn })
		time.Sleep(2 * clerkTime)
		r.carried(true, true)
		r.whole(r.b, r.a)
		ip(t, "addr", "del", "10.98.3.1/24", "dev", "kapok0")
	})
}

// again runs this test in a namespace of its own.
func again(t *testing.T) {
	if _, err := exec.LookPath("ip"); err != nil {
		t.Skip("no `ip` (iproute2) to lay wires with")
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestRelayBetweenNetworks$", "-test.v", "-test.timeout=180s")
	cmd.Env = append(os.Environ(), insideVeth+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	out, err := cmd.CombinedOutput()
	switch {
	case errors.Is(err, os.ErrPermission):
		t.Skip("no right to make a network namespace")
	case err != nil:
		t.Fatalf("%v\n%s", err, out)
	case strings.Contains(string(out), "--- SKIP: TestRelayBetweenNetworks "):
		t.Skipf("%s", out)
	}
}

// wires lays two wires into a second namespace and gives the world of it.
func wires(t *testing.T) world {
	jobs := make(chan func())
	tid := make(chan int)
	go func() { // its thread is in the other namespace; it is never given back, so it ends with the goroutine
		runtime.LockOSThread()
		if err := syscall.Unshare(syscall.CLONE_NEWNET); err != nil {
			t.Errorf("a second namespace: %v", err)
			close(tid)
			return
		}
		tid <- syscall.Gettid()
		for job := range jobs {
			job()
		}
	}()
	t.Cleanup(func() { close(jobs) })
	there, ok := <-tid
	if !ok {
		t.FailNow()
	}
	over := func(job func()) {
		done := make(chan struct{})
		jobs <- func() { defer close(done); job() }
		<-done
	}
	w := world{name: "kernel, between networks", fast: true}
	ip(t, "link", "set", "lo", "up")
	for i := range 2 {
		near, far := fmt.Sprint("kapok", i), fmt.Sprint("phone", i)
		w.ours[i], w.phones[i] = netip.AddrFrom4([4]byte{10, 98, byte(i), 1}), netip.AddrFrom4([4]byte{10, 98, byte(i), 2})
		ip(t, "link", "add", near, "type", "veth", "peer", "name", far)
		ip(t, "link", "set", far, "netns", fmt.Sprint(there))
		ip(t, "addr", "add", w.ours[i].String()+"/24", "dev", near)
		ip(t, "link", "set", near, "up")
		over(func() {
			ip(t, "addr", "add", w.phones[i].String()+"/24", "dev", far)
			ip(t, "link", "set", far, "up")
			sumsByHand(t, far)
		})
	}
	w.listen = func(at netip.AddrPort) (c *net.UDPConn, err error) {
		over(func() { c, err = listenAt(at) })
		return c, err
	}
	return w
}

func ip(t *testing.T, args ...string) {
	t.Helper()
	if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
		t.Errorf("ip %s: %v %s", strings.Join(args, " "), err, out)
	}
}

// sumsByHand takes from an interface the promise to fill in check sums (ethtool -K … tx off).
func sumsByHand(t *testing.T, name string) {
	const siocethtool, setTxCsum = 0x8946, 0x17
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_DGRAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(fd) //nolint:errcheck // only asked
	value := struct{ cmd, data uint32 }{setTxCsum, 0}
	var request struct {
		name [16]byte
		data unsafe.Pointer
		_    [16]byte
	}
	copy(request.name[:], name)
	request.data = unsafe.Pointer(&value)
	if _, _, e := syscall.Syscall(syscall.SYS_IOCTL, uintptr(fd), siocethtool, uintptr(unsafe.Pointer(&request))); e != 0 {
		t.Errorf("check sums by hand: %v", e)
	}
}
