// Package contact holds the shared words of a contact: one approach of one person on one channel, from the
// first ring to the last wrap-up. Transfer, consult and conference are further legs of the same contact.
package contact

import (
	"context"

	"github.com/kapok-hotline/kapok/core/id"
)

// Medium is the kind of channel a contact came by; rates are kept apart per medium.
type Medium string

// The media.
const (
	Phone  Medium = "phone"
	Chat   Medium = "chat"
	WeChat Medium = "wechat"
	Weibo  Medium = "weibo"
	SMS    Medium = "sms"

	Question Medium = "question" // asked on the site, answered when it is answered
)

// Direction says who approached whom.
type Direction string

// The directions.
const (
	In  Direction = "in"
	Out Direction = "out"
)

// Endpoint is where an agent is reached: the browser the desk runs in, or a registered seat phone.
type Endpoint struct {
	Agent id.User  `json:"agent"`
	Phone id.Phone `json:"phone,omitempty"` // empty: the agent's browser
}

// Browser reports whether the endpoint is the agent's browser.
func (e Endpoint) Browser() bool { return e.Phone == "" }

// TargetKind says what a contact can be moved to.
type TargetKind string

// The kinds of target.
const (
	ToQueue  TargetKind = "queue"
	ToAgent  TargetKind = "agent"
	ToNumber TargetKind = "number" // an outside number
	ToFlow   TargetKind = "flow"
)

// Target is what a contact is moved to; Code is the queue's, user's or flow's code, or the number.
type Target struct {
	Kind TargetKind `json:"kind"`
	Code string     `json:"code"`
}

// Party says who ended a contact or a leg.
type Party string

// The parties.
const (
	ByCaller Party = "caller"
	ByAgent  Party = "agent"
	BySystem Party = "system"
)

// Outcome is how a contact ended. Exactly one holds per contact.
type Outcome string

// The outcomes.
const (
	Answered  Outcome = "answered"  // an agent spoke with the person
	Served    Outcome = "served"    // a flow reached a step marked served, and no agent was asked for
	Abandoned Outcome = "abandoned" // the person left while waiting for an agent
	Left      Outcome = "left"      // the person left inside a flow, before asking for an agent and unserved
	Turned    Outcome = "turned"    // the house turned the person away: closed, queue full, nobody signed in
	Failed    Outcome = "failed"    // a fault of ours or of the network
)

// Offer is what a channel needs to ring an agent for a contact.
type Offer struct {
	ID       id.Offer   `json:"id"`
	Contact  id.Contact `json:"contact"`
	Queue    id.Queue   `json:"queue"`
	Endpoint Endpoint   `json:"endpoint"`
}

// Channel is filled once per medium. Routing and desk call it, nobody else.
//
// Connect rings the endpoint and returns when it took the contact (nil), refused or failed (a fault with code
// contact.refused, contact.busy, contact.unreachable); cancelling ctx stops the ringing. When the endpoint
// accepts, the channel asks confirm before it joins anybody: false means the offer is no more (the person left,
// the deadline passed, another brain decided), and the channel lets the endpoint go and the contact wait on.
// Move takes the contact away from its agent and brings it to the target. End ends the contact for everybody.
type Channel interface {
	Connect(ctx context.Context, offer Offer, confirm func() bool) error
	Move(ctx context.Context, c id.Contact, by id.User, to Target) error
	End(ctx context.Context, c id.Contact, by Party) error
}
