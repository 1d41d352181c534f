package sdp

import (
	"errors"
	"strings"
	"testing"
)

func TestParseTolerates(t *testing.T) {
	for _, c := range []struct {
		name, sdp string
		check     func(*Session) bool
	}{
		{"a host name in c=", strings.ReplaceAll(noMaps, "IP4 10.0.0.1", "IP4 media.example.net"), func(s *Session) bool { return !s.Audio.Addr.Addr().IsValid() && s.Audio.Addr.Port() == 4000 }},
		{"IPv6", strings.ReplaceAll(noMaps, "IP4 10.0.0.1", "IP6 2001:db8::1"), func(s *Session) bool { return s.Audio.Addr.String() == "[2001:db8::1]:4000" }},
		{"a multicast suffix", strings.ReplaceAll(noMaps, "c=IN IP4 10.0.0.1", "c=IN IP4 10.0.0.1/127"), func(s *Session) bool { return s.Audio.Addr.Addr().String() == "10.0.0.1" }},
		{"blanks at the ends", strings.ReplaceAll(noMaps, "\r\n", " \r\n"), func(s *Session) bool { return len(s.Audio.Payloads) == 1 }},
		{"empty lines", strings.ReplaceAll(noMaps, "\r\n", "\r\n\r\n"), func(s *Session) bool { return s.Index == 0 }},
		{"direction of the session", strings.Replace(noMaps, "t=0 0", "t=0 0\r\na=sendonly", 1), func(s *Session) bool { return s.Audio.Direction == SendOnly }},
		{"direction of the stream wins", strings.Replace(noMaps, "t=0 0", "t=0 0\r\na=sendonly", 1) + "a=sendrecv\r\n", func(s *Session) bool { return s.Audio.Direction == SendRecv }},
		{"broken attributes", noMaps + "a=rtpmap:x\r\na=rtpmap:999 A/8000\r\na=ptime:abc\r\na=crypto:1\r\na=candidate:1 1 udp\r\na=:\r\n", func(s *Session) bool { return s.Audio.Ptime == 0 }},
		{"ptime with a point", noMaps + "a=ptime:20.0\r\n", func(s *Session) bool { return s.Audio.Ptime == 20 }},
		{"the first audio line with a port", strings.Replace(noMaps, "m=audio", "m=audio 0 RTP/AVP 8\r\nm=audio", 1), func(s *Session) bool { return s.Index == 1 && !s.Rejected }},
		{"0.0.0.0 is hold on a phone", holdOld, func(s *Session) bool { return s.Audio.Direction == SendOnly && !s.Audio.Addr.Addr().IsValid() }},
		{"and not in a browser", strings.ReplaceAll(chromium, "192.168.1.77", "0.0.0.0"), func(s *Session) bool { return s.Audio.Direction == SendRecv }},
		{"upper-case attribute names", noMaps + "a=SENDONLY\r\n", func(s *Session) bool { return s.Audio.Direction == SendOnly }},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := Parse([]byte(c.sdp))
			if err != nil || !c.check(s) {
				t.Errorf("%v %+v", err, s)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	for name, sdp := range map[string]string{
		"too long":         noMaps + strings.Repeat("a=x\r\n", 5000),
		"too many lines":   noMaps + strings.Repeat("a=\n", 500),
		"too many streams": noMaps + strings.Repeat("m=audio 1 RTP/AVP 0\n", 20),
		"no v=":            "o=x 1 1 IN IP4 1.1.1.1\r\n",
		"wrong version":    "v=1\r\n",
		"a bad port":       "v=0\r\nm=audio 70000 RTP/AVP 0\r\n",
		"no form":          "v=0\r\nhello\r\n",
		"a hidden CR":      "v=0\r\na=mid:0\rc=IN IP4 1.1.1.1\r\n",
	} {
		if _, err := Parse([]byte(sdp)); !errors.Is(err, ErrSyntax) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzExchange(f *testing.F) {
	for _, s := range []string{deskPhone, carrier, noMaps, g729, holdOld, faxOnly, videoToo, sdes, chromium} {
		f.Add([]byte(s), true)
		f.Add([]byte(s), false)
	}
	f.Fuzz(func(t *testing.T, b []byte, web bool) {
		l := plain()
		l.SDES = Either
		if web {
			l = browser()
		}
		e := NewExchange(l)
		answer, err := e.Answer(b)
		if err != nil {
			return
		}
		s, err := Parse(answer) // what we write can be read again, and says what was agreed
		if err != nil || s.Index < 0 || s.Rejected {
			t.Fatalf("our own answer: %v\n%s", err, answer)
		}
		a, _ := e.Agreed()
		if s.Audio.Direction != a.Direction {
			t.Fatalf("direction %v, agreed %v", s.Audio.Direction, a.Direction)
		}
		o, err := Parse(b)
		if err != nil || len(o.Media) != len(s.Media) {
			t.Fatalf("%d streams answered with %d", len(o.Media), len(s.Media))
		}
	})
}
