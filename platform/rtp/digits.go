package rtp

import (
	"context"
	"encoding/binary"
	"fmt"
	"strings"
	"time"

	"github.com/kapok-hotline/kapok/platform/audio"
)

// The usual length of a sent digit and of the pause after it.
const (
	DigitLength = 120 * time.Millisecond
	DigitPause  = 80 * time.Millisecond
)

// SendDigits sends digits (0–9 * # A–D) as telephone-events (RFC 4733 §2.5) to a leg and returns when the last
// pause is over or ctx ends. Sound written to the leg meanwhile is left out. A leg whose peer has not agreed to
// telephone-event drops them. length below 40 ms or above 5 s becomes DigitLength.
func SendDigits(ctx context.Context, leg audio.Sink, digits string, length time.Duration) error {
	if length < shortestDigit || length > 5*time.Second {
		length = DigitLength
	}
	codes := make([]byte, 0, len(digits))
	for _, r := range strings.ToUpper(digits) {
		code := strings.IndexRune(digitNames, r)
		if code < 0 {
			return fmt.Errorf("rtp: %q is no telephone key", r)
		}
		codes = append(codes, byte(code))
	}
	next := time.Now()
	for _, code := range codes {
		if err := sendDigit(ctx, leg, code, length, &next); err != nil {
			return err
		}
	}
	return nil
}

// sendDigit sends one event: a packet every 20 ms, the end three times, then the pause.
func sendDigit(ctx context.Context, leg audio.Sink, code byte, length time.Duration, next *time.Time) error {
	p := [4]byte{code, 10}
	f := audio.Frame{Codec: audio.Event, Marker: true, Payload: p[:]}
	steps := int((length + audio.FrameTime - 1) / audio.FrameTime)
	for i := 1; i <= steps+2; i++ {
		n := min(i, steps)
		binary.BigEndian.PutUint16(p[2:], uint16(n*audio.FrameSamples))
		if n == steps {
			p[1] |= 0x80
		}
		f.At = time.Now()
		if err := leg.Write(&f); err != nil {
			return err
		}
		f.Marker = false
		if err := until(ctx, next, audio.FrameTime); err != nil {
			return err
		}
	}
	return until(ctx, next, DigitPause)
}

// until waits for the next absolute deadline.
func until(ctx context.Context, next *time.Time, step time.Duration) error {
	*next = next.Add(step)
	t := time.NewTimer(time.Until(*next))
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
