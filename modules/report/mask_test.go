package report

import (
	"strings"
	"testing"

	"github.com/kapok-hotline/kapok/core/phone"
)

func TestMask(t *testing.T) {
	for _, c := range []struct{ body, want string }{
		{
			`{"from":"013900000137","caller":"013900000137","name":"张三","tax_id":"91440101MA5CX0000X","queue":"vat"}`,
			`{"caller":"139****0137","from":"139****0137","name":"张**","queue":"vat","tax_id":"` + "914***********000X" + `"}`,
		},
		{`{"peer":"02083330000","role":"party"}`, `{"peer":"020-****0000","role":"party"}`},
		{`{"peer":"013900000137","role":"caller"}`, `{"peer":"139****0137","role":"caller"}`},
		{`{"peer":"8001","role":"agent"}`, `{"peer":"8001","role":"agent"}`},
		{`{"peer":"browser","role":"consult"}`, `{"peer":"browser","role":"consult"}`},
		{`{"from":""}`, `{"from":""}`},
		{`[1]`, `{}`},
	} {
		if got := string(maskBody([]byte(c.body))); got != c.want {
			t.Errorf("%s is shown as %s, want %s", c.body, got, c.want)
		}
	}
	for _, n := range []string{"013900000137", "02083330000", "12366", "8001", "0085221234567", ""} {
		if got := maskPeer("party", n); got != phone.Mask(n) {
			t.Errorf("%s is %s here and %s in core/phone", n, got, phone.Mask(n))
		}
	}
	if got := maskText("INVITE sip:12366@x SIP/2.0\r\nFrom: <sip:+8613900000137@ct>", "013900000137"); strings.Contains(got, "13900000137") {
		t.Errorf("maskText left the number: %s", got)
	}
}
