package sip

import (
	"context"
	"strconv"
	"time"
)

// SendDTMF sends a key as INFO with application/dtmf-relay.
func (d *Dialog) SendDTMF(ctx context.Context, key byte, length time.Duration) error {
	body := "Signal=" + string(rune(key)) + "\r\nDuration=" + strconv.Itoa(int(length/time.Millisecond)) + "\r\n"
	return d.Info(ctx, "application/dtmf-relay", []byte(body))
}
