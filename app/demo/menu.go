package demo

import (
	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/id"
)

const (
	answerMs    = 6    // from the INVITE to our 200
	helloMs     = 4800 // the welcome
	connectMs   = 1800 // "we connect you"
	flowVersion = 1
	mainFlow    = "main"
	hotline     = "12366"
)

// open1 opens the contact of a call.
func (d *day) open1(c *call) {
	if !d.emit {
		return
	}
	p := d.h.people[c.person]
	c.number, c.contact, c.leg = p.National(), id.Contact(d.ulid(c.at)), id.Leg(d.ulid(c.at))
	d.fact(c.at, c, "", event.ContactStarted{
		Medium: contact.Phone, Direction: contact.In, From: c.number, To: hotline, Number: hotline, Trunk: "demo", CallID: "history-" + string(c.contact),
	})
	d.fact(c.at, c, "", event.LegStarted{Leg: c.leg, Role: "caller", Peer: c.number})
	d.fact(c.at+answerMs, c, "", event.LegAnswered{Leg: c.leg})
	d.fact(c.at+answerMs, c, "", event.ContactGuided{Flow: mainFlow, Version: flowVersion, NoMenu: d.noMenu})
	d.step(c.at+answerMs, c, mainFlow, "welcome", "play", "")
	d.step(c.at+helloMs, c, mainFlow, "hours", "hours", "")
}

func (d *day) step(at int64, c *call, flow, node, kind, key string) {
	if d.emit {
		d.fact(at, c, "", event.ContactStepped{Flow: id.Flow(flow), Node: node, Step: kind, Key: key})
	}
}

// turnAway tells somebody who calls in the lunch break or after hours when to call.
func (d *day) turnAway(c *call) {
	at := c.at + helloMs
	d.step(at, c, mainFlow, "lunch", "play", "")
	d.step(at+5200, c, mainFlow, "turned", "hangup", "")
	d.end(at+5200, c, contact.BySystem, contact.Turned, "")
}

// menuOnly is somebody who hears the menu and hangs up.
func (d *day) menuOnly(c *call) {
	d.step(c.at+helloMs, c, mainFlow, "menu", "menu", "")
	d.end(c.at+helloMs+c.listen, c, contact.ByCaller, contact.Left, "remote")
}

// selfService is somebody who asks the machine and is served.
func (d *day) selfService(c *call) {
	choices := []string{"self_progress", "self_status", "self_office", "self_invoice"}
	n := int(c.seed>>8) % len(choices)
	if n < 0 {
		n += len(choices)
	}
	at := c.at + max(c.listen, helloMs+1500)
	d.step(c.at+helloMs, c, mainFlow, "menu", "menu", "")
	d.step(at, c, mainFlow, "menu", "menu", "3")
	d.step(at, c, mainFlow, "self", "menu", "")
	at += 3000 + c.ring
	d.step(at, c, mainFlow, "self", "menu", string(rune('1'+n)))
	d.step(at, c, mainFlow, choices[n], "play", "")
	d.fact(at, c, "", event.ContactServed{Flow: mainFlow, Node: choices[n]})
	d.step(at+8000, c, mainFlow, "bye", "play", "")
	d.step(at+11000, c, mainFlow, "end", "hangup", "")
	d.end(at+11000, c, contact.BySystem, contact.Served, "")
}

// ways are the keys that lead to a queue. Never written to.
var ways = map[string][][3]string{ // node, kind, key
	"general":   {{"menu", "menu", "0"}, {"to_general", "play", ""}},
	"iit":       {{"menu", "menu", "1"}, {"policy", "menu", ""}, {"policy", "menu", "1"}},
	"vat":       {{"menu", "menu", "1"}, {"policy", "menu", ""}, {"policy", "menu", "2"}},
	"cit":       {{"menu", "menu", "1"}, {"policy", "menu", ""}, {"policy", "menu", "3"}},
	"social":    {{"menu", "menu", "1"}, {"policy", "menu", ""}, {"policy", "menu", "4"}},
	"etax":      {{"menu", "menu", "2"}, {"system", "menu", ""}, {"system", "menu", "1"}},
	"complaint": {{"menu", "menu", "4"}},
	"tipoff":    {{"menu", "menu", "5"}, {"tipoff", "play", ""}},
	"english":   {{"menu", "menu", "8"}, {"english", "set", ""}},
}

// past leads a call by the menu to the general queue, as the flow does while menus are switched off, and gives the
// moment it gets there.
func (d *day) past(c *call) int64 {
	from := c.at + helloMs
	d.step(from, c, mainFlow, "menu", "menu", "")
	d.step(from, c, mainFlow, "to_general", "play", "")
	d.step(from+connectMs, c, mainFlow, "q_general", "queue", "")
	return from + connectMs
}

// menuTo writes the way through the menu to a queue, reached at the given moment.
func (d *day) menuTo(c *call, at int64) {
	if !d.emit {
		return
	}
	from := c.at + helloMs
	d.step(from, c, mainFlow, "menu", "menu", "")
	way := ways[c.key]
	for i, w := range way {
		d.step(from+(at-from)*int64(i+1)/int64(len(way)+1), c, mainFlow, w[0], w[1], w[2])
	}
	d.step(at, c, mainFlow, "q_"+c.key, "queue", "")
}
