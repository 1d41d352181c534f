package acd

import "github.com/kapok-hotline/kapok/core/id"

// EventKind says what happened.
type EventKind uint8

// The events, with the fields of Event each reads. Every event first lets the timers that are due fire.
const (
	Tick            EventKind = iota // nothing but the timers
	SettingsChanged                  // Settings
	QueueConfigured                  // Config: new or changed queue; who waits keeps the place
	QueueRemoved                     // Queue: who waits exits with WhyRemoved
	QueueClosed                      // Queue
	QueueOpened                      // Queue
	AgentSignedIn                    // Profile, Ready, Endpoint, Reason (of not ready), Since (idle since), Missed
	AgentSignedOut                   // Agent: the offer goes back, its contacts are let go
	AgentChanged                     // Profile: skills, sites, queues, slots; the state stays
	AgentReady                       // Agent: wants ready (does not end a wrap-up)
	AgentAway                        // Agent, Reason: wants away; honoured after talk and wrap-up
	EndpointLost                     // Agent
	EndpointBack                     // Agent
	ContactEntered                   // Contact, Queue, Channel, EnteredAt, Since, Priority, Bonus, Needs, Sticky, Caller, Site, Rejoin
	ContactLeft                      // Contact: hung up, or lost
	OfferAccepted                    // Agent, Offer (Contact is echoed when the offer is void)
	OfferRefused                     // Agent, Offer
	OfferFailed                      // Agent, Offer, Reason: the endpoint could not be rung
	ContactDone                      // Agent, Contact: this agent's leg ended → wrap-up
	WrapUpDone                       // Agent, Contact (empty = all of this agent)
	WrapUpExtended                   // Agent, Contact (empty = all), Until
	AgentTook                        // Agent, Contact, Channel, WrapUp, Since, Force: consult, call-out, transfer to the agent
	AgentWrapping                    // Agent, Contact, Channel, Since, Until: a wrap-up found at a take-over
	MatchingHeld                     // no offers and no timers until MatchingResumed: while a state is fed in
	MatchingResumed                  //
)

// Event is one input. It is flat so that feeding it allocates nothing; the brain keeps strings, and copies what
// the slices and pointers refer to.
type Event struct {
	Kind    EventKind  `json:"kind"`
	Contact id.Contact `json:"contact,omitempty"`
	Agent   id.User    `json:"agent,omitempty"`
	Queue   id.Queue   `json:"queue,omitempty"`
	Offer   OfferNo    `json:"offer,omitempty"`
	Channel Channel    `json:"channel,omitempty"`
	Reason  string     `json:"reason,omitempty"`

	// EnteredAt gives the place in the order: the past after a take-over, a transfer or a call-back that keeps
	// its place; 0 = now. Since is when this wait began (relaxing, rings and the longest wait count from it);
	// 0 = EnteredAt. For agents Since is the begin of the idle time, the talk or the wrap-up; 0 = now.
	EnteredAt int64 `json:"entered_at,omitempty"`
	Since     int64 `json:"since,omitempty"`
	Until     int64 `json:"until,omitempty"`

	Priority int     `json:"priority,omitempty"` // points
	Bonus    int     `json:"bonus,omitempty"`    // points a Queued command granted for redialling; with Rejoin
	Needs    []Need  `json:"needs,omitempty"`    // beyond those of the queue
	Sticky   id.User `json:"sticky,omitempty"`
	Caller   string  `json:"caller,omitempty"` // the same for every attempt of one caller
	Site     id.Site `json:"site,omitempty"`
	Rejoin   bool    `json:"rejoin,omitempty"` // was in the queue before: no check of length or closing

	WrapUp   int64 `json:"wrap_up,omitempty"` // AgentTook: 0 = Settings.DirectWrapUp
	Force    bool  `json:"force,omitempty"`   // AgentTook: it is so, whatever the capacity
	Ready    bool  `json:"ready,omitempty"`
	Endpoint bool  `json:"endpoint,omitempty"`
	Missed   int   `json:"missed,omitempty"`

	Settings *Settings `json:"settings,omitempty"`
	Config   *Queue    `json:"config,omitempty"`
	Profile  *Agent    `json:"profile,omitempty"`
}
