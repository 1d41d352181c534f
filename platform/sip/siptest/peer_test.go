package siptest

import (
	"net"
	"testing"
	"time"
)

func TestFill(t *testing.T) {
	for in, want := range map[string]string{
		"A\nB: c\n":                      "A\r\nB: c\r\nContent-Length: 0\r\n\r\n",
		"A\nB: c\n\nxy":                  "A\r\nB: c\r\nContent-Length: 2\r\n\r\nxy",
		"A\r\nContent-Length: 9\r\n\r\n": "A\r\nContent-Length: 9\r\n\r\n",
		"\nA\nl: 1\n\nx\n":               "A\r\nl: 1\r\n\r\nx\r\n",
	} {
		if got := Fill(in); got != want {
			t.Errorf("%q filled as %q", in, got)
		}
	}
}

func TestExpectPassesOverRepeats(t *testing.T) {
	a := New(t, New(t, (&net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 9}).AddrPort()).Addr)
	a.To = a.Addr // to itself
	for _, m := range []string{"ONE sip:x SIP/2.0\nA: <sip:q@h>;tag=t;x\n", "ONE sip:x SIP/2.0\nA: <sip:q@h>;tag=t;x\n", "ONE sip:y SIP/2.0\n"} {
		a.Send(m)
	}
	m := a.Expect("ONE")
	if m.Method() != "ONE" || m.URI() != "sip:x" || m.Tag("A") != "t" {
		t.Fatalf("%+v", m)
	}
	if n := a.Expect("ONE"); n.URI() != "sip:y" {
		t.Fatal("the repeat was given out as something new")
	}
	a.ExpectNone("ONE", 10*time.Millisecond)
	a.Send("ONE sip:x SIP/2.0\nA: <sip:q@h>;tag=t;x\n")
	a.Again(m)
}
