package voice

import (
	"errors"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/platform/sdp"
)

// errNotOverTLS says that a phone whose calls must be encrypted came without TLS, where keys would be read by all.
var errNotOverTLS = errors.New("voice: the phone's media setting is srtp, but it is not registered over TLS: let it register over TLS, or set auto or plain")

// overTLS says whether media keys may stand in the description: only where signalling is encrypted too (RFC 4568 §5.1).
func overTLS(transport string) bool { return transport == "tls" }

// keysFrom says how media of a call that comes in is secured: a phone's setting holds, a trunk brings what it brings.
func keysFrom(media Media, transport string) (sdp.Encryption, error) {
	switch {
	case media == MediaSRTP && !overTLS(transport):
		return sdp.Clear, errNotOverTLS
	case media == MediaSRTP:
		return sdp.Required, nil
	case media == MediaPlain, !overTLS(transport):
		return sdp.Clear, nil
	}
	return sdp.Either, nil
}

// keysTo says what is offered to an endpoint of ours, and whether a 488 may be followed by an offer in the clear.
func keysTo(media Media, transport string) (keys sdp.Encryption, plainToo bool, err error) {
	switch keys, err = keysFrom(media, transport); {
	case err != nil:
		return keys, false, fault.New(fault.Unavailable, "contact.unreachable").Because(err)
	case keys == sdp.Either: // an offer is one or the other (RFC 4568 §5.1.1): the phone may refuse, and is asked again
		return sdp.Required, true, nil
	}
	return keys, false, nil
}

// keysFor is keysTo for a side that is to be called: trunks are offered what every trunk takes.
func (m *Module) keysFor(s *side) (sdp.Encryption, bool, error) {
	if s.endpoint.Phone == "" {
		return sdp.Clear, false, nil
	}
	transport := "" // registered at another process, or not at all: no way to give keys to
	if b := m.binding(s.endpoint); b != nil {
		transport = b.Flow.Transport
	}
	return keysTo(m.mediaOf(s.endpoint), transport)
}

func (m *Module) mediaOf(at contact.Endpoint) Media { return m.snap.Load().phones[at.Phone].Media }
