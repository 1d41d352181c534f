package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/kapok-hotline/kapok/test/house"
)

// say says a verb of the desk about a call, as soon as the desk knows the call.
func (b *robot) say(x *talk, verb string, in any) error {
	if in == nil {
		in = map[string]string{}
	}
	for end := time.Now().Add(3 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		err := b.desk.Post(b.r.ctx, "/desk/contacts/"+x.contact+"/"+verb, in, nil)
		p, ok := errors.AsType[*house.Problem](err)
		if !ok || p.Code != "desk.contact.phase" && p.Code != "desk.contact.not_yours" || gone(x.call) || time.Now().After(end) {
			return err
		}
	}
}

// to says a verb to one expert after the other until one is free.
func (b *robot) to(x *talk, verb string, more map[string]any) (err error) {
	for range 3 {
		for _, n := range rand.Perm(experts) {
			in := map[string]any{"kind": "agent", "code": fmt.Sprint(1001 + serving + n)}
			for k, v := range more {
				in[k] = v
			}
			err = b.say(x, verb, in)
			if p, busy := errors.AsType[*house.Problem](err); !busy || !strings.HasPrefix(p.Code, "routing.rejected.") || gone(x.call) {
				return err
			}
		}
		time.Sleep(300 * time.Millisecond)
	}
	return err
}

func (b *robot) pause() { time.Sleep(200*time.Millisecond + rand.N(600*time.Millisecond)) }

func (b *robot) hangUp(x *talk) string {
	x.call.Hangup(b.r.ctx)
	return ""
}

// leaveIt is the caller's word: they go when their patience with us ends.
func (b *robot) leaveIt(x *talk) string {
	select {
	case <-x.call.Done():
		return ""
	case <-time.After(9 * time.Second):
		return "the caller stays longer"
	}
}

func (b *robot) hold(x *talk) string {
	if err := b.say(x, "hold", nil); err != nil {
		return reason(err)
	}
	b.pause()
	return reason(b.say(x, "resume", nil))
}

// forget leaves a caller on hold for longer than the house allows, is reminded, and takes the call back.
func (b *robot) forget(x *talk) string {
	if err := b.say(x, "hold", nil); err != nil {
		return reason(err)
	}
	time.Sleep(1500 * time.Millisecond) // the limit is one second
	if err := b.say(x, "resume", nil); err != nil {
		return reason(err)
	}
	if !eventually(b.r.ctx, 3*time.Second, func() bool {
		return b.r.p.count(b.r.ctx, `SELECT COUNT(*) FROM ledger_fact WHERE subject = ? AND kind = 'leg.recalled'`, x.contact) > 0
	}) {
		return "was not reminded"
	}
	return ""
}

func (b *robot) toQueue(x *talk) string {
	return reason(b.say(x, "transfer", map[string]string{"kind": "queue", "code": "etax"}))
}

func (b *robot) toExpert(x *talk) string { return reason(b.to(x, "transfer", nil)) }

func (b *robot) toNumber(x *talk) string {
	return reason(b.say(x, "transfer", map[string]string{"kind": "number", "code": "0" + outside}))
}

// asked waits until the one who is asked has answered; it says why not.
func (b *robot) asked(x *talk, with string) string {
	why := "nobody answered within 8 s"
	eventually(b.r.ctx, 8*time.Second, func() bool {
		d, err := b.desk.Desk(b.r.ctx)
		if err != nil {
			why = reason(err)
			return true
		}
		for _, c := range d.Calls {
			if c.Contact != x.contact {
				continue
			}
			switch {
			case with == "both" && len(c.Parties) > 0:
				why = ""
				return true
			case c.Consult == nil:
				why = "not reached: " + c.Unasked
				return true
			case c.Consult.With == with:
				why = ""
				return true
			}
			return false
		}
		why = "the call was over"
		return true
	})
	return why
}

func (b *robot) attended(x *talk) string {
	if err := b.to(x, "consult", nil); err != nil {
		return reason(err)
	}
	return b.complete(x)
}

func (b *robot) attendedQueue(x *talk) string {
	if err := b.say(x, "consult", map[string]any{"kind": "queue", "code": "complaint"}); err != nil {
		return reason(err)
	}
	return b.complete(x)
}

func (b *robot) complete(x *talk) string {
	if why := b.asked(x, "asked"); why != "" {
		return why
	}
	b.pause()
	return reason(b.say(x, "consult/complete", nil))
}

// asks an expert, turns to the caller and back, and goes on alone.
func (b *robot) asks(x *talk) string {
	if err := b.to(x, "consult", nil); err != nil {
		return reason(err)
	}
	if why := b.asked(x, "asked"); why != "" {
		return why
	}
	if err := b.say(x, "consult/turn", map[string]string{"with": "caller"}); err != nil {
		return reason(err)
	}
	b.pause()
	return reason(b.say(x, "consult/end", nil))
}

// threeParty brings an expert in at once; then the agent leaves, or the expert does.
func (b *robot) threeParty(x *talk) string {
	if err := b.to(x, "consult", map[string]any{"join": true}); err != nil {
		return reason(err)
	}
	if why := b.asked(x, "both"); why != "" {
		return why
	}
	b.pause()
	return reason(b.say(x, []string{"consult/end", "consult/complete"}[rand.IntN(2)], nil))
}

// refers gives the call to an expert by the phone's own key.
func (b *robot) refers(x *talk) string {
	for _, n := range rand.Perm(experts)[:3] {
		if err := x.call.Refer(b.r.ctx, fmt.Sprint(8001+serving+n)); err != nil {
			return reason(err)
		}
		select {
		case <-x.call.Done():
			if x.call.How() == "remote" {
				return ""
			}
			return x.call.How()
		case <-time.After(2500 * time.Millisecond): // that one was busy
		}
	}
	return "three experts were busy"
}

func (b *robot) helped(x *talk) string {
	return reason(b.desk.Post(b.r.ctx, "/desk/help", map[string]string{"contact": x.contact, "note": "soak"}, nil))
}

// signsOut tries to go in the middle of a talk: nobody may, and the call goes on.
func (b *robot) signsOut(x *talk) string {
	err := b.desk.Post(b.r.ctx, "/desk/signout", map[string]string{}, nil)
	if why := reason(err); why != "routing.agent.talking" {
		return "not refused: " + why
	}
	return ""
}
