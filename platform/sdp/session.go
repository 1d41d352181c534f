// Package sdp reads and writes the session descriptions (RFC 8866) of audio calls and runs their offer/answer
// exchange (RFC 3264): G.711 and telephone-event, hold, SDES keys (RFC 4568) and the WebRTC profile of an
// ICE-lite end point. It knows nothing of sockets and nothing of SIP: bytes in, bytes and an agreement out.
package sdp

import (
	"errors"
	"net/netip"
)

// The errors of an exchange. ErrSyntax is answered with SIP 400, the others with 488 (Not Acceptable Here).
var (
	ErrSyntax   = errors.New("sdp: the description cannot be read")
	ErrNoAudio  = errors.New("sdp: no audio stream that could be used is offered")
	ErrNoCodec  = errors.New("sdp: no common codec; allow PCMA or PCMU (G.711) on the peer")
	ErrSecurity = errors.New("sdp: no common media encryption; compare the SRTP settings of both sides")
	ErrRejected = errors.New("sdp: the peer refused the audio stream (port 0)")
	ErrOrder    = errors.New("sdp: an answer came without an offer of ours")
)

// Direction is the direction attribute of a stream, seen from the side that wrote it (RFC 3264 §5.1).
type Direction uint8

// The four directions. The zero value is SendRecv, as in SDP.
const (
	SendRecv Direction = iota
	SendOnly
	RecvOnly
	Inactive
)

// String gives the attribute's name.
func (d Direction) String() string {
	return [...]string{"sendrecv", "sendonly", "recvonly", "inactive"}[d&3]
}

// Sends says whether the side that wrote the direction sends media.
func (d Direction) Sends() bool { return d == SendRecv || d == SendOnly }

// Receives says whether the side that wrote the direction wants media.
func (d Direction) Receives() bool { return d == SendRecv || d == RecvOnly }

// Mirror gives the same stream seen from the other side: sendonly becomes recvonly.
func (d Direction) Mirror() Direction {
	switch d {
	case SendOnly:
		return RecvOnly
	case RecvOnly:
		return SendOnly
	}
	return d
}

// And gives what remains when both sides' wishes are put together, both seen from our side.
func (d Direction) And(e Direction) Direction {
	switch send, recv := d.Sends() && e.Sends(), d.Receives() && e.Receives(); {
	case send && recv:
		return SendRecv
	case send:
		return SendOnly
	case recv:
		return RecvOnly
	}
	return Inactive
}

// Payload is one RTP payload type of an m-line.
type Payload struct {
	Type uint8  // 0–127
	Name string // upper case: PCMA, PCMU, TELEPHONE-EVENT, G722, …; empty when a dynamic type has no rtpmap
	Rate int    // clock rate in Hz
	Fmtp string
}

// Candidate is one ICE candidate (RFC 8839 §5.1); only UDP and component 1 are kept by Parse.
type Candidate struct {
	Foundation string
	Priority   uint32
	Addr       netip.AddrPort // not valid for a name (mDNS): the peer is then learnt from its checks
	Kind       string         // host, srflx, prflx, relay
}

// ICE holds what the WebRTC profile adds to a stream (RFC 8839, RFC 8842, RFC 9143).
type ICE struct {
	Ufrag, Pwd  string
	Lite        bool
	Candidates  []Candidate
	Fingerprint string // "sha-256 AB:CD:…"
	Setup       string // actpass, active, passive
	Mid         string
}

// Audio is the audio stream that is used.
type Audio struct {
	Proto     string         // RTP/AVP, RTP/SAVP, UDP/TLS/RTP/SAVPF, …
	Addr      netip.AddrPort // where the writer wants RTP; the address is invalid when c= carries a host name
	RTCP      netip.AddrPort // where the writer wants RTCP; the zero value means the next port
	RTCPMux   bool
	Payloads  []Payload
	Direction Direction // hold by c=0.0.0.0 is already turned into Inactive or SendOnly
	Ptime     int       // ms, 0 when not given
	MaxPtime  int       // ms, 0 when not given
	Crypto    []Crypto
	ICE       ICE
}

// Session is a description reduced to what a telephone call needs.
type Session struct {
	OriginUser string
	OriginID   string
	Version    string
	Media      []string // the media of each m-line with its transport, in order: "audio RTP/AVP 0"
	Mids       []string // a=mid of each m-line, "" when absent
	Index      int      // which m-line Audio is; −1 when there is none
	Audio      Audio
	Rejected   bool // the audio line has port 0
}

// secure says whether the transport carries SRTP.
func (a *Audio) secure() bool { return a.Proto == "RTP/SAVP" || a.Proto == "RTP/SAVPF" }

// dtls says whether the keys come from DTLS (RFC 5764).
func (a *Audio) dtls() bool { return a.Proto == "UDP/TLS/RTP/SAVPF" || a.Proto == "UDP/TLS/RTP/SAVP" }

// find gives the first payload with the name at 8 kHz.
func (a *Audio) find(name string) (Payload, bool) {
	for _, p := range a.Payloads {
		if p.Name == name && p.Rate == 8000 {
			return p, true
		}
	}
	return Payload{}, false
}
