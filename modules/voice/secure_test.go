package voice

import (
	"testing"

	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/platform/sdp"
	"github.com/kapok-hotline/kapok/platform/sip"
)

func TestMediaSetting(t *testing.T) {
	for _, c := range []struct {
		media     Media
		transport string
		from, to  sdp.Encryption
		plainToo  bool
		ok        bool
	}{
		{"", "udp", sdp.Clear, sdp.Clear, false, true},
		{"", "tls", sdp.Either, sdp.Required, true, true},
		{MediaAuto, "tcp", sdp.Clear, sdp.Clear, false, true},
		{MediaAuto, "tls", sdp.Either, sdp.Required, true, true},
		{MediaPlain, "tls", sdp.Clear, sdp.Clear, false, true},
		{MediaSRTP, "tls", sdp.Required, sdp.Required, false, true},
		{MediaSRTP, "udp", sdp.Clear, sdp.Clear, false, false},
	} {
		from, err := keysFrom(c.media, c.transport)
		if from != c.from || (err == nil) != c.ok {
			t.Errorf("%q over %s, it calls: %v %v", c.media, c.transport, from, err)
		}
		to, plainToo, err := keysTo(c.media, c.transport)
		if to != c.to || plainToo != c.plainToo || (err == nil) != c.ok {
			t.Errorf("%q over %s, it is called: %v %v %v", c.media, c.transport, to, plainToo, err)
		}
		if !c.ok && fault.CodeOf(err) != "contact.unreachable" {
			t.Errorf("%q over %s: %v", c.media, c.transport, err)
		}
	}
}

func TestLadderKeepsNoKeys(t *testing.T) {
	m := messageOf(sip.Entry{Text: []byte("a=crypto:1 AEAD_AES_128_GCM inline:c2VjcmV0c2VjcmV0|2^31\r\na=crypto:2 AES_CM_128_HMAC_SHA1_80 inline:abc\r\n")})
	if want := "a=crypto:1 AEAD_AES_128_GCM inline:***|2^31\r\na=crypto:2 AES_CM_128_HMAC_SHA1_80 inline:***\r\n"; m.Text != want {
		t.Errorf("%q", m.Text)
	}
}
