// Soak sends sipp's calls to a house of its own at a steady rate: callers who hang up early, in the menu, in the
// queue, in talk; agents who decline, miss, hang up and transfer; and one kill -9 in the middle. At the end every
// invariant must hold.
//
//	go run ./test/soak -calls 10000 -rate 50
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
	flag.IntVar(&p.calls, "calls", 10000, "calls in all")
	flag.IntVar(&p.rate, "rate", 50, "calls a second")
	flag.IntVar(&p.agents, "agents", 33, "robot agents at desk phones")
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
