package acd

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/kapok-hotline/kapok/core/id"
)

// OfferNo numbers offers: the brain's fencing number in the upper 24 bits, a counter in the lower 40, so that
// two brains never give the same number.
type OfferNo uint64

const offerBits = 40

// ID gives the number as the identifier other parts of the house use: "<fence>-<count>".
func (n OfferNo) ID() id.Offer {
	return id.Offer(strconv.FormatUint(uint64(n)>>offerBits, 10) + "-" + strconv.FormatUint(uint64(n)&(1<<offerBits-1), 10))
}

// ParseOffer reads what OfferNo.ID wrote.
func ParseOffer(s id.Offer) (OfferNo, error) {
	fence, count, ok := strings.Cut(string(s), "-")
	f, err1 := strconv.ParseUint(fence, 10, 64-offerBits)
	c, err2 := strconv.ParseUint(count, 10, offerBits)
	if !ok || err1 != nil || err2 != nil {
		return 0, fmt.Errorf("acd: %q is not an offer number; it is written <fence>-<count>", string(s))
	}
	return OfferNo(f<<offerBits | c), nil
}

// CommandKind says what the caller of Apply has to do or to note.
type CommandKind uint8

// The commands, with the fields of Command each fills. Every Offer ends in exactly one Connect or Withdraw.
// Every Queued ends in exactly one Connect or Exit, or with the contact leaving or being taken by an agent.
const (
	Queued     CommandKind = iota + 1 // Contact, Queue, EnteredAt, Bonus: has a place in the queue
	Offer                             // Offer, Contact, Agent, Queue, Deadline, Ring, Relax, Cause: ring the agent
	Withdraw                          // Offer, Contact, Agent, Queue, Why: stop ringing if it still does
	Connect                           // Offer, Contact, Agent, Queue: the accept is confirmed, join the legs
	Void                              // Offer, Contact, Agent: an accept for an offer that is no more; end that leg
	Requeued                          // Contact, Queue, EnteredAt, Why: back at its original place
	Exit                              // Contact, Queue, Rule, Why: leaves the queue unserved; the brain has let it go
	AgentState                        // Agent, State, Reason, Contact, Since, Deadline, Pending
	Check                             // Agent, State, Contact, Since: overdue; ask whether this is real and send what is true
	Rejected                          // Agent, Contact, Queue, Why: the event could not be followed
)

// State is what an agent does. Hold belongs to the leg and is talking here.
type State uint8

// The states, derived from what the brain knows of the agent: talking while a contact is open, else wrap-up, else
// reserved while an offer rings, else away, else ready.
const (
	SignedOut State = iota
	Ready
	Reserved
	Talking
	WrapUp
	Away
)

// Reasons of the state away that the brain itself gives; all others are the agent's words.
const (
	ReasonMissed   = "missed"   // missed or failed offers; with a Deadline it is only a rest
	ReasonRefused  = "refused"  // resting after a refusal
	ReasonEndpoint = "endpoint" // no endpoint, and no channel that works without
	ReasonWrapUp   = "wrap_up"  // the longest wrap-up is over and nobody ended it
)

// ReasonHouse is the reason of an OfferFailed that is the house's own fault: it is not held against the agent, who
// rests all the same, so that others are asked first.
const ReasonHouse = "house"

// Why says why something was done.
type Why uint8

// The reasons.
const (
	WhyNone      Why = iota
	WhyLeft          // the contact hung up or was lost
	WhyMoved         // entered another queue, or an agent took it directly
	WhyMissed        // the offer's deadline passed
	WhyRefused       // the agent refused
	WhyFailed        // the endpoint could not be rung
	WhySignedOut     // the agent signed out or was lost
	WhyTook          // the agent took another contact directly
	WhyFull          // the queue is at its greatest length
	WhyMaxWait       // waited the longest allowed time
	WhyClosed        // came while the queue was closed
	WhyClosing       // waited when the queue closed
	WhyNoAgent       // nobody is signed in who could take it
	WhyRemoved       // the queue is gone
	WhyNoQueue       // no such queue
	WhyNoChannel     // no such channel
	WhyNoAgentID     // no such agent signed in
	WhyCapacity      // the agent has no room for it
	WhyInvalid       // the event lacks what it needs
)

// Cause says what made the brain decide.
type Cause uint8

// The causes of an offer.
const (
	ByContact Cause = iota + 1 // a contact came, came back or widened its circle: the best free agent
	ByAgent                    // an agent became free: the first contact in order
	BySticky                   // the contact's own agent
)

// Command is one output, flat like Event.
type Command struct {
	Kind      CommandKind `json:"kind"`
	Offer     OfferNo     `json:"offer,omitempty"`
	Contact   id.Contact  `json:"contact,omitempty"`
	Agent     id.User     `json:"agent,omitempty"`
	Queue     id.Queue    `json:"queue,omitempty"`
	State     State       `json:"state,omitempty"`
	Why       Why         `json:"why,omitempty"`
	Cause     Cause       `json:"cause,omitempty"`
	Ring      uint8       `json:"ring,omitempty"`  // rings open
	Relax     uint8       `json:"relax,omitempty"` // levels let go
	Bonus     int         `json:"bonus,omitempty"` // points granted for redialling
	Rule      Rule        `json:"rule,omitempty"`
	Reason    string      `json:"reason,omitempty"`
	Pending   string      `json:"pending,omitempty"` // away wanted and remembered: its reason
	EnteredAt int64       `json:"entered_at,omitempty"`
	Since     int64       `json:"since,omitempty"`
	// Deadline: of an offer the moment the endpoint should stop ringing; of a state the moment it ends by itself.
	Deadline int64 `json:"deadline,omitempty"`
}
