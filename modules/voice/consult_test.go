package voice

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/platform/sip/siptest"
)

// dial sends the INVITE of a phone, with its password, and gives the call; what it is answered is for the test.
func (h *house) dial(l *line, code, number string, extra ...string) *siptest.Call {
	h.t.Helper()
	return h.dialAs(l, code, password, number, extra...)
}

func (h *house) dialAs(l *line, code, password, number string, extra ...string) *siptest.Call {
	h.t.Helper()
	uri := "sip:" + number + "@" + h.sip.Addr("udp").String()
	c := l.NewCall(uri)
	c.SendInvite(l.sdp(), extra...)
	m := l.Expect("SIP/2.0 401")
	c.To = m.Tag("To")
	l.Raw([]byte(c.Text("ACK", c.Branch, "")))
	c.To = ""
	nonce := between(m.Get("WWW-Authenticate"), `nonce="`, `"`)
	a1, a2 := sum(code+":kapok:"+password), sum("INVITE:"+uri)
	c.Seq++
	c.Branch = "z9hG4bK" + siptest.Token()
	c.SendInvite(l.sdp(), append(extra, fmt.Sprintf(
		`Authorization: Digest username="%s", realm="kapok", nonce="%s", uri="%s", algorithm=MD5, qop=auth, nc=00000001, cnonce="x", response="%s"`,
		code, nonce, uri, sum(a1+":"+nonce+":00000001:x:auth:"+a2)))...)
	return c
}

// asking brings a call to a1 at 8001, who asks a2 at 8002 on a second line; the caller is on hold.
func (h *house) asking() (caller, agent, second, asked *line, first siptest.Msg, own *siptest.Call) {
	h.t.Helper()
	asked = h.phone("8002")
	h.agents["a2"] = contact.Endpoint{Agent: "a2", Phone: "8002"}
	caller, agent, first = h.talk()
	agent.within(first, "INVITE", 2, strings.Replace(agent.sdp(), "sendrecv", "sendonly", 1))
	agent.Expect("SIP/2.0 200")
	agent.within(first, "ACK", 2, "")
	h.has("leg.held", 1)
	second = h.lineAt(net.IPv4(127, 0, 0, 2))
	own = h.dial(second, "8001", "8002")
	asked.lift()
	second.Expect("SIP/2.0 180")
	own.Answered(second.Expect("SIP/2.0 200"))
	own.Ack("")
	second.connect(own.Answer_.Body)
	h.tells("taken a2")
	h.until("agent and asked hear each other", func() bool { return second.loud() && asked.loud() })
	return caller, agent, second, asked, first, own
}

// names is the Refer-To of an attended transfer: the dialog as the phone that sends it sees it.
func names(c *siptest.Call) string {
	return fmt.Sprintf("Refer-To: <sip:8002@kapok?Replaces=%s%%3Bto-tag%%3D%s%%3Bfrom-tag%%3D%s>", c.ID, c.To, c.From)
}

// hears waits for the NOTIFY that says a status (RFC 3515 §2.4.5) and answers it.
func (l *line) hears(status string) {
	for {
		m := l.Expect("NOTIFY")
		l.Respond(m, 200, "OK", "", "")
		if strings.HasPrefix(m.Body, "SIP/2.0 "+status) {
			return
		}
	}
}

func TestAttendedTransfer(t *testing.T) {
	for name, on := range map[string]string{"on the first line": "first", "on the second line": "second"} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			caller, agent, second, asked, first, own := h.asking()
			if on == "first" {
				agent.within(first, "REFER", 3, "", names(own))
				agent.Expect("SIP/2.0 202")
				agent.hears("100")
				agent.hears("200")
			} else {
				own.Request("REFER", "", fmt.Sprintf("Refer-To: <sip:x@kapok?Replaces=%s%%3Bto-tag%%3D%s%%3Bfrom-tag%%3D%s>",
					first.Get("Call-ID"), first.Tag("From"), "agent"))
				second.Expect("SIP/2.0 202")
				second.hears("200")
			}
			agent.Expect("BYE")
			second.Expect("BYE")
			h.tells("done a1")
			h.until("caller and who was asked talk", func() bool { return caller.loud() && asked.loud() })
			time.Sleep(300 * time.Millisecond) // more than the rounding
			caller.Request("BYE", "")
			asked.Expect("BYE")
			h.tells("done a2")
			h.ends(contact.ByCaller, contact.Answered)
			want := `contact.transferred leg.ended consult leg.ended agent leg.started agent leg.answered leg.ended consult leg.ended agent leg.ended caller contact.ended caller answered`
			if got := strings.ReplaceAll(h.story(), "\n", " "); !strings.Contains(got, want) {
				t.Errorf("the record is %s", got)
			}
		})
	}
}

func TestConsultEnds(t *testing.T) {
	for _, x := range []struct {
		name string
		ends func(caller, agent, second, asked *line, first siptest.Msg, own *siptest.Call)
		by   contact.Party
		over bool // the call ends with it
	}{
		{"by the agent", func(_, _, _, _ *line, _ siptest.Msg, own *siptest.Call) { own.Request("BYE", "") }, "", false},
		{"by who was asked", func(_, _, _, asked *line, _ siptest.Msg, _ *siptest.Call) {
			asked.within(asked.Seen("INVITE")[0], "BYE", 2, "")
		}, "", false},
		{"the caller leaves", func(caller, _, _, _ *line, _ siptest.Msg, _ *siptest.Call) { caller.Request("BYE", "") }, contact.ByCaller, true},
		{"the agent hangs the caller up", func(_, agent, _, _ *line, first siptest.Msg, _ *siptest.Call) { agent.within(first, "BYE", 3, "") }, contact.ByAgent, true},
	} {
		t.Run(x.name, func(t *testing.T) {
			h := newHouse(t)
			caller, agent, second, asked, first, own := h.asking()
			x.ends(caller, agent, second, asked, first, own)
			if x.name != "by the agent" {
				second.Expect("BYE")
			}
			if x.name != "by who was asked" {
				asked.Expect("BYE")
			}
			h.tells("done a2")
			if !x.over {
				agent.within(first, "INVITE", 3, agent.sdp())
				h.has("leg.resumed", 1)
				h.until("caller and agent talk again", func() bool { return caller.loud() && agent.loud() })
				caller.Request("BYE", "")
				x.by = contact.ByCaller
			}
			h.ends(x.by, contact.Answered)
		})
	}
}

func TestConsultRings(t *testing.T) {
	ask := func(t *testing.T) (*house, *line, *line, *line, *siptest.Call) {
		t.Helper()
		h := newHouse(t)
		asked := h.phone("8002")
		h.agents["a2"] = contact.Endpoint{Agent: "a2", Phone: "8002"}
		caller, _, _ := h.talk()
		second := h.lineAt(net.IPv4(127, 0, 0, 2))
		return h, caller, second, asked, h.dial(second, "8001", "8002")
	}
	t.Run("refused", func(t *testing.T) {
		h, caller, second, asked, _ := ask(t)
		asked.Respond(asked.Expect("INVITE"), 486, "Busy Here", "agent", "")
		second.Expect("SIP/2.0 486")
		h.tells("done a2")
		h.until("the caller still talks", caller.loud)
		caller.Request("BYE", "")
		h.ends(contact.ByCaller, contact.Answered)
	})
	t.Run("given up", func(t *testing.T) {
		h, caller, second, asked, own := ask(t)
		asked.Respond(asked.Expect("INVITE"), 180, "Ringing", "agent", "")
		second.Expect("SIP/2.0 180")
		second.Raw([]byte(own.Text("CANCEL", own.Branch, "")))
		asked.Expect("CANCEL")
		second.Expect("SIP/2.0 487")
		h.tells("done a2")
		caller.Request("BYE", "")
		h.ends(contact.ByCaller, contact.Answered)
	})
	t.Run("the caller leaves meanwhile", func(t *testing.T) {
		h, caller, second, asked, _ := ask(t)
		asked.Respond(asked.Expect("INVITE"), 180, "Ringing", "agent", "")
		second.Expect("SIP/2.0 180")
		caller.Request("BYE", "")
		asked.Expect("CANCEL")
		second.Expect("SIP/2.0 4")
		h.tells("done a2")
		h.ends(contact.ByCaller, contact.Answered)
	})
	t.Run("somebody who is busy", func(t *testing.T) {
		h := newHouse(t)
		h.agents["a2"] = contact.Endpoint{Agent: "a2", Phone: "8002"}
		h.busy = true
		h.talk()
		second := h.lineAt(net.IPv4(127, 0, 0, 2))
		h.dial(second, "8001", "8002")
		second.Expect("SIP/2.0 486")
	})
	t.Run("a phone where nobody is signed in", func(t *testing.T) {
		h := newHouse(t)
		asked := h.phone("8003")
		h.talk()
		second := h.lineAt(net.IPv4(127, 0, 0, 2))
		own := h.dial(second, "8001", "8003")
		asked.lift()
		own.Answered(second.Expect("SIP/2.0 200"))
		own.Ack("")
		second.connect(own.Answer_.Body)
		h.until("they hear each other", func() bool { return second.loud() && asked.loud() })
	})
	t.Run("by a phone at the trunk's address", func(t *testing.T) {
		h := newHouse(t)
		asked := h.phone("8003")
		agent := h.phoneAt(net.IPv4(127, 0, 0, 1), "8001")
		caller := h.call("12367")
		h.waits(1)
		done := h.offer(t.Context(), "8001", "a1")
		agent.lift()
		must(t, <-done)
		h.dial(agent, "8001", "8003")
		asked.lift()
		agent.Expect("SIP/2.0 200")
		caller.Request("BYE", "")
		h.ends(contact.ByCaller, contact.Answered)
	})
	t.Run("what cannot be asked", func(t *testing.T) {
		h := newHouse(t)
		idle := h.lineAt(net.IPv4(127, 0, 0, 2))
		h.phone("8003")
		h.dial(idle, "8003", "8002") // in no call
		idle.Expect("SIP/2.0 404")
		h.talk()
		second := h.lineAt(net.IPv4(127, 0, 0, 2))
		h.dial(second, "8001", "vat")
		second.Expect("SIP/2.0 403")
		h.dial(second, "8001", "8002") // not registered
		second.Expect("SIP/2.0 404")
		h.dial(second, "8001", "4711") // no trunk out
		second.Expect("SIP/2.0 404")
	})
}

func TestReferToNobody(t *testing.T) {
	h := newHouse(t)
	caller, agent, _, asked, first, own := h.asking()
	own.To += "x"
	agent.within(first, "REFER", 3, "", names(own))
	agent.Expect("SIP/2.0 481")
	own.To = strings.TrimSuffix(own.To, "x")
	asked.within(asked.Seen("INVITE")[0], "REFER", 2, "", names(own))
	asked.Expect("SIP/2.0 603") // who is asked transfers nobody
	caller.Request("REFER", "", names(own))
	caller.Expect("SIP/2.0 603")
	caller.Request("BYE", "")
	h.ends(contact.ByCaller, contact.Answered)
}

func TestReplaces(t *testing.T) {
	replaces := func(in siptest.Msg, theirs string) string {
		return fmt.Sprintf("Replaces: %s;to-tag=%s;from-tag=%s", in.Get("Call-ID"), in.Tag("From"), theirs)
	}
	h := newHouse(t)
	h.phone("8002")
	caller, agent, in := h.talk()
	other := h.lineAt(net.IPv4(127, 0, 0, 2))
	h.dial(other, "8002", "8001", replaces(in, "agent"))
	other.Expect("SIP/2.0 403")
	h.dial(other, "8001", "8001", replaces(in, "stranger"))
	other.Expect("SIP/2.0 481")
	h.dial(other, "8001", "8001", "Replaces: nobody@x;to-tag=a;from-tag=b")
	other.Expect("SIP/2.0 481")
	h.dial(other, "8001", "8001", replaces(in, "agent")+";early-only")
	other.Expect("SIP/2.0 486")
	own := h.dial(other, "8001", "8001", replaces(in, "agent"))
	own.Answered(other.Expect("SIP/2.0 200"))
	own.Ack("")
	other.connect(own.Answer_.Body)
	agent.Expect("BYE")
	h.until("caller and the other device talk", func() bool { return caller.loud() && other.loud() })
	own.Request("BYE", "")
	caller.Expect("BYE")
	h.tells("done a1")
	h.ends(contact.ByAgent, contact.Answered)
}
