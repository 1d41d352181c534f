// Caller calls a number of a hotline, sends a tone and says four times a second, as lines of JSON, what it hears. It
// is the person on the line for tests that are not written in Go.
//
//	go run ./test/caller -to 127.0.0.1:5060 -number 12367 -tone 440 -for 10s
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/kapok-hotline/kapok/test/ua"
)

// line is one moment of a call.
type line struct {
	Ms      int64   `json:"ms"`
	State   string  `json:"state"` // answered, ended
	Packets int     `json:"packets"`
	Level   float64 `json:"level"` // dB below full scale, of the last quarter of a second
	Share   float64 `json:"share"` // how much of it is the tone listened for
	How     string  `json:"how,omitempty"`
}

func main() {
	to := flag.String("to", "127.0.0.1:5060", "the house, host:port over UDP")
	number := flag.String("number", "12367", "the number called")
	from := flag.String("from", "013900000001", "the caller's number")
	tone := flag.Float64("tone", 440, "what is said, Hz")
	listen := flag.Float64("listen", 880, "the tone listened for, Hz")
	length := flag.Duration("for", 10*time.Second, "how long, until the caller hangs up")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := call(ctx, *to, *number, *from, *tone, *listen, *length)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "caller:", err)
		os.Exit(1)
	}
}

func call(ctx context.Context, to, number, from string, tone, listen float64, length time.Duration) error {
	probe, err := net.Dial("udp4", to) //nolint:noctx // nothing is sent
	if err != nil {
		return err
	}
	ip := probe.LocalAddr().(*net.UDPAddr).IP.String()
	_ = probe.Close() // it only chose our address
	p, err := ua.Open(ip, to, from, "")
	if err != nil {
		return err
	}
	defer p.Close()
	c, err := p.Dial(ctx, ua.Dial{Number: number, Tone: tone})
	if err != nil {
		return err
	}
	out := json.NewEncoder(os.Stdout)
	began := time.Now()
	tick := time.NewTicker(250 * time.Millisecond)
	defer tick.Stop()
	end := time.NewTimer(length)
	defer end.Stop()
	for {
		select {
		case <-tick.C:
			share, level := ua.Share(c.Media.Heard(250*time.Millisecond), listen)
			if err := out.Encode(line{time.Since(began).Milliseconds(), "answered", c.Media.Packets(), level, share, ""}); err != nil {
				return err
			}
			c.Media.Forget()
		case <-c.Done():
			return out.Encode(line{Ms: time.Since(began).Milliseconds(), State: "ended", How: c.How()})
		case <-end.C:
			c.Hangup(context.WithoutCancel(ctx))
		case <-ctx.Done():
			c.Hangup(context.WithoutCancel(ctx))
			return nil
		}
	}
}
