package main

import (
	"os"
	"slices"

	"golang.org/x/sys/unix"
)

// slack is how much later than asked the kernel may wake a thread, so that wake-ups share one. Nothing here is timed
// finer: sound goes out every 20 ms, and what phones send is passed on when it comes.
const slack = 1_000_000 // ns; Linux gives 50 000

// lazyTimers starts a server again with more slack, once. While there is work, however little, Go's runtime looks
// after it every 20 µs; each look is a thread switch, and at 40 calls/s they are a sixth of all processor time. The
// slack is a thread's and handed to those it makes, so the runtime's own thread has it only from the start
// (prctl(2), PR_SET_TIMERSLACK: kept across execve). Where it cannot be set, all works as well, for more processor time.
func lazyTimers(args []string) {
	if len(args) < 2 || !slices.Contains([]string{"serve", "demo"}, args[1]) {
		return
	}
	now, err := unix.PrctlRetInt(unix.PR_GET_TIMERSLACK, 0, 0, 0, 0)
	if err != nil || now >= slack {
		return
	}
	if unix.Prctl(unix.PR_SET_TIMERSLACK, slack, 0, 0, 0) != nil {
		return
	}
	self, err := os.Executable()
	if err != nil {
		return
	}
	_ = unix.Exec(self, args, os.Environ()) // does not return, or changes nothing
}
