package calls

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/test/house"
	"github.com/kapok-hotline/kapok/test/ua"
)

// TestEncryptedPhone calls desk phones by others that register over TLS: one speaks SRTP with keys in the description
// (RFC 4568), one refuses it and is spoken with in the clear because its setting allows that, one whose setting does
// not allow it is not spoken with at all.
func TestEncryptedPhone(t *testing.T) {
	s := stage(t, 3,
		`{code: "8002", name: 坐席 A02, site: gz`, `{code: "8002", name: 坐席 A02, site: gz, media: auto`,
		`{code: "8003", name: 坐席 A03, site: gz`, `{code: "8003", name: 坐席 A03, site: gz, media: srtp`,
	)
	for _, x := range []struct {
		name   string
		n      int
		accept string // what of encryption the phone is set to
		talk   bool
		invite int // how many INVITEs it gets
		secure bool
	}{
		{"SRTP both ways", 1, ";mediaenc=srtp-mand", true, 1, true},
		{"a phone without SRTP is asked again in the clear", 2, "", true, 2, false},
		{"a phone that must encrypt is not asked again", 3, "", false, 1, false},
	} {
		t.Run(x.name, func(t *testing.T) {
			s := s.part(t)
			code := fmt.Sprint(8000 + x.n)
			b := runBaresip(t, "module srtp.so\n"+baresipConfig, fmt.Sprintf(
				"<sip:%s@%s;transport=tls>;auth_user=%s;auth_pass=%s;answermode=auto;audio_codecs=pcma;regint=60%s\n",
				code, s.h.SIPS, code, house.Password, x.accept), 880)
			a := &agent{s: s, user: fmt.Sprint(1000 + x.n)}
			var err error
			a.Client, err = s.h.Login(s.ctx, a.user)
			must(t, err)
			must(t, a.Ready(s.ctx, code))
			s.eventually("the phone has registered", func() bool { d := a.desk(); return d.Endpoint.Registered && d.State.State == "ready" })
			c := s.call("12367", 440)
			if x.talk {
				a.talks()
				s.hears(c.Media, 880, "baresip")
				time.Sleep(2 * time.Second)
			} else {
				s.story(c.number, "the offer has failed", func(st *story) bool { return strings.Contains(st.results(), a.user+" failed") })
			}
			c.Hangup(s.ctx)
			b.stop()
			st := s.story(c.number, "the end", func(st *story) bool { return st.Contact.Outcome != "open" })
			if x.talk {
				sound, err := ua.Channels(b.heard(t))
				must(t, err)
				if share, level := ua.Loudest(sound[0], 440); share < 0.9 {
					t.Errorf("the phone hears the caller at %.2f, %.0f dB", share, level)
				}
			}
			s.eventually("the signalling of the phone is kept", func() bool {
				st = s.story(c.number, "it", func(*story) bool { return true })
				return len(offersTo(st)) >= x.invite
			})
			offers := offersTo(st)
			if len(offers) != x.invite {
				t.Errorf("the phone was called %d times, want %d", len(offers), x.invite)
			}
			if !strings.Contains(offers[0], "RTP/SAVP ") || strings.Count(offers[0], "a=crypto:") != 2 {
				t.Errorf("the first offer has no keys:\n%s", offers[0])
			}
			if x.invite == 2 && (!strings.Contains(offers[1], "RTP/AVP ") || strings.Contains(offers[1], "a=crypto:")) {
				t.Errorf("the second offer is not in the clear:\n%s", offers[1])
			}
			for _, m := range st.messages() {
				if _, key, ok := strings.Cut(m.Text, "inline:"); ok && !strings.HasPrefix(key, "*") {
					t.Errorf("a key stands in the signalling that is kept:\n%s", m.Text)
				}
			}
			_ = a.Post(s.ctx, "/desk/signout", map[string]string{}, nil) // in wrap-up it is told when that ends
		})
	}
}

// offersTo gives the INVITEs the house sent, in order.
func offersTo(st *story) (out []string) {
	for _, l := range st.messages() {
		if l.From == "kapok" && strings.HasPrefix(l.Text, "INVITE ") {
			out = append(out, l.Text)
		}
	}
	return out
}

// message is one line of a contact's signalling.
type message struct {
	From string `json:"from"` // the address, or kapok
	Text string `json:"raw"`
}

func (st *story) messages() (out []message) {
	for _, raw := range st.Ladder {
		var m message
		if json.Unmarshal(raw, &m) == nil {
			out = append(out, m)
		}
	}
	return out
}
