package app

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/modules/voice"
	"github.com/kapok-hotline/kapok/platform/sip"
)

// Headers of a call from one process to an endpoint that only another reaches: whom it is for, and the proof that one
// who knows the house's secret asks, now.
const (
	headerRelay = "X-Kapok-Relay"
	headerProof = "X-Kapok-Proof"
	proofLife   = 30 * time.Second // both ways: clocks differ, and a proof overheard is soon worth nothing
)

// relayed is what the header says, as JSON in hex.
type relayed struct {
	Endpoint contact.Endpoint `json:"endpoint"`
	Contact  id.Contact       `json:"contact"`
}

// relayAddress is where other processes call this one.
func (h *House) relayAddress() string {
	at := h.voice.SIP().Addr("udp")
	if !at.IsValid() {
		return ""
	}
	return sip.URI{Scheme: "sip", User: "relay", Host: h.o.Advertise.String(), Port: int(at.Port())}.String()
}

// Way is voice.Far's.
func (p *peers) Way(at contact.Endpoint, c id.Contact) (voice.Way, bool) {
	x, ok := p.where(at)
	if !ok || x.Node == p.h.o.Node {
		return voice.Way{}, false
	}
	address := x.URI
	if address == "" {
		address = x.Relay
	}
	uri, err := sip.ParseURI(address)
	if err != nil {
		return voice.Way{}, false
	}
	w := voice.Way{URI: uri}
	if x.URI == "" {
		b, err := json.Marshal(relayed{at, c})
		if err != nil {
			return w, false
		}
		text, now := hex.EncodeToString(b), strconv.FormatInt(p.h.clock.Now().Unix(), 10)
		w.Headers = []sip.Header{{Name: headerRelay, Value: text}, {Name: headerProof, Value: now + "." + p.prove(text, now)}}
	}
	return w, true
}

func (p *peers) prove(text, at string) string {
	mac := hmac.New(sha256.New, []byte("kapok relay "+p.h.o.Cluster.Secret))
	mac.Write([]byte(at + " " + text))
	return hex.EncodeToString(mac.Sum(nil))
}

// Relay is voice.Far's.
func (p *peers) Relay(header func(string) []string) (contact.Endpoint, id.Contact, bool) {
	var r relayed
	text, proof := header(headerRelay), header(headerProof)
	if len(text) != 1 || len(proof) != 1 {
		return r.Endpoint, "", false
	}
	at, mac, _ := strings.Cut(proof[0], ".")
	if !hmac.Equal([]byte(mac), []byte(p.prove(text[0], at))) {
		return r.Endpoint, "", false
	}
	unix, err := strconv.ParseInt(at, 10, 64)
	if err != nil || p.h.clock.Now().Sub(time.Unix(unix, 0)).Abs() > proofLife {
		return r.Endpoint, "", false
	}
	b, err := hex.DecodeString(text[0])
	if err != nil || json.Unmarshal(b, &r) != nil {
		return r.Endpoint, "", false
	}
	return r.Endpoint, r.Contact, true
}
