package sip_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/platform/sip"
	"github.com/kapok-hotline/kapok/platform/sip/siptest"
)

// One message of our own for each case of RFC 4475, and what it must meet: a code, or "" for silence. 480 is the
// handler's own answer: the INVITE was understood. Every socket must still be served afterwards.
func TestTorture(t *testing.T) {
	t.Parallel()
	s := start(t, func(c *sip.Config) { c.Invite = func(in *sip.Incoming) { _ = in.Reject(480, "") } })
	base := func(method, uri string, lines ...string) string {
		have := strings.ToLower("\n" + strings.Join(lines, "\n"))
		m := method + " " + uri + " SIP/2.0\n"
		for _, d := range []string{
			"Via: SIP/2.0/UDP {addr};branch={branch};rport", "Max-Forwards: 70", "From: <sip:a@peer.example>;tag=f1",
			"To: <sip:b@kapok.example>", "Call-ID: {id}", "CSeq: 1 " + method, "Contact: <sip:a@{addr}>",
		} {
			name, _, _ := strings.Cut(strings.ToLower(d), ":")
			if !strings.Contains(have, "\n"+name+":") && !strings.Contains(have, "\n"+name+" :") && !strings.Contains(have, "\n-"+name) {
				m += d + "\n"
			}
		}
		for _, l := range lines {
			if !strings.HasPrefix(l, "-") {
				m += l + "\n"
			}
		}
		return m
	}
	invite := func(lines ...string) string { return base("INVITE", "sip:b@kapok.example", lines...) }
	options := func(lines ...string) string { return base("OPTIONS", "sip:b@kapok.example", lines...) }
	register := func(lines ...string) string { return base("REGISTER", "sip:kapok.example", lines...) }
	response := func(line string, lines ...string) string {
		return strings.Replace(base("OPTIONS", "x", lines...), "OPTIONS x SIP/2.0", line, 1)
	}
	cases := []struct{ name, text, want string }{
		// 3.1.1 valid
		{"wsinv: folding, white space, compact names", "INVITE sip:b@kapok.example;unknownparam SIP/2.0\nTO :\n sip:b@kapok.example ;   x   = y\nfrom   : \"J \\\\ \\\"Q\\\" User\"       <sip:a@peer.example>\n  ;\n  tag = 98asjd8\nMaX-fOrWaRdS: 0068\nCall-ID: {id}\ncseq: 0009\n  INVITE\nv: SIP  / 2.0\n /UDP\n    {addr} ;\n  branch={branch};rport\nNewFangledHeader:   newfangled value\n continued\nUnknownHeader:\nm:\"Quoted string \\\"\\\"\" <sip:a@peer.example> ; newparam =\n  newvalue ;\n  q = 0.33\n", "480"},
		{"intmeth: any token is a method", base("!interesting-Method0123456789_*+`.%indeed'~", "sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,weird!*pas$wo~d_too.(doesn't-it)@example.com"), "501"},
		{"esc01: escapes in the user part", base("INVITE", "sip:sips%3Auser%40example.com@kapok.example"), "480"},
		{"escnull: an escaped NUL", register("To: sip:null-%00-null@kapok.example", "From: sip:null-%00-null@kapok.example;tag=1"), "401"},
		{"esc02: a percent sign that escapes nothing", base("RE%47IST%45R", "sip:kapok.example"), "501"},
		{"lwsdisp: no space before the bracket", options("From: caller<sip:a@peer.example>;tag=323"), "200"},
		{"longreq: long values", invite("From: \"" + strings.Repeat("long ", 300) + "\" <sip:" + strings.Repeat("u", 1500) + "@peer.example>;tag=" + strings.Repeat("t", 1500)), "480"},
		{"dblreq: octets behind the message", strings.TrimSpace(register()) + "\nContent-Length: 0\n\nINVITE sip:joe@example.com SIP/2.0\nt: sip:joe@example.com\n", "401"},
		{"semiuri: semicolon in the user part", base("INVITE", "sip:user;par=u%40example.net@kapok.example"), "480"},
		{"transports: strange transports in lower Vias", options("Via: SIP/2.0/UDP {addr};branch={branch};rport", "Via: SIP/2.0/SCTP s1.example;branch=z9hG4bKa", "Via: SIP/2.0/UNKNOWN u1.example;branch=z9hG4bKb"), "200"},
		{"mpart01: a body of parts", invite("Content-Type: multipart/mixed;boundary=7a9cbec02ceef655", "", "--7a9cbec02ceef655\nContent-Type: application/sdp\n\nv=0\n--7a9cbec02ceef655--"), "480"},
		{"unreason: a reason in other letters", response("SIP/2.0 200 = 2**3 * 5**2 но сто девяносто девять"), ""},
		{"noreason: no reason phrase", response("SIP/2.0 100 "), ""},
		// 3.1.2 invalid
		{"badinv01: empty parameters in Via", invite("Via: SIP/2.0/UDP {addr};;,;,,"), "400"},
		{"clerr: more length than message", invite("Content-Type: application/sdp", "Content-Length: 9999", "", "v=0"), "400"},
		{"ncl: negative length", invite("Content-Length: -999"), "400"},
		{"scalar02: numbers too large", options("CSeq: 36893488147419103232 OPTIONS"), "400"},
		{"scalarlg: too large in a response", response("SIP/2.0 503 Service Unavailable", "CSeq: 9292394834772304023312 OPTIONS"), ""},
		{"quotbal: a quote without an end", invite("To: \"Mr. J. User <sip:b@kapok.example>"), "400"},
		{"ltgtruri: brackets around the Request-URI", base("INVITE", "<sip:b@kapok.example>"), "400"},
		{"lwsruri: space in the Request-URI", base("INVITE", "sip:b@kapok.example; lr"), "400"},
		{"lwsstart: two spaces in the request line", strings.Replace(invite(), "INVITE sip:b@kapok.example SIP", "INVITE  sip:b@kapok.example  SIP", 1), "400"},
		{"trws: space behind the request line", strings.Replace(options(), "SIP/2.0\n", "SIP/2.0  \n", 1), "200"},
		{"escruri: headers in the Request-URI", base("INVITE", "sip:b@kapok.example?Route=%3Csip:example.com%3E"), "400"},
		{"baddate: no GMT", invite("Date: Fri, 01 Jan 2010 16:00:00 EST"), "480"},
		{"regbadct: headers in a Contact without brackets", invite("Contact: sip:a@peer.example?Route=%3Csip:sip.example.com%3E"), "400"},
		{"badaspec: spaces within the brackets", invite("To: \"Watson, Thomas\" < sip:b@kapok.example >"), "400"},
		{"baddn: comma in a bare display name", options("From: Bell, Alexander <sip:a@peer.example>;tag=43"), "200"},
		{"badvers: another version", strings.Replace(options(), "SIP/2.0\n", "SIP/7.0\n", 1), "505"},
		{"mismatch01: CSeq names another method", options("CSeq: 8 INVITE"), "400"},
		{"mismatch02: the same with an unknown method", base("NEWMETHOD", "sip:b@kapok.example", "CSeq: 8 INVITE"), "400"},
		{"bigcode: a status code that is none", response("SIP/2.0 4294967301 better not break the receiver"), ""},
		// 3.2, 3.3
		{"badbranch: a branch without an identifier", options("Via: SIP/2.0/UDP {addr};branch=z9hG4bK;rport"), "200"},
		{"insuf: mandatory headers missing", invite("-call-id", "-from", "-to"), "400"},
		{"unkscm: unknown scheme", base("OPTIONS", "nobodyKnowsThisScheme:totallyopaquecontent"), "416"},
		{"novelsc: a scheme of others", base("OPTIONS", "soap.beep://192.0.2.103:3002"), "416"},
		{"unksm2: unknown schemes in headers", register("To: isbn:2983792873", "From: <http://www.example.com>;tag=3234233", "Contact: <name:John_Smith>"), "401"},
		{"bext01: an extension we must have and do not", options("Require: nothingSupportsThis, nothingSupportsThisEither"), "420"},
		{"invut: a body nobody knows", invite("Content-Type: application/unknownformat", "", "<audio/>"), "415"},
		{"regaut01: an unknown authorization scheme", register("Authorization: NoOneKnowsThisScheme opaque-data=here"), "401"},
		{"multi01: single headers twice", invite("CSeq: 5 INVITE", "CSeq: 59 INVITE", "Call-ID: {id}", "Call-ID: other", "From: <sip:a@x>;tag=3", "From: <sip:c@x>;tag=4", "To: <sip:b@x>", "To: <sip:d@x>"), "400"},
		{"mcl01: two lengths", options("Content-Length: 13", "Content-Length: 5", "", "There's no way to know"), "400"},
		{"bcast: a response for somebody else", response("SIP/2.0 200 OK", "Via: SIP/2.0/UDP 192.0.2.198;branch=z9hG4bKx", "Via: SIP/2.0/UDP 255.255.255.255;branch=z9hG4bKy"), ""},
		{"zeromf: no hops left, but we are the end", options("Max-Forwards: 0"), "200"},
		{"cparam01: unknown Contact parameter", register("Contact: sip:a@peer.example;unknownparam"), "401"},
		{"cparam02: unknown URI parameter", register("Contact: <sip:a@peer.example;unknownparam>"), "401"},
		{"regescrt: escaped headers in a Contact", register("Contact: <sip:a@peer.example?Route=%3Csip:sip.example.com%3E>"), "401"},
		{"sdp01: no session description is wanted", invite("Accept: text/nobodyKnowsThis"), "406"},
		// 3.4
		{"inv2543: no branch, no tag, no Max-Forwards", invite("Via: SIP/2.0/UDP {addr}", "-max-forwards", "From: <sip:a@peer.example>"), "480"},
	}
	for i, c := range cases {
		p := siptest.New(t, s.Addr("udp"))
		p.Send(c.text, "{id}", fmt.Sprint("torture-", i))
		if c.want == "" {
			if m, ok := p.Await("SIP/2.0", 20*time.Millisecond); ok {
				t.Errorf("%s: answered %s", c.name, m.Start)
			}
			continue
		}
		m, ok := p.Await("SIP/2.0", 3*time.Second)
		for ok && strings.HasPrefix(m.Start, "SIP/2.0 100") {
			m, ok = p.Await("SIP/2.0", 3*time.Second)
		}
		if !ok || !strings.HasPrefix(m.Start, "SIP/2.0 "+c.want) {
			t.Errorf("%s: %q, expected %s", c.name, m.Start, c.want)
		}
	}
	p := siptest.New(t, s.Addr("udp"))
	p.Send(options(), "{id}", "after")
	p.Expect("SIP/2.0 200")
}
