// Caller calls a number of a hotline, sends a tone and says four times a second, as lines of JSON, what it hears. It
// is the person on the line for tests that are not written in Go; with -answer it is somebody outside who is called.
//
//	go run ./test/caller -to 127.0.0.1:5060 -number 12367 -tone 440 -press 2s:1 -for 10s
//	go run ./test/caller -to 127.0.0.1:5060 -from 110 -answer
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/kapok-hotline/kapok/test/ua"
)

// redials is how often somebody calls again who is told that the house has no room just now.
const redials = 20

// line is one moment of a call.
type line struct {
	Ms      int64   `json:"ms"`
	State   string  `json:"state"` // waits (How is where), answered, ended
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
	press := flag.String("press", "", "keys, each after a while from the answer: 2s:1,4s:#")
	waits := flag.Bool("answer", false, "wait to be called in place of calling")
	length := flag.Duration("for", 10*time.Second, "how long, until the caller hangs up")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	p, err := open(*to, *from)
	if err == nil {
		if *waits {
			err = answer(ctx, p, *tone, *listen)
		} else {
			err = call(ctx, p, *number, *tone, *listen, *press, *length)
		}
		p.Close()
	}
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "caller:", err)
		os.Exit(1)
	}
}

// open opens a telephone on the address from which the house is reached.
func open(to, from string) (*ua.Phone, error) {
	probe, err := net.Dial("udp4", to) //nolint:noctx // nothing is sent
	if err != nil {
		return nil, err
	}
	ip := probe.LocalAddr().(*net.UDPAddr).IP.String()
	_ = probe.Close() // it only chose our address
	return ua.Open(ip, to, from, "")
}

// answer waits to be called and answers, one call after the other.
func answer(ctx context.Context, p *ua.Phone, tone, listen float64) error {
	calls := make(chan *ua.Call)
	p.OnCall = func(c *ua.Call) {
		if err := c.Answer(ctx, tone); err == nil {
			calls <- c
		}
	}
	if err := json.NewEncoder(os.Stdout).Encode(line{State: "waits", How: p.Addr()}); err != nil {
		return err
	}
	for {
		select {
		case c := <-calls:
			if err := hear(ctx, c, listen, "", time.Hour); err != nil {
				return err
			}
		case <-ctx.Done():
			return nil
		}
	}
}

func call(ctx context.Context, p *ua.Phone, number string, tone, listen float64, press string, length time.Duration) error {
	var c *ua.Call
	var err error
	for range redials {
		c, err = p.Dial(ctx, ua.Dial{Number: number, Tone: tone})
		var refused *ua.Refused
		if !errors.As(err, &refused) || refused.Code != 503 {
			break
		}
		time.Sleep(time.Second) // a house that is overloaded asks its callers to try again
	}
	if err != nil {
		return err
	}
	return hear(ctx, c, listen, press, length)
}

// hear says what is heard until the call ends, and presses keys in the meantime.
func hear(ctx context.Context, c *ua.Call, listen float64, press string, length time.Duration) error {
	for _, one := range strings.FieldsFunc(press, func(r rune) bool { return r == ',' }) {
		at, keys, _ := strings.Cut(one, ":")
		after, err := time.ParseDuration(at)
		if err != nil {
			return err
		}
		defer time.AfterFunc(after, func() { c.Media.Press(keys) }).Stop()
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
