package sip

import (
	"strings"
	"time"
)

// CallOptions say whom to call and how. One of Binding, Trunk and URI names the way: a registered phone or
// browser (its flow and Contact), a trunk (URI.User is the number), or the URI itself by DNS.
type CallOptions struct {
	URI     URI // Request-URI; empty with Binding: its Contact
	Binding *Binding
	Trunk   string

	From, To Address // an empty host in From is ours; To empty: the Request-URI
	Headers  []Header
	Body     []byte // our offer; must not be empty
	BodyType string // default application/sdp
	Auth     *Credentials
	// RingTimeout cancels a call without an answer; default 2 min.
	RingTimeout time.Duration
	// Events are set on the dialogs of the call before the first event.
	Events Events
}

// EventKind says what happened to a call of ours.
type EventKind string

// The kinds.
const (
	Progressed EventKind = "progressed" // a provisional response
	Answered   EventKind = "answered"   // Dialog is established; Body is the answer
	Failed     EventKind = "failed"     // nothing came of it: Code and Reason, Err when no response said so
)

// Event is one step of a call of ours. Code 0 with Failed means that nobody refused: Err says what happened.
type Event struct {
	Kind    EventKind
	Code    int
	Reason  string
	Body    []byte
	Dialog  *Dialog // the early one with Progressed when the peer gave a tag
	Err     error
	Headers func(name string) []string // of the response; nil when there was none
}

func headersOf(m *message) func(string) []string {
	return func(name string) []string {
		name = strings.ToLower(name)
		var out []string
		for _, f := range m.Fields {
			if f.Name == name {
				out = append(out, f.Value)
			}
		}
		return out
	}
}
