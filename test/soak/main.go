// Soak plays weeks of mishaps in minutes on a house of its own, at a steady rate: callers who hang up early, in the
// menu, in the queue, in talk, who redial and who would rather be called back; agents who decline, miss, hold, ask,
// hand over and forget; phones, browsers and registrations that vanish; leaders who take part and take over; queues
// that are full and queues that others help out; and one kill -9 in the middle. At the end every verb of the mix has
// been done, nothing is left open or taken, and every invariant holds.
//
//	go run ./test/soak -calls 50000 -rate 25
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
)

func main() {
	p := plan{say: func(format string, a ...any) { fmt.Printf(format+"\n", a...) }}
	flag.IntVar(&p.calls, "calls", 50000, "calls in all")
	flag.IntVar(&p.rate, "rate", 25, "calls a second")
	flag.BoolVar(&p.kill, "kill", true, "kill -9 in the middle")
	flag.StringVar(&p.keep, "keep", "", "folder to keep the data in")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := p.run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(1)
	}
}
