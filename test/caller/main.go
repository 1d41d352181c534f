// Caller calls a number of a hotline, sends a tone and says four times a second, as lines of JSON, what it hears. It
// is the person on the line for tests that are not written in Go.
//
//	go run ./test/caller -to 127.0.0.1:5060 -number 12367 -tone 440 -press 2s:1 -for 10s
//
// With -rings it is a person who is called instead, again and again: its first line says at which address.
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
	State   string  `json:"state"` // answered, ended
	Packets int     `json:"packets"`
	Level   float64 `json:"level"` // dB below full scale, of the last quarter of a second
	Share   float64 `json:"share"` // how much of it is the tone listened for
	How     string  `json:"how,omitempty"`
	Addr    string  `json:"addr,omitempty"` // of one who is called
}

func main() {
	to := flag.String("to", "127.0.0.1:5060", "the house, host:port over UDP")
	number := flag.String("number", "12367", "the number called")
	from := flag.String("from", "013900000001", "the caller's number")
	tone := flag.Float64("tone", 440, "what is said, Hz")
	listen := flag.Float64("listen", 880, "the tone listened for, Hz")
	press := flag.String("press", "", "keys, each after a while from the answer: 2s:1,4s:#")
	length := flag.Duration("for", 10*time.Second, "how long, until the caller hangs up")
	rings := flag.Duration("rings", 0, "be called: lift after so long")
	refuse := flag.Int("refuse", 0, "with -rings: do not lift but answer so, as 486")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	var err error
	if *rings > 0 {
		err = wait(ctx, *to, *from, *rings, *refuse, *tone, *listen)
	} else {
		err = call(ctx, *to, *number, *from, *tone, *listen, *press, *length)
	}
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "caller:", err)
		os.Exit(1)
	}
}

func call(ctx context.Context, to, number, from string, tone, listen float64, press string, length time.Duration) error {
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
	var c *ua.Call
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
	for _, one := range strings.FieldsFunc(press, func(r rune) bool { return r == ',' }) {
		at, keys, _ := strings.Cut(one, ":")
		after, err := time.ParseDuration(at)
		if err != nil {
			return err
		}
		defer time.AfterFunc(after, func() { c.Media.Press(keys) }).Stop()
	}
	return report(ctx, c, listen, length)
}

// wait is called by the house, one call after the other.
func wait(ctx context.Context, to, from string, rings time.Duration, refuse int, tone, listen float64) error {
	p, err := ua.Open("127.0.0.1", to, from, "")
	if err != nil {
		return err
	}
	defer p.Close()
	calls := make(chan *ua.Call, 8)
	p.OnCall = func(c *ua.Call) { calls <- c }
	if err := json.NewEncoder(os.Stdout).Encode(line{State: "waiting", Addr: p.Addr()}); err != nil {
		return err
	}
	for {
		select {
		case c := <-calls:
			c.Ring()
			select {
			case <-time.After(rings):
			case <-c.Done():
				continue
			}
			if refuse != 0 {
				c.Refuse(refuse)
				continue
			}
			if err := c.Answer(ctx, tone); err != nil {
				continue // given up in the meantime
			}
			if err := report(ctx, c, listen, time.Hour); err != nil {
				return err
			}
		case <-ctx.Done():
			return nil
		}
	}
}

// report says what a call hears until it ends, or the person hangs up.
func report(ctx context.Context, c *ua.Call, listen float64, length time.Duration) error {
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
			if err := out.Encode(line{Ms: time.Since(began).Milliseconds(), State: "answered", Packets: c.Media.Packets(), Level: level, Share: share}); err != nil {
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
