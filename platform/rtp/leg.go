// Package rtp is the media plane of telephone calls: legs that carry G.711 and telephone-events over RTP, SRTP or
// WebRTC, and the bridge between two of them. It knows nothing of SIP and nothing of call centres; descriptions
// go in and out as bytes of SDP, sound as audio.Frame. See DESIGN.md.
package rtp

import (
	"net/netip"
	"time"

	"github.com/kapok-hotline/kapok/platform/audio"
	"github.com/kapok-hotline/kapok/platform/sdp"
)

// Leg is one side of a call. A leg is an audio.Sink: what is written to it is sent to its peer.
type Leg interface {
	// Offer writes our description with the direction we want (sdp.SendOnly or sdp.Inactive: hold), to be sent
	// in an INVITE, a re-INVITE or the 200 to one without a body.
	Offer(want sdp.Direction) ([]byte, error)
	// Answer takes the peer's offer, the first or a later one, and gives our answer. The errors are those of
	// platform/sdp; media starts at once.
	Answer(offer []byte) ([]byte, error)
	// Accept takes the peer's answer to our offer. A second one (early media, a fork) replaces the first when
	// it comes before the next Offer.
	Accept(answer []byte) error
	// Write sends one frame, translated to the peer's law, payload type and numbering. It drops silently while
	// the peer is not known or does not want media. Safe for several goroutines.
	Write(f *audio.Frame) error
	// SetSink says who gets what the peer sends; nil for nobody. Frames under way may still reach the old one.
	SetSink(s audio.Sink)
	// Stats gives a snapshot of the counters.
	Stats() Stats
	// Close ends the media and frees the port. It may be called more than once.
	Close() error
}

// Events are told to the owner of a leg on media goroutines: a callback must only post a message. Any may be nil.
type Events struct {
	// Digit: the peer pressed a key (RFC 4733), told when it is released.
	Digit func(digit byte, length time.Duration)
	// Timeout: nothing was heard for the leg's Timeout although the peer is not on hold, or a browser's
	// consent has lapsed. Told once, and again after media has come back.
	Timeout func()
	// Up: media can flow: the first packet came in, or a browser's DTLS handshake is through.
	Up func()
	// Down: a browser leg could not be connected, or its peer closed it.
	Down func(error)
}

// Stats are the figures of a leg since it began.
type Stats struct {
	Codec     string         // PCMA or PCMU, empty before the agreement
	Secure    string         // the SRTP suite, empty in the clear
	Remote    netip.AddrPort // where we send
	Held      bool           // the peer has put us on hold
	Direction sdp.Direction  // ours

	Received uint64        // packets taken
	Lost     uint64        // packets that never came (RFC 3550 A.3, not below 0)
	Jitter   time.Duration // interarrival jitter (RFC 3550 §6.4.1)
	Heard    time.Time     // when the last packet was taken
	Bad      uint64        // packets that were not valid RTP, or failed authentication
	Foreign  uint64        // packets from an address that is not the peer's
	Flooded  uint64        // packets above the rate a call can have
	Stale    uint64        // packets of sound that had waited here too long when the kernel took over, and were left out
	Fast     bool          // the kernel relays what the peer says, at this moment
	Carried  uint64        // of those received, the ones it has relayed

	Sent       uint64
	Octets     uint64        // payload bytes sent
	PeerLoss   float64       // share lost on the way to the peer, 0–1, from its last RTCP report
	PeerJitter time.Duration // the same report
	RTT        time.Duration // round trip, 0 before it is known

	MOS     float64 // estimated quality of what we hear, 1–4.5; 0 before anything came
	PeerMOS float64 // estimated quality of what the peer hears, 0 before its first report
}
