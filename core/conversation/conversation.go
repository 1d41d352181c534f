// Package conversation holds the shared words of contacts in writing: web chat, WeChat, Weibo, text messages and
// the site's questions. A channel meets the person and carries the messages; the inbox keeps the conversation, queues
// it, brings it to an agent and says what is sent.
package conversation

import (
	"context"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/id"
)

// Person is who writes, as their platform knows them. One person has one open contact per Thread at a time.
type Person struct {
	Medium  contact.Medium `json:"medium"`
	Account id.Account     `json:"account"`          // ours, that they wrote to: an item of the channel's section
	Key     string         `json:"key"`              // visitor id, openid, uid, or number in national form; up to 128 bytes
	Thread  string         `json:"thread,omitempty"` // keeps apart what one person writes in several places: the id of a comment
	Name    string         `json:"name,omitempty"`   // a handle to show; never proof of who they are
}

// Side says who speaks.
type Side string

// The sides.
const (
	FromPerson Side = "person"
	FromAgent  Side = "agent"
	FromHouse  Side = "house" // a flow, the assistant, a notice of ours
)

// Kind is what a message is made of.
type Kind string

// The kinds. Menu is a Text with Choices; Note is between agents and never sent.
const (
	Text     Kind = "text"
	Image    Kind = "image"
	Voice    Kind = "voice"
	Video    Kind = "video"
	File     Kind = "file"
	Location Kind = "location"
	Link     Kind = "link"
	Article  Kind = "article" // of the knowledge base: Text is what is sent, Ref the article
	Menu     Kind = "menu"
	Note     Kind = "note"
)

// State is how far a message has come. A person's message is Received at once.
type State string

// The states, in the order they come. Pending waits for approval; Unknown is a message of which the platform gave no
// answer: it may have arrived and is not sent again by itself.
const (
	Received  State = "received"
	Pending   State = "pending"
	Queued    State = "queued"
	Sent      State = "sent"
	Delivered State = "delivered"
	Seen      State = "seen"
	Failed    State = "failed"
	Unknown   State = "unknown"
	Withdrawn State = "withdrawn"
)

// Message is one thing said. Text is what was said, or the words beside a file; up to 20,000 bytes.
type Message struct {
	ID      id.Message `json:"id"`
	Contact id.Contact `json:"contact"`
	At      int64      `json:"at"` // unix ms
	Side    Side       `json:"side"`
	Agent   id.User    `json:"agent,omitempty"`
	Kind    Kind       `json:"kind"`
	Text    string     `json:"text,omitempty"`
	File    *Blob      `json:"file,omitempty"`
	Place   *Place     `json:"place,omitempty"`
	Link    string     `json:"link,omitempty"`
	Ref     string     `json:"ref,omitempty"` // the article, with its version
	Choices []Choice   `json:"choices,omitempty"`
	Quote   id.Message `json:"quote,omitempty"` // the message answered
	State   State      `json:"state"`
	Why     string     `json:"why,omitempty"` // of Failed and Unknown: a fault's code, said to the agent as a sentence
	Remote  string     `json:"remote,omitempty"`
}

// Blob is a file kept by the inbox. Type is what its bytes are, not what its name says.
type Blob struct {
	ID   id.File `json:"id"`
	Name string  `json:"name"`
	Type string  `json:"type"`
	Size int64   `json:"size"`
	Ms   int64   `json:"ms,omitempty"` // of voice and video
}

// Place is a point on the map, WGS-84 or as the platform gives it.
type Place struct {
	Lat   float64 `json:"lat"`
	Lon   float64 `json:"lon"`
	Label string  `json:"label,omitempty"`
}

// Choice is one entry of a menu in writing: Key is what the flow takes.
type Choice struct {
	Key  string `json:"key"`
	Text string `json:"text"`
}

// Inbound is what a channel brings. Dedup is the platform's own name of the message, unique within its account: the
// same one twice is taken once. Content holds a file's bytes where Message.File names one without an ID.
type Inbound struct {
	Person  Person
	Message Message
	Dedup   string
	Site    id.Site
	To      string // what was written to, as people know it: the account's name, the service number
	Entry   Entry
	Content []byte
	Former  id.Contact // a contact this answers, where the channel can tell: a text's extension, a follow-up code
}

// Entry is where a new conversation begins, as the account is configured: Flow first, else the assistant, else Queue.
type Entry struct {
	Flow      id.Flow           `json:"flow,omitempty"`
	Queue     id.Queue          `json:"queue,omitempty"`
	Assistant bool              `json:"assistant,omitempty"`
	Vars      map[string]string `json:"vars,omitempty"` // what a form asked before, a QR scene, a page's address
}

// Allowance is what the platform still lets be sent to a person. Left below 0 is without limit.
type Allowance struct {
	Left  int    `json:"left"`
	Until int64  `json:"until,omitempty"` // unix ms; 0: no end
	Why   string `json:"why,omitempty"`   // of Left 0: a fault's code that says what can be done instead
}

// Receipt is what a platform answered to a sent message.
type Receipt struct {
	State  State  // Sent, Pending or Unknown; with an error it is Failed
	Remote string // the platform's name of it, for withdrawing and later receipts
}

// NoticeKind says what a notice tells.
type NoticeKind string

// The notices of a conversation's course.
const (
	NoticeQueued  NoticeKind = "queued" // Ahead, and Minutes where a wait can be believed
	NoticeJoined  NoticeKind = "joined" // an agent has it: Agent is the name shown
	NoticeMoved   NoticeKind = "moved"  // back in a queue, or with another agent
	NoticeTyping  NoticeKind = "typing" // On
	NoticeEnded   NoticeKind = "ended"  // with Survey where satisfaction is asked for
	NoticeClosed  NoticeKind = "closed" // outside hours, or nobody there: a message can be left
	NoticeMessage NoticeKind = "message"
)

// Notice tells the person how their conversation stands. A channel that has no way to show one does nothing, or
// sends it as a text where that is free.
type Notice struct {
	Kind    NoticeKind `json:"kind"`
	Ahead   int        `json:"ahead,omitempty"`
	Minutes int        `json:"minutes,omitempty"`
	Agent   string     `json:"agent,omitempty"`
	On      bool       `json:"on,omitempty"`
	Survey  bool       `json:"survey,omitempty"`
	Text    string     `json:"text,omitempty"`
	Message *Message   `json:"message,omitempty"` // of NoticeMessage: one of theirs or ours changed (withdrawn, delivered)
}

// Outlet is what a channel does for the inbox; each channel in writing fills it. Send is called once for each message
// and must not be repeated by the channel once the platform may have taken it. Errors are faults.
type Outlet interface {
	Send(ctx context.Context, to Person, m Message, content func(context.Context) ([]byte, error)) (Receipt, error)
	Withdraw(ctx context.Context, to Person, m Message) error // fault conversation.withdraw.cannot where the platform has no way
	Notify(ctx context.Context, to Person, n Notice) error
	Allowance(ctx context.Context, to Person) (Allowance, error)
}

// Intake is what the inbox does for channels.
//
// Receive returns when the message is on the disk; then the platform may be told so. Update says how a sent message
// fared. Typing shows what is being written and not yet sent (preview empty: only that). Gone says the person has left
// for good; Present that they are there (asked of web chat alone). Rate takes satisfaction, 5 very … 1 not at all.
type Intake interface {
	Receive(ctx context.Context, in Inbound) (id.Contact, error)
	Update(ctx context.Context, m id.Message, state State, why string) error
	Typing(ctx context.Context, p Person, preview string) error
	Present(ctx context.Context, p Person, there bool) error
	Gone(ctx context.Context, p Person) error
	Rate(ctx context.Context, c id.Contact, grade int, words string) error
	Recall(ctx context.Context, p Person, m id.Message) error                              // the person withdrew one of theirs
	Past(ctx context.Context, p Person, before id.Message, most int) ([]Message, error)    // what was said, oldest first
	Standing(ctx context.Context, p Person) (c id.Contact, n Notice, open bool, err error) // how it stands, for who comes back
	Leave(ctx context.Context, in Inbound, until time.Time) (id.Contact, error)            // a message left outside hours, to be answered by until
}
