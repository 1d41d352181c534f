package sdp

import (
	"crypto/rand"
	"fmt"
	"net/netip"
	"strings"
)

// Encryption says what an exchange does about media encryption on a plain leg.
type Encryption uint8

// The three policies of SDES (RFC 4568); WebRTC legs always use DTLS-SRTP.
const (
	Clear    Encryption = iota // RTP/AVP only
	Either                     // takes RTP/SAVP when it is offered, offers RTP/AVP
	Required                   // RTP/SAVP only
)

// Local is our side of one leg: what is announced. It does not change during the leg's life.
type Local struct {
	ID       uint64         // o= session id, unique for the leg
	Addr     netip.AddrPort // announced address and RTP port
	RTCPMux  bool           // offer rtcp-mux on a plain leg (always on with WebRTC)
	PreferMu bool           // PCMU before PCMA; the default is A-law first, as in China and Europe
	SDES     Encryption
	WebRTC   *WebRTC // set for a browser leg
	SSRC     uint32  // announced on a browser leg
}

// WebRTC is what a browser leg announces: an ICE-lite end point on one port (RFC 8445 §2.5).
type WebRTC struct {
	Ufrag, Pwd  string
	Fingerprint string // "sha-256 AB:CD:…" of our certificate

	// Renew gives new credentials when the browser restarts ICE (RFC 8445 §9); the answer carries them.
	Renew func() (ufrag, pwd string)
}

// Agreement is what holds after an answer in either direction.
type Agreement struct {
	Codec     string // PCMA or PCMU: what we send
	SendPT    uint8  // the peer's number for Codec
	EventPT   uint8  // the peer's number for telephone-event; 0 when it has none
	Recv      []Payload
	Remote    netip.AddrPort // signalled RTP address; may be invalid (host name, hold by 0.0.0.0): learn it from packets
	RTCP      netip.AddrPort // signalled RTCP address; with RTCPMux the same as Remote
	RTCPMux   bool
	Direction Direction // ours: Sends() says whether we may send
	Held      bool      // the peer has put us on hold: it does not want our media
	Ptime     int       // the peer's wish in ms, 20 when it gave none
	Send      Crypto    // our SDES key, Tag 0 when the leg is in the clear
	Receive   Crypto    // the peer's SDES key
	Peer      ICE       // the browser's side
	Client    bool      // we are the DTLS client (RFC 5763 §5)
	Restarted bool      // the peer came with new ICE credentials
}

// Exchange is the offer/answer state of one leg. It is not safe for use by several goroutines.
type Exchange struct {
	local   Local
	version uint64
	offered bool      // the last description was an offer of ours
	wish    Direction // what we offered last
	keys    []Crypto  // our keys, one per suite, the same during the leg's life
	agreed  Agreement
	have    bool
	mid     string
	media   []string // the m-lines of the session, so that later offers keep their number and order
	mids    []string
	index   int
	proto   string
}

// NewExchange begins the exchange of a leg.
func NewExchange(local Local) *Exchange {
	e := &Exchange{local: local, mid: "0", proto: "RTP/AVP"}
	switch {
	case local.WebRTC != nil:
		e.proto = "UDP/TLS/RTP/SAVPF"
	case local.SDES == Required:
		e.proto = "RTP/SAVP"
	}
	if local.SDES != Clear && local.WebRTC == nil {
		for i, s := range []string{SuiteGCM, SuiteSHA1} {
			key := make([]byte, KeyLength(s))
			_, _ = rand.Read(key) // never fails (crypto/rand)
			e.keys = append(e.keys, Crypto{Tag: i + 1, Suite: s, Key: key})
		}
	}
	return e
}

// Agreed gives what was agreed last; ok is false before the first answer.
func (e *Exchange) Agreed() (a Agreement, ok bool) { return e.agreed, e.have }

// Offer writes our offer with the direction we want: SendRecv to begin or resume, SendOnly or Inactive to hold.
// The peer's answer goes to Accept. A later offer repeats what was agreed.
func (e *Exchange) Offer(wish Direction) []byte {
	e.offered, e.wish = true, wish
	return e.write(wish, e.offerPayloads(), true)
}

// Answer reads the peer's offer, first or later, and writes our answer: the stored state with a new version and
// the mirrored direction (RFC 3264 §6.1). On an error the state is unchanged.
func (e *Exchange) Answer(offer []byte) ([]byte, error) {
	s, err := Parse(offer)
	if err != nil {
		return nil, err
	}
	if s.Index < 0 || s.Rejected {
		return nil, ErrNoAudio
	}
	a, codecs, err := e.agree(s, true)
	if err != nil {
		return nil, err
	}
	a.Direction = s.Audio.Direction.Mirror()
	a.Restarted = e.have && a.Peer.Ufrag != e.agreed.Peer.Ufrag
	if w := e.local.WebRTC; w != nil && a.Restarted && w.Renew != nil {
		w.Ufrag, w.Pwd = w.Renew()
	}
	e.take(s, a)
	e.offered = false
	return e.write(a.Direction, codecs, false), nil
}

// Accept reads the peer's answer to our Offer. It may be called again for the same offer: the 200 after a 183 with
// early media, or another branch of a fork.
func (e *Exchange) Accept(answer []byte) error {
	if !e.offered {
		return ErrOrder
	}
	s, err := Parse(answer)
	if err != nil {
		return err
	}
	if s.Index < 0 {
		return ErrNoAudio
	}
	if s.Rejected {
		return ErrRejected
	}
	a, _, err := e.agree(s, false)
	if err != nil {
		return err
	}
	a.Direction = e.wish.And(s.Audio.Direction.Mirror())
	a.Restarted = e.have && a.Peer.Ufrag != e.agreed.Peer.Ufrag
	e.take(s, a)
	return nil
}

func (e *Exchange) take(s *Session, a Agreement) {
	e.agreed, e.have = a, true
	e.media, e.mids, e.index, e.proto = s.Media, s.Mids, s.Index, s.Audio.Proto
	if s.Audio.ICE.Mid != "" {
		e.mid = s.Audio.ICE.Mid
	}
}

// agree works out the codecs, the keys and the addresses of a remote description. codecs is what our answer lists.
func (e *Exchange) agree(s *Session, offer bool) (a Agreement, codecs []Payload, err error) {
	r := &s.Audio
	codec, ok := e.choose(r)
	if !ok {
		return a, nil, ErrNoCodec
	}
	a = Agreement{
		Codec: codec.Name, SendPT: codec.Type, Remote: r.Addr, RTCP: r.RTCP, RTCPMux: r.RTCPMux,
		Held: !r.Direction.Receives(), Ptime: r.Ptime, Peer: r.ICE,
	}
	if a.Ptime == 0 {
		a.Ptime = 20
	}
	codecs = []Payload{codec}
	if ev, ok := r.find("TELEPHONE-EVENT"); ok {
		a.EventPT = ev.Type
		codecs = append(codecs, Payload{Type: ev.Type, Name: ev.Name, Rate: 8000, Fmtp: "0-16"})
	}
	a.Recv = codecs
	if !offer { // what we offered may come under our numbers or, from careless phones, under theirs
		a.Recv = append(e.offerPayloads(), codecs...)
	}
	if !a.RTCPMux || (!offer && !e.local.RTCPMux && e.local.WebRTC == nil) {
		a.RTCPMux = false
		if !a.RTCP.IsValid() && a.Remote.IsValid() && a.Remote.Port() < 65535 {
			a.RTCP = netip.AddrPortFrom(a.Remote.Addr(), a.Remote.Port()+1)
		}
	} else {
		a.RTCP = a.Remote
	}
	return a, codecs, e.secure(s, offer, &a)
}

// choose picks the codec: the one in use while it is still there, else our order of preference.
func (e *Exchange) choose(r *Audio) (Payload, bool) {
	order := []string{"PCMA", "PCMU"}
	if e.local.PreferMu {
		order = []string{"PCMU", "PCMA"}
	}
	if e.have {
		order = append([]string{e.agreed.Codec}, order...)
	}
	for _, name := range order {
		if p, ok := r.find(name); ok {
			return p, true
		}
	}
	return Payload{}, false
}

// secure matches the transport and finds the keys.
func (e *Exchange) secure(s *Session, offer bool, a *Agreement) error {
	r := &s.Audio
	if e.local.WebRTC != nil {
		return e.webrtc(r, offer, a)
	}
	switch {
	case r.dtls():
		return fmt.Errorf("%w: %s on a plain leg", ErrSecurity, r.Proto)
	case !r.secure():
		if e.local.SDES == Required {
			return fmt.Errorf("%w: %s, but encryption is required", ErrSecurity, clip(r.Proto))
		}
		if !strings.HasPrefix(r.Proto, "RTP/AVP") {
			return fmt.Errorf("%w: transport %s", ErrNoAudio, clip(r.Proto))
		}
		return nil
	case e.local.SDES == Clear:
		return fmt.Errorf("%w: %s offered, but encryption is off", ErrSecurity, r.Proto)
	}
	for _, mine := range e.keys {
		for _, his := range r.Crypto {
			// In an answer the tag says which of our lines was taken (RFC 4568 §5.1.3).
			if his.Suite != mine.Suite || (!offer && his.Tag != mine.Tag) {
				continue
			}
			a.Receive = his
			a.Send = mine
			if offer {
				a.Send.Tag = his.Tag
			}
			return nil
		}
	}
	return fmt.Errorf("%w: no crypto line with %s or %s", ErrSecurity, SuiteGCM, SuiteSHA1)
}

// webrtc checks the browser's part and settles the DTLS role.
func (e *Exchange) webrtc(r *Audio, offer bool, a *Agreement) error {
	p := r.ICE
	switch {
	case !r.dtls():
		return fmt.Errorf("%w: %s on a browser leg", ErrSecurity, clip(r.Proto))
	case p.Ufrag == "" || p.Pwd == "":
		return fmt.Errorf("%w: no ICE credentials", ErrSecurity)
	case p.Fingerprint == "":
		return fmt.Errorf("%w: no certificate fingerprint", ErrSecurity)
	case e.have && !strings.EqualFold(p.Fingerprint, e.agreed.Peer.Fingerprint):
		return fmt.Errorf("%w: another certificate in the same call", ErrSecurity)
	case p.Lite:
		return fmt.Errorf("%w: both sides are ICE-lite", ErrSecurity)
	}
	a.RTCPMux, a.RTCP = true, a.Remote
	switch p.Setup {
	case "actpass", "active": // we are passive, which also lets us choose the SRTP profile
	case "passive":
		a.Client = true
	default:
		return fmt.Errorf("%w: setup:%s", ErrSecurity, clip(p.Setup))
	}
	if !offer && p.Setup == "actpass" {
		return fmt.Errorf("%w: setup:actpass in an answer", ErrSecurity)
	}
	return nil
}
