package voice

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/sip"
)

// other is what a house knows of the endpoints of another: all are there, behind a relay.
type other struct{ at atomic.Pointer[sip.URI] }

func (o *other) Way(at contact.Endpoint, c id.Contact) (Way, bool) {
	uri := o.at.Load()
	if uri == nil {
		return Way{}, false
	}
	return Way{URI: *uri, Headers: []sip.Header{{Name: "X-Test-Relay", Value: string(at.Phone) + " " + string(at.Agent) + " " + string(c)}}}, true
}

func (*other) Relay(header func(string) []string) (contact.Endpoint, id.Contact, bool) {
	all := header("X-Test-Relay")
	if len(all) != 1 {
		return contact.Endpoint{}, "", false
	}
	var phone, agent, c string
	if n, _ := fmt.Sscan(all[0], &phone, &agent, &c); n != 3 {
		return contact.Endpoint{}, "", false
	}
	return contact.Endpoint{Phone: id.Phone(phone), Agent: id.User(agent)}, id.Contact(c), true
}

// twoHouses are the one that has the caller and the one that has the phone.
func twoHouses(t *testing.T) (calls, phones *house) {
	t.Helper()
	knows := &other{}
	phones = newHouseWith(t, &other{})
	calls = newHouseWith(t, knows)
	at := phones.sip.Addr("udp")
	knows.at.Store(&sip.URI{Scheme: "sip", User: "relay", Host: at.Addr().String(), Port: int(at.Port())})
	return calls, phones
}

// A call of one process is brought to a phone that only the other reaches: both hear each other, and whoever hangs up
// ends it for both.
func TestRelay(t *testing.T) {
	calls, phones := twoHouses(t)
	p := phones.phone("8001")
	n := 0
	ring := func() (*line, chan error) {
		n++
		c := calls.call("12367")
		calls.waits(n)
		return c, calls.offer(t.Context(), "8001", "a1")
	}
	t.Run("both hear each other, and the caller hangs up", func(t *testing.T) {
		c, done := ring()
		invite := p.lift()
		must(t, <-done)
		if got := invite.Get(headerContact); got != string(calls.contact()) {
			t.Errorf("the phone is told of contact %q, want %q", got, calls.contact())
		}
		calls.until("both hear each other", func() bool { return c.loud() && p.loud() })
		c.Request("BYE", "")
		p.Expect("BYE")
		calls.ends(contact.ByCaller, contact.Answered)
	})
	t.Run("the agent hangs up", func(t *testing.T) {
		c, done := ring()
		invite := p.lift()
		must(t, <-done)
		p.within(invite, "BYE", 2, "")
		c.Expect("BYE")
		calls.ends(contact.ByAgent, contact.Answered)
	})
	t.Run("the agent is busy", func(t *testing.T) {
		c, done := ring()
		p.Respond(p.Expect("INVITE"), 486, "Busy Here", "agent", "")
		if err := <-done; fault.CodeOf(err) != "contact.busy" {
			t.Errorf("%v", err)
		}
		p.Expect("ACK")
		c.Request("BYE", "")
	})
	t.Run("the offer is withdrawn", func(t *testing.T) {
		n++
		c := calls.call("12367")
		calls.waits(n)
		ctx, cancel := context.WithCancel(t.Context())
		done := calls.offer(ctx, "8001", "a1")
		m := p.Expect("INVITE")
		p.Respond(m, 180, "Ringing", "agent", "")
		cancel()
		<-done
		p.Expect("CANCEL")
		p.Respond(m, 487, "Request Terminated", "agent", "")
		c.Request("BYE", "")
	})
	phones.until("nothing is left", func() bool { return phones.Calls() == 0 })
}

// A call that says it is another process's and cannot prove it is a stranger's.
func TestRelayIsProved(t *testing.T) {
	_, phones := twoHouses(t)
	p := phones.lineAt([]byte{127, 0, 0, 2})
	p.Call = p.NewCall("sip:relay@" + phones.sip.Addr("udp").String())
	p.SendInvite(p.sdp(), "X-Test-Relay: only half")
	p.Expect("SIP/2.0 401")
}
