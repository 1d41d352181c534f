package main

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"syscall"
	"time"
)

const interrupt = syscall.SIGINT

// beEcho is the measure of the machine: a loop that sends every packet back, on the server's core. It ends with its
// standard input.
func beEcho() {
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		os.Exit(1)
	}
	widen(conn)
	fmt.Println(conn.LocalAddr().(*net.UDPAddr).Port)
	go func() {
		_, _ = os.Stdin.Read(make([]byte, 1)) // returns when the bench is gone
		os.Exit(0)
	}()
	buf := make([]byte, 2048)
	for {
		n, from, err := conn.ReadFromUDPAddrPort(buf)
		if err != nil {
			return
		}
		_, _ = conn.WriteToUDPAddrPort(buf[:n], from) // lost: counted as lost
	}
}

// idleEcho measures the way through an echo loop that has next to nothing to do: what delay the machine itself
// has at this moment.
func idleEcho(p *pump) (heard, error) {
	self, err := os.Executable()
	if err != nil {
		return heard{}, err
	}
	cmd := exec.Command("taskset", "-c", "0", self, "-echo")
	cmd.Env = append(os.Environ(), "GOMAXPROCS=1")
	in, err := cmd.StdinPipe()
	if err != nil {
		return heard{}, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return heard{}, err
	}
	if err := cmd.Start(); err != nil {
		return heard{}, err
	}
	defer func() {
		_ = in.Close() // ends it
		_ = cmd.Wait() // likewise
	}()
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return heard{}, fmt.Errorf("the echo loop did not start: %w", err)
	}
	port := 0
	if _, err := fmt.Sscanf(line, "%d", &port); err != nil {
		return heard{}, err
	}
	for range 50 {
		_, s := p.open()
		s.start(port)
		defer s.stop()
	}
	time.Sleep(300 * time.Millisecond)
	return p.measure(1, 3*time.Second), nil
}
