package app

import (
	"context"
	"time"

	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/modules/voice"
)

// diskOrder is what is asked of the recordings on another process's disk.
type diskOrder struct {
	Verb      string `json:"verb"` // sealed, erase, rewrap
	Recording string `json:"recording,omitempty"`
	From      int64  `json:"from,omitempty"`
	N         int    `json:"n,omitempty"`
	Actor     string `json:"actor,omitempty"`
	Why       string `json:"why,omitempty"`
}

// diskReply is the answer; a part of a file travels as it lies there, sealed.
type diskReply struct {
	Part []byte `json:"part,omitempty"`
	Size int64  `json:"size,omitempty"`
	Done int64  `json:"done,omitempty"`
}

// fromDisk carries out an order about the recordings here. Who asks has seen to the right and writes the audit.
func (p *peers) fromDisk(ctx context.Context, o diskOrder) (r diskReply, err error) {
	v := p.h.voice
	switch o.Verb {
	case "sealed":
		r.Part, r.Size, err = v.SealedHere(ctx, o.Recording, o.From, o.N)
		return r, err
	case "erase":
		err = v.EraseHere(ctx, o.Recording, o.Actor, o.Why)
	case "rewrap":
		r.Done, err = v.RewrapHere(ctx, o.Actor)
	default:
		err = fault.New(fault.Invalid, "platform.order.unknown", "verb", o.Verb)
	}
	return r, err
}

// rewrapBound is how long another process is waited for that puts its recordings under a new key.
const rewrapBound = 5 * time.Minute

// farDisks reaches the recordings and calls of other processes, for voice.
type farDisks struct{ p *peers }

func (d farDisks) ask(ctx context.Context, at id.Node, o diskOrder) (r diskReply, err error) {
	return r, d.p.h.bus.Ask(ctx, voiceSubject(at, "disk"), o, &r)
}

// Sealed is voice.Others'.
func (d farDisks) Sealed(ctx context.Context, at id.Node, recording string, from int64, n int) ([]byte, int64, error) {
	r, err := d.ask(ctx, at, diskOrder{Verb: "sealed", Recording: recording, From: from, N: min(n, voice.SealedMost)})
	return r.Part, r.Size, err
}

// Erase is voice.Others'.
func (d farDisks) Erase(ctx context.Context, at id.Node, recording, actor, why string) error {
	ctx, cancel := context.WithTimeout(ctx, farRinging) // a long recording is hashed and overwritten
	defer cancel()
	_, err := d.ask(ctx, at, diskOrder{Verb: "erase", Recording: recording, Actor: actor, Why: why})
	return err
}

// Rewrap is voice.Others'.
func (d farDisks) Rewrap(ctx context.Context, at id.Node, by string) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, rewrapBound)
	defer cancel()
	r, err := d.ask(ctx, at, diskOrder{Verb: "rewrap", Actor: by})
	return r.Done, err
}

// Pause is voice.Others'.
func (d farDisks) Pause(ctx context.Context, c id.Contact, by id.User, on bool) error {
	return anyVoice{d.p.h.voice, d.p}.do(ctx, farOrder{Verb: "pause", Contact: c, By: by, Hold: on}, func() error {
		return d.p.h.voice.PauseRecording(ctx, c, by, on)
	})
}
