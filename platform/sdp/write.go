package sdp

import (
	"fmt"
	"net/netip"
	"strings"
)

// EventPT is our own number for telephone-event when we offer.
const EventPT = 101

// offerPayloads is what we offer: the agreed codec alone once there is one, else both laws.
func (e *Exchange) offerPayloads() []Payload {
	event := Payload{Type: EventPT, Name: "TELEPHONE-EVENT", Rate: 8000, Fmtp: "0-16"}
	if e.have && e.agreed.EventPT != 0 {
		event.Type = e.agreed.EventPT
	}
	a, u := Payload{Type: 8, Name: "PCMA", Rate: 8000}, Payload{Type: 0, Name: "PCMU", Rate: 8000}
	switch {
	case e.have && e.agreed.Codec == "PCMU":
		return []Payload{u, event}
	case e.have, e.local.WebRTC != nil: // a browser takes A-law alone, and then nothing is ever translated
		return []Payload{a, event}
	case e.local.PreferMu:
		return []Payload{u, a, event}
	}
	return []Payload{a, u, event}
}

// write makes a description of ours. Each one has a version one above the last (RFC 3264 §8).
func (e *Exchange) write(d Direction, codecs []Payload, offer bool) []byte {
	e.version++
	var b strings.Builder
	ip := e.local.Addr.Addr()
	fmt.Fprintf(&b, "v=0\r\no=- %d %d IN %s\r\ns=-\r\nc=IN %s\r\nt=0 0\r\n", e.local.ID, e.version, family(ip), family(ip))
	if e.local.WebRTC != nil {
		fmt.Fprintf(&b, "a=ice-lite\r\na=group:BUNDLE %s\r\n", e.mid)
	}
	if len(e.media) == 0 {
		e.writeAudio(&b, d, codecs, offer)
		return []byte(b.String())
	}
	for i, m := range e.media {
		if i == e.index {
			e.writeAudio(&b, d, codecs, offer)
			continue
		}
		f := strings.Fields(m) // the others stay refused, in their places (RFC 3264 §6)
		format := "0"
		if len(f) > 2 {
			format = f[2]
		}
		fmt.Fprintf(&b, "m=%s 0 %s %s\r\n", f[0], f[1], format)
		if e.mids[i] != "" {
			fmt.Fprintf(&b, "a=mid:%s\r\n", e.mids[i])
		}
	}
	return []byte(b.String())
}

func (e *Exchange) writeAudio(b *strings.Builder, d Direction, codecs []Payload, offer bool) {
	fmt.Fprintf(b, "m=audio %d %s", e.local.Addr.Port(), e.proto)
	for _, c := range codecs {
		fmt.Fprintf(b, " %d", c.Type)
	}
	b.WriteString("\r\n")
	if w := e.local.WebRTC; w != nil {
		e.writeWebRTC(b, w, offer)
	} else {
		e.writePlain(b, offer)
	}
	for _, c := range codecs {
		name := c.Name
		if name == "TELEPHONE-EVENT" {
			name = "telephone-event" // some phones compare the case
		}
		fmt.Fprintf(b, "a=rtpmap:%d %s/%d\r\n", c.Type, name, c.Rate)
		if c.Fmtp != "" {
			fmt.Fprintf(b, "a=fmtp:%d %s\r\n", c.Type, c.Fmtp)
		}
	}
	fmt.Fprintf(b, "a=ptime:20\r\na=%s\r\n", d)
}

func (e *Exchange) writePlain(b *strings.Builder, offer bool) {
	mux := e.local.RTCPMux
	if !offer {
		mux = e.agreed.RTCPMux
	}
	if mux {
		b.WriteString("a=rtcp-mux\r\n")
	}
	switch {
	case e.proto != "RTP/SAVP" && e.proto != "RTP/SAVPF":
	case e.have:
		fmt.Fprintf(b, "a=crypto:%s\r\n", e.agreed.Send)
	default:
		for _, k := range e.keys {
			fmt.Fprintf(b, "a=crypto:%s\r\n", k)
		}
	}
}

func (e *Exchange) writeWebRTC(b *strings.Builder, w *WebRTC, offer bool) {
	setup := "passive"
	switch {
	case offer: // also later: the browser then keeps its role (RFC 8842 §5.5)
		setup = "actpass"
	case e.agreed.Client:
		setup = "active"
	}
	fmt.Fprintf(b, "a=mid:%s\r\na=rtcp-mux\r\na=ice-ufrag:%s\r\na=ice-pwd:%s\r\na=fingerprint:%s\r\na=setup:%s\r\n",
		e.mid, w.Ufrag, w.Pwd, w.Fingerprint, setup)
	fmt.Fprintf(b, "a=ssrc:%d cname:kapok\r\na=msid:kapok audio\r\n", e.local.SSRC)
	fmt.Fprintf(b, "a=candidate:1 1 udp 2130706431 %s %d typ host\r\na=end-of-candidates\r\n", e.local.Addr.Addr(), e.local.Addr.Port())
}

func family(ip netip.Addr) string {
	if ip.Is6() && !ip.Is4In6() {
		return "IP6 " + ip.String()
	}
	return "IP4 " + ip.Unmap().String()
}
