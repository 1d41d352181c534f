package tally

import (
	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/id"
)

// Request says who asked for an agent: a caller counts once a local day and medium, in the queue, site and slot
// of the day's first request.
type Request struct {
	Day      string
	Medium   contact.Medium
	Caller   string // the key of contact.queued; a withheld number counts as a caller of its own
	At       int64
	Contact  id.Contact // settles requests of the same millisecond
	Slot     int
	Site     id.Site
	Queue    id.Queue
	Answered bool // any visit of the contact
}

// CallerKey names a caller on a day.
type CallerKey struct {
	Day    string
	Medium contact.Medium
	Caller string
}

// Key gives the caller's.
func (r *Request) Key() CallerKey { return CallerKey{r.Day, r.Medium, r.Caller} }

// Request gives the contact's request for an agent, nil when it made none.
func (c *Contact) Request() *Request {
	v := c.Asked()
	if v == nil || c.Started == 0 {
		return nil
	}
	r := &Request{
		Day: v.Day, Medium: c.Medium, Caller: v.Caller, At: v.Entered, Contact: c.ID, Slot: v.Slot, Site: v.Site,
		Queue: v.Queue, Answered: c.Reached(),
	}
	if r.Caller == "" {
		r.Caller = string(c.ID)
	}
	return r
}

// Caller is a caller's day: the first request, how many contacts asked and how many were answered.
type Caller struct {
	Request
	Asks, Answers int64
}

// Book takes in the change of one contact's request: before is nil when it was not booked yet. A request, once
// booked, keeps its key and only becomes answered, or, when an earlier visit of its contact comes to light,
// moves (then old and new key differ and each caller is told of its own part).
func (c *Caller) Book(before, after *Request) {
	if before != nil {
		c.Asks--
		c.Answers -= count(before.Answered)
	}
	if after != nil {
		c.Asks++
		c.Answers += count(after.Answered)
		if c.At == 0 || after.At < c.At || after.At == c.At && after.Contact <= c.Contact {
			answered := c.Answered
			c.Request = *after
			c.Answered = answered
		}
	}
	c.Answered = c.Answers > 0
}

// Row gives what the caller adds to its queue's figures.
func (c *Caller) Row() []Row {
	if c.Asks <= 0 {
		return nil
	}
	k := Key{Table: ByQueue, Day: c.Day, Slot: c.Slot, Site: c.Site, Queue: c.Queue, Medium: c.Medium}
	return []Row{{k, Counts{Callers: 1, CallersAnswered: count(c.Answered)}}}
}
