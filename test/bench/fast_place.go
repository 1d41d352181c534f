package main

import (
	"fmt"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
)

// place is a network namespace, kept by a thread that never leaves it: sockets and processes made there belong to it.
type place struct {
	jobs chan func()
	tid  int
}

func newPlace() (*place, error) {
	p := &place{jobs: make(chan func())}
	ready := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		err := syscall.Unshare(syscall.CLONE_NEWNET)
		p.tid = syscall.Gettid()
		ready <- err
		if err != nil {
			return
		}
		for job := range p.jobs {
			job()
		}
	}()
	if err := <-ready; err != nil {
		return nil, fmt.Errorf("a network namespace (the right CAP_SYS_ADMIN is needed): %w", err)
	}
	return p, nil
}

// do runs something in the place.
func (p *place) do(job func() error) error {
	done := make(chan error)
	p.jobs <- func() { done <- job() }
	return <-done
}

func (p *place) close() { close(p.jobs) }

// sh runs a command line in the place.
func (p *place) sh(line string) error {
	return p.do(func() error {
		if out, err := exec.Command("sh", "-ec", line).CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w: %s", line, err, strings.TrimSpace(string(out)))
		}
		return nil
	})
}

// The addresses of the wire between the server and the telephones.
const (
	fastServer = "10.98.0.1"
	fastPhones = "10.98.0.2"
	fastNobody = "10.98.9.9" // packets to it are made, sent and gone
)

// steer has a namespace's interface hand what it gets to one core (receive packet steering), as the queues of a
// network card do. /sys shows the namespace it was mounted in.
const steer = "unshare -m sh -ec 'mount -t sysfs none /sys; echo %x >/sys/class/net/%s/queues/rx-0/rps_cpus'"

// wire joins two places: what arrives at the server is worked on by core 0, what arrives at the telephones by core 1.
func wire(server, phones *place) error {
	for _, step := range []struct {
		in   *place
		line string
	}{
		{server, "ip link set lo up; ip link add kapok0 type veth peer name phone0"},
		{server, fmt.Sprintf("ip link set phone0 netns %d", phones.tid)},
		{server, "ip addr add " + fastServer + "/24 dev kapok0; ip link set kapok0 up"},
		{phones, "ip link set lo up; ip addr add " + fastPhones + "/24 dev phone0; ip link set phone0 up"},
		{phones, "ip link add hole0 type veth peer name hole1; ip link set hole0 up; ip link set hole1 up"},
		{phones, "ip route add " + fastNobody + "/32 dev hole0; ip neigh add " + fastNobody + " lladdr 02:00:00:00:00:09 dev hole0"},
		{server, fmt.Sprintf(steer, 1, "kapok0")},
		{phones, fmt.Sprintf(steer, 2, "phone0")},
	} {
		if err := step.in.sh(step.line); err != nil {
			return err
		}
	}
	return nil
}
