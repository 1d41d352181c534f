// Package logkey holds the keys of structured logs, so that one search finds a contact in every line about it.
package logkey

// Keys. Values are identifiers and codes, never a caller's number or words, and never a secret.
const (
	Contact = "contact" // core/id.Contact
	Leg     = "leg"     // core/id.Leg
	Agent   = "agent"   // core/id.User
	Node    = "node"    // core/id.Node
	Site    = "site"    // core/id.Site
	Queue   = "queue"   // core/id.Queue
	Offer   = "offer"   // core/id.Offer
	Flow    = "flow"    // core/id.Flow
	Trunk   = "trunk"   // core/id.Trunk
	Phone   = "phone"   // core/id.Phone
	Module  = "module"  // a folder of modules
	Subject = "subject" // of the bus
	Kind    = "kind"    // of a fact
	Seq     = "seq"     // of a fact
	CallID  = "call_id" // SIP's Call-ID
	Method  = "method"  // of SIP or HTTP
	Status  = "status"  // of SIP or HTTP
	Path    = "path"    // of HTTP, without its query
	Remote  = "remote"  // address and port of the other side
	LogID   = "log_id"  // what a person quotes from an error page
	Took    = "took"    // a duration
	Error   = "error"
)
