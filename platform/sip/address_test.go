package sip

import (
	"net/netip"
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/platform/datagram"
)

func TestOurAddress(t *testing.T) {
	s, err := New(Config{
		Now: time.Now, Advertise: netip.MustParseAddr("203.0.113.7"), Local: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	udp := &Flow{Transport: "udp", local: netip.MustParseAddrPort("10.1.1.1:5060"), udp: &datagram.Socket{}}
	for remote, want := range map[string]string{
		"10.2.2.2:5060":     "10.1.1.1:5060",    // a phone in the house
		"198.51.100.9:5060": "203.0.113.7:5060", // the carrier outside
		"127.0.0.1:5060":    "10.1.1.1:5060",
	} {
		udp.Remote = netip.MustParseAddrPort(remote)
		if got := s.addressFor(udp).String(); got != want {
			t.Errorf("towards %s we are %s, expected %s", remote, got, want)
		}
	}
}

// Where the next request of a dialog goes: the Contact where it can be reached, else the flow (NAT).
func TestNextFlow(t *testing.T) {
	for _, c := range []struct {
		name, remote, target, route, want string
		pinned                            bool
	}{
		{"the Contact of a trunk", "198.51.100.9:5060", "sip:gw@198.51.100.10:5070", "", "198.51.100.10:5070", false},
		{"its Route first", "198.51.100.9:5060", "sip:gw@198.51.100.10", "<sip:198.51.100.11;lr>", "198.51.100.11:5060", false},
		{"a private Contact from outside", "198.51.100.9:4000", "sip:gw@192.168.1.5:5060", "", "198.51.100.9:4000", false},
		{"a private Contact within the house", "10.0.0.2:5060", "sip:gw@10.0.0.3:5080", "", "10.0.0.3:5080", false},
		{"a name", "198.51.100.9:5060", "sip:gw@sbc.carrier.example", "", "198.51.100.9:5060", false},
		{"a Contact that cannot be", "198.51.100.9:5060", "sip:gw@0.0.0.0:5060", "", "198.51.100.9:5060", false},
		{"another transport", "198.51.100.9:5060", "sip:gw@198.51.100.10;transport=tcp", "", "198.51.100.9:5060", false},
		{"a registered phone", "10.0.0.2:7000", "sip:101@10.0.0.2:5060", "", "10.0.0.2:7000", true},
	} {
		d := &Dialog{flow: &Flow{Transport: "udp", Remote: netip.MustParseAddrPort(c.remote), udp: &datagram.Socket{}}, target: c.target, pinned: c.pinned}
		if c.route != "" {
			d.routes = []string{c.route}
		}
		if got := d.nextFlow().Remote.String(); got != c.want {
			t.Errorf("%s: %s, expected %s", c.name, got, c.want)
		}
	}
}
