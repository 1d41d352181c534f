package sip

import (
	"context"
	"errors"
	"time"

	"github.com/kapok-hotline/kapok/platform/sip/wire"
)

// ErrChallenged says that the call has been answered with a challenge or a refusal: the phone calls again with its
// password, or not at all. The Incoming is over.
var ErrChallenged = errors.New("sip: the caller was asked for its password")

// Authenticate finds out which registered user makes the call: by the connection it registered on, or by digest.
// On ErrChallenged the call has been answered and nothing more is to do.
func (r *Registrar) Authenticate(ctx context.Context, in *Incoming) (user string, err error) {
	if u, ok := r.OnFlow(in.Flow); ok {
		return u, nil
	}
	refuse := func(code int, h []Header) (string, error) {
		_, err := wait(ctx, in.l, func(done func(struct{}, error)) {
			if in.settled {
				done(struct{}{}, in.over())
				return
			}
			in.reject(code, "", h)
			done(struct{}{}, nil)
		})
		return "", errors.Join(ErrChallenged, err)
	}
	if r.cfg.Credentials == nil {
		return refuse(403, nil)
	}
	m := in.m
	if r.guesses.source(m.flow.Remote.Addr(), m.at) == guessSilent {
		return refuse(403, nil)
	}
	p, ok := wire.ReadProof(m.Head, "authorization", r.cfg.Realm)
	if !ok {
		return refuse(401, r.challenge(m, "WWW-Authenticate", false))
	}
	if ours, fresh := r.nonces.fresh(p.Nonce, m.at); !fresh {
		return refuse(401, r.challenge(m, "WWW-Authenticate", ours))
	}
	out := r.check(m, p)
	switch {
	case out.ok:
		return out.user, nil
	case out.stale:
		return refuse(401, r.challenge(m, "WWW-Authenticate", true))
	case out.slow:
		t := time.NewTimer(r.cfg.Guess.Delay)
		defer t.Stop()
		select {
		case <-t.C:
		case <-ctx.Done():
		case <-in.Canceled():
		}
		return refuse(403, nil)
	}
	return refuse(401, r.challenge(m, "WWW-Authenticate", false))
}
