package sdp

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
)

// Descriptions as telephones, carriers and browsers send them.
const (
	deskPhone = "v=0\r\no=- 20013 20013 IN IP4 192.168.1.31\r\ns=SDP data\r\nc=IN IP4 192.168.1.31\r\nt=0 0\r\n" +
		"m=audio 11780 RTP/AVP 9 0 8 18 101\r\na=rtpmap:9 G722/8000\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n" +
		"a=rtpmap:18 G729/8000\r\na=fmtp:18 annexb=no\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n"
	carrier = "v=0\no=HuaweiSoftX3000 1073741831 1073741831 IN IP4 10.20.30.40\ns=Sip Call\nc=IN IP4 10.20.30.40\nt=0 0\n" +
		"m=audio 30120 RTP/AVP 8 0 97\na=rtpmap:8 PCMA/8000\na=rtpmap:0 PCMU/8000\na=rtpmap:97 telephone-event/8000\na=maxptime:20"
	noMaps   = "v=0\r\no=x 1 1 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"
	g729     = "v=0\r\no=x 1 1 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 18 101\r\na=rtpmap:101 telephone-event/8000\r\n"
	holdOld  = "v=0\r\no=x 1 2 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8\r\n"
	faxOnly  = "v=0\r\no=x 1 2 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\nm=image 4000 udptl t38\r\n"
	videoToo = "v=0\r\no=x 1 1 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\nm=video 5000 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\nm=audio 4000 RTP/AVP 8 101\r\nc=IN IP4 10.0.0.9\r\na=rtpmap:101 telephone-event/8000\r\na=rtcp:4005\r\n"
	sdes     = "v=0\r\no=x 1 1 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/SAVP 8\r\n" +
		"a=crypto:1 AES_CM_128_HMAC_SHA1_32 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz|2^20|1:4\r\n" +
		"a=crypto:7 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz|2^48\r\n"
	chromium = "v=0\r\no=- 4215775240449105457 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\na=extmap-allow-mixed\r\na=msid-semantic: WMS 6f2a\r\n" +
		"m=audio 51372 UDP/TLS/RTP/SAVPF 111 63 9 0 8 13 110 126\r\nc=IN IP4 192.168.1.77\r\na=rtcp:9 IN IP4 0.0.0.0\r\n" +
		"a=candidate:1467250027 1 udp 2122260223 f8e1a3c2-6a3b-4f5e-9c0d-1a2b3c4d5e6f.local 51372 typ host generation 0 network-id 1\r\n" +
		"a=candidate:1467250027 1 tcp 1518280447 192.168.1.77 9 typ host tcptype active\r\n" +
		"a=ice-ufrag:EsAw\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\na=ice-options:trickle\r\n" +
		"a=fingerprint:sha-256 D2:FA:0E:C3:22:59:5E:14:95:69:92:3D:13:B4:84:24:2C:C2:A2:C0:3E:FD:34:8E:5E:EA:6F:AF:52:CE:E6:0F\r\n" +
		"a=setup:actpass\r\na=mid:0\r\na=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\na=sendrecv\r\na=msid:6f2a 1\r\na=rtcp-mux\r\na=rtcp-rsize\r\n" +
		"a=rtpmap:111 opus/48000/2\r\na=rtcp-fb:111 transport-cc\r\na=fmtp:111 minptime=10;useinbandfec=1\r\na=rtpmap:63 red/48000/2\r\na=fmtp:63 111/111\r\n" +
		"a=rtpmap:9 G722/8000\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:13 CN/8000\r\na=rtpmap:110 telephone-event/48000\r\na=rtpmap:126 telephone-event/8000\r\na=ssrc:2231627014 cname:4TOk42mSjXCkVIa6\r\n"
)

func plain() Local {
	return Local{ID: 4611, Addr: netip.MustParseAddrPort("192.0.2.10:20000")}
}

func browser() Local {
	l := plain()
	l.WebRTC = &WebRTC{Ufrag: "uuuu", Pwd: "pppppppppppppppppppppppp", Fingerprint: "sha-256 AA:BB"}
	l.SSRC = 777
	return l
}

func has(t *testing.T, sdp []byte, lines ...string) {
	t.Helper()
	for _, l := range lines {
		if !strings.Contains(string(sdp), l+"\r\n") {
			t.Errorf("the description has no line %q:\n%s", l, sdp)
		}
	}
}

func TestAnswerPlainOffers(t *testing.T) {
	for _, c := range []struct {
		name, offer string
		codec       string
		pt, event   uint8
		remote      string
		lines       []string
	}{
		{"desk phone: A-law before its own order", deskPhone, "PCMA", 8, 101, "192.168.1.31:11780", []string{"m=audio 20000 RTP/AVP 8 101", "a=rtpmap:101 telephone-event/8000", "a=sendrecv", "a=ptime:20"}},
		{"carrier: bare LF, its event number", carrier, "PCMA", 8, 97, "10.20.30.40:30120", []string{"m=audio 20000 RTP/AVP 8 97", "a=fmtp:97 0-16"}},
		{"static numbers need no rtpmap", noMaps, "PCMU", 0, 0, "10.0.0.1:4000", []string{"m=audio 20000 RTP/AVP 0"}},
		{"video first: refused in its place", videoToo, "PCMA", 8, 101, "10.0.0.9:4000", []string{"m=video 0 RTP/AVP 96", "m=audio 20000 RTP/AVP 8 101"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := NewExchange(plain())
			answer, err := e.Answer([]byte(c.offer))
			if err != nil {
				t.Fatal(err)
			}
			has(t, answer, c.lines...)
			a, _ := e.Agreed()
			if a.Codec != c.codec || a.SendPT != c.pt || a.EventPT != c.event || a.Remote.String() != c.remote || a.Direction != SendRecv || a.Held {
				t.Errorf("agreed %+v", a)
			}
		})
	}
}

func TestRTCPAddress(t *testing.T) {
	e := NewExchange(plain())
	_, _ = e.Answer([]byte(videoToo))
	if a, _ := e.Agreed(); a.RTCP.String() != "10.0.0.9:4005" {
		t.Errorf("a=rtcp gives %v", a.RTCP)
	}
	e = NewExchange(plain())
	_, _ = e.Answer([]byte(noMaps))
	if a, _ := e.Agreed(); a.RTCP.String() != "10.0.0.1:4001" || a.RTCPMux {
		t.Errorf("the next port: %v", a.RTCP)
	}
	answer, _ := NewExchange(plain()).Answer([]byte(noMaps + "a=rtcp-mux\r\n"))
	has(t, answer, "a=rtcp-mux")
}

func TestRefusals(t *testing.T) {
	clear, either, required := plain(), plain(), plain()
	either.SDES, required.SDES = Either, Required
	for _, c := range []struct {
		name  string
		local Local
		offer string
		want  error
	}{
		{"no common codec", clear, g729, ErrNoCodec},
		{"fax only", clear, faxOnly, ErrNoAudio},
		{"audio refused", clear, strings.Replace(noMaps, "4000", "0", 1), ErrNoAudio},
		{"SRTP while it is off", clear, sdes, ErrSecurity},
		{"clear while SRTP is required", required, noMaps, ErrSecurity},
		{"only an unknown suite", either, strings.Replace(sdes, "AES_CM_128_HMAC_SHA1_80", "AES_256_CM_HMAC_SHA1_80", 1), ErrSecurity},
		{"a browser on a plain leg", clear, chromium, ErrSecurity},
		{"a phone on a browser leg", browser(), deskPhone, ErrSecurity},
		{"a browser without a fingerprint", browser(), strings.Replace(chromium, "a=fingerprint", "a=x", 1), ErrSecurity},
		{"not SDP", clear, "hello", ErrSyntax},
		{"empty", clear, "", ErrSyntax},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := NewExchange(c.local)
			if _, err := e.Answer([]byte(c.offer)); !errors.Is(err, c.want) {
				t.Errorf("%v, want %v", err, c.want)
			}
			if _, ok := e.Agreed(); ok {
				t.Error("a refused offer left an agreement")
			}
		})
	}
}

func TestHoldIsMirroredFromStoredState(t *testing.T) {
	e := NewExchange(plain())
	first, _ := e.Answer([]byte(deskPhone))
	has(t, first, "o=- 4611 1 IN IP4 192.0.2.10")
	for i, c := range []struct {
		offer, answer string
		held, sends   bool
	}{
		{strings.Replace(deskPhone, "sendrecv", "sendonly", 1), "a=recvonly", true, false},
		{strings.Replace(deskPhone, "sendrecv", "inactive", 1), "a=inactive", true, false},
		{holdOld, "a=recvonly", true, false},
		{strings.Replace(deskPhone, "sendrecv", "recvonly", 1), "a=sendonly", false, true},
		{deskPhone, "a=sendrecv", false, true},
	} {
		answer, err := e.Answer([]byte(c.offer))
		if err != nil {
			t.Fatal(err)
		}
		has(t, answer, c.answer, "o=- 4611 "+string(rune('2'+i))+" IN IP4 192.0.2.10", "c=IN IP4 192.0.2.10")
		if a, _ := e.Agreed(); a.Held != c.held || a.Direction.Sends() != c.sends {
			t.Errorf("%s: held %v direction %v", c.answer, a.Held, a.Direction)
		}
	}
}

func TestOffer(t *testing.T) {
	e := NewExchange(plain())
	if err := e.Accept([]byte(deskPhone)); !errors.Is(err, ErrOrder) {
		t.Errorf("an answer to nothing: %v", err)
	}
	has(t, e.Offer(SendRecv), "m=audio 20000 RTP/AVP 8 0 101", "a=sendrecv", "o=- 4611 1 IN IP4 192.0.2.10")
	if err := e.Accept([]byte(carrier)); err != nil {
		t.Fatal(err)
	}
	a, _ := e.Agreed()
	if a.Codec != "PCMA" || a.EventPT != 97 || len(a.Recv) < 4 {
		t.Errorf("%+v", a)
	}
	// 200 after 183, from another port.
	if err := e.Accept([]byte(strings.Replace(carrier, "30120", "30200", 1))); err != nil {
		t.Fatal(err)
	}
	if a, _ = e.Agreed(); a.Remote.Port() != 30200 {
		t.Errorf("the later answer: %v", a.Remote)
	}
	has(t, e.Offer(SendOnly), "m=audio 20000 RTP/AVP 8 97", "a=sendonly", "o=- 4611 2 IN IP4 192.0.2.10")
	if err := e.Accept([]byte(carrier + "\na=recvonly\n")); err != nil {
		t.Fatal(err)
	}
	if a, _ = e.Agreed(); a.Direction != SendOnly || a.Held {
		t.Errorf("our hold: %+v", a)
	}
	if err := e.Accept([]byte(strings.Replace(carrier, "30120", "0", 1))); !errors.Is(err, ErrRejected) {
		t.Errorf("port 0 in an answer: %v", err)
	}
}

func TestSDES(t *testing.T) {
	l := plain()
	l.SDES = Either
	e := NewExchange(l)
	answer, err := e.Answer([]byte(sdes))
	if err != nil {
		t.Fatal(err)
	}
	a, _ := e.Agreed()
	if a.Receive.Suite != SuiteSHA1 || a.Send.Tag != 7 || len(a.Send.Key) != 30 || string(a.Receive.Key[:4]) != "YS__" {
		t.Errorf("%+v", a)
	}
	has(t, answer, "m=audio 20000 RTP/SAVP 8", "a=crypto:"+a.Send.String())
	again, _ := e.Answer([]byte(sdes))
	has(t, again, "a=crypto:"+a.Send.String()) // the key stays

	// Both ends of ours: the offerer lists GCM first, and it is taken.
	l.SDES = Required
	x, y := NewExchange(l), NewExchange(l)
	back, err := y.Answer(x.Offer(SendRecv))
	if err != nil {
		t.Fatal(err)
	}
	if err := x.Accept(back); err != nil {
		t.Fatal(err)
	}
	ax, _ := x.Agreed()
	ay, _ := y.Agreed()
	if ax.Send.Suite != SuiteGCM || string(ax.Send.Key) != string(ay.Receive.Key) || string(ay.Send.Key) != string(ax.Receive.Key) {
		t.Errorf("keys do not meet: %+v %+v", ax, ay)
	}
}

func TestBrowserOffer(t *testing.T) {
	e := NewExchange(browser())
	answer, err := e.Answer([]byte(chromium))
	if err != nil {
		t.Fatal(err)
	}
	has(t, answer, "m=audio 20000 UDP/TLS/RTP/SAVPF 8 126", "a=ice-lite", "a=group:BUNDLE 0", "a=mid:0", "a=rtcp-mux", "a=setup:passive",
		"a=fingerprint:sha-256 AA:BB", "a=ice-ufrag:uuuu", "a=rtpmap:126 telephone-event/8000", "a=candidate:1 1 udp 2130706431 192.0.2.10 20000 typ host", "a=end-of-candidates", "a=sendrecv")
	a, _ := e.Agreed()
	if a.Peer.Ufrag != "EsAw" || a.Client || !a.RTCPMux || len(a.Peer.Candidates) != 1 || a.Restarted {
		t.Errorf("%+v", a)
	}
	hold, _ := e.Answer([]byte(strings.Replace(chromium, "sendrecv", "sendonly", 1)))
	has(t, hold, "a=recvonly", "a=ice-ufrag:uuuu", "a=setup:passive")
	if a, _ = e.Agreed(); a.Restarted {
		t.Error("hold is no ICE restart")
	}
	_, _ = e.Answer([]byte(strings.Replace(chromium, "EsAw", "NeWw", 1)))
	if a, _ = e.Agreed(); !a.Restarted {
		t.Error("a new ufrag is an ICE restart")
	}
}

func TestOfferToBrowser(t *testing.T) {
	e := NewExchange(browser())
	has(t, e.Offer(SendRecv), "m=audio 20000 UDP/TLS/RTP/SAVPF 8 101", "a=setup:actpass", "a=msid:kapok audio", "a=ssrc:777 cname:kapok")
	answer := strings.NewReplacer("actpass", "active", "111 63 9 0 8 13 110 126", "8 101", "126 telephone", "101 telephone").Replace(chromium)
	if err := e.Accept([]byte(strings.Replace(answer, "setup:active", "setup:actpass", 1))); !errors.Is(err, ErrSecurity) {
		t.Errorf("actpass in an answer: %v", err)
	}
	if err := e.Accept([]byte(answer)); err != nil {
		t.Fatal(err)
	}
	if a, _ := e.Agreed(); a.Client || a.EventPT != 101 {
		t.Errorf("%+v", a)
	}
}

func TestDirections(t *testing.T) {
	for d := SendRecv; d <= Inactive; d++ {
		if d.Mirror().Mirror() != d || d.Mirror().Sends() != d.Receives() || d.And(SendRecv) != d || d.And(Inactive) != Inactive {
			t.Error(d)
		}
	}
}
