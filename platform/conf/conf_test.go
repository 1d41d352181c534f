package conf

import (
	"errors"
	"io/fs"
	"log/slog"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// load is Load with an environment and a kapok.yaml given as text.
func load(args, env, file string) (Config, []string, error) {
	vars := map[string]string{}
	for line := range strings.FieldsSeq(env) {
		k, v, _ := strings.Cut(line, "=")
		vars[k] = v
	}
	return Load(strings.Fields(args),
		func(k string) (string, bool) { v, ok := vars[k]; return v, ok },
		func(path string) ([]byte, error) {
			if path != "etc/kapok.yaml" {
				return nil, fs.ErrNotExist
			}
			return []byte(file), nil
		}, "host-1")
}

const withFile = "--config etc/kapok.yaml "

func TestDefaultsRun(t *testing.T) {
	c, _, err := load("", "", "")
	if err != nil {
		t.Fatal(err)
	}
	want := Default("host-1")
	want.DB = "sqlite:kapok-data/kapok.db"
	if diff := cmp.Diff(want, c, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
		t.Error(diff)
	}
}

func TestWhoWins(t *testing.T) {
	for _, c := range []struct{ name, args, env, file, want string }{
		{"the default", "", "", "", "127.0.0.1:8080"},
		{"the file over the default", withFile, "", "http: :1", ":1"},
		{"the variable over the file", withFile, "KAPOK_HTTP=:2", "http: :1", ":2"},
		{"the flag over the variable", withFile + "--http :3", "KAPOK_HTTP=:2", "http: :1", ":3"},
		{"the last flag over the first", "--http=:3 -http :4", "", "", ":4"},
		{"an empty variable is none", "", "KAPOK_HTTP=", "", "127.0.0.1:8080"},
		{"the file named by a variable", "", "KAPOK_CONFIG=etc/kapok.yaml", "http: :5", ":5"},
		{"off", "--http off", "", "", ""},
	} {
		got, _, err := load(c.args, c.env, c.file)
		if err != nil || got.HTTP != c.want {
			t.Errorf("%s: %q, %v; want %q", c.name, got.HTTP, err, c.want)
		}
	}
}

func TestEveryValueIsRead(t *testing.T) {
	want := Config{
		Config: "etc/kapok.yaml", Node: "gz-1", Data: "/var/lib/kapok", DB: "postgres://kapok:pw@db/kapok", HTTP: "", HTTPS: ":443",
		TLSCert: "c.pem", TLSKey: "k.pem", SIP: ":5070", SIPS: "10.0.0.1:5071", RTPPorts: Ports{30000, 39999}, WebRTCPort: 5080,
		AdvertiseIP: netip.MustParseAddr("203.0.113.7"), Part: []string{"voice", "channel"}, Cluster: "10.0.0.1:6222",
		Join: []string{"10.0.0.2:6222", "10.0.0.3:6222"}, ClusterSecret: "0123456789abcdef", Log: Log{slog.LevelDebug, true},
	}
	got, rest, err := load(withFile+"-- more words", "", `
# the machine in the basement
node: gz-1
data: /var/lib/kapok
db: postgres://kapok:pw@db/kapok
http: off
https: ":443"
tls-cert: c.pem
tls-key: 'k.pem'
sip: :5070
sips: 10.0.0.1:5071
rtp-ports: 30000-39999
fast-path: off
webrtc-port: 5080
advertise-ip: 203.0.113.7
part: [voice, channel]
cluster: 10.0.0.1:6222
join:
  - 10.0.0.2:6222
  - 10.0.0.3:6222
cluster-secret: 0123456789abcdef
log: debug,json
`)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
		t.Error(diff)
	}
	if !cmp.Equal(rest, []string{"more", "words"}) {
		t.Error(rest)
	}
	if s := got.String(); strings.Contains(s, "pw") || strings.Contains(s, "0123456789abcdef") || !strings.Contains(s, "rtp-ports=30000-39999") {
		t.Error(s)
	}
}

func TestMistakes(t *testing.T) {
	for _, c := range []struct{ name, args, env, file, want string }{
		{"unknown flag", "--htpp :1", "", "", "--htpp: there is no such flag; did you mean --http?"},
		{"nothing like it", "--frobnicate 1", "", "", "--frobnicate: there is no such flag; see kapok help"},
		{"no value", "--http", "", "", "--http: a value is missing: write --http VALUE"},
		{"unknown key", withFile, "", "data: x\nrtp-port: 1-2\n", `kapok.yaml:2: there is no setting "rtp-port"; did you mean rtp-ports?`},
		{"a file in a file", withFile, "", "config: other.yaml", `kapok.yaml:1: there is no setting "config"`},
		{"twice", withFile, "", "http: :1\nhttp: :2\n", "kapok.yaml"},
		{"no value in the file", withFile, "", "http:\n", `kapok.yaml:1: "http" has no value: give it one, or leave the line out`},
		{"a mapping for a value", withFile, "", "\nhttp:\n  port: 1\n", `kapok.yaml:2: "http" is a single value or a list of them`},
		{"a list of lists", withFile, "", "join: [[a]]", `kapok.yaml:1: "join" is a list of single values`},
		{"a list for a file", withFile, "", "- a\n- b\n", "kapok.yaml:1: lines of the form `name: value` are expected here"},
		{"no YAML", withFile, "", "http: [\n", "kapok.yaml: it is not YAML: "},
		{"no file", "--config none.yaml", "", "", "--config: there is no file none.yaml: make it, or leave --config out"},
		{"bad value in the file", withFile, "", "sip: 5060", `kapok.yaml:1: "5060" is not an address: write HOST:PORT`},
		{"bad value in a variable", "", "KAPOK_SIP=:sip", "", `KAPOK_SIP: the port in ":sip" is not a number from 0 to 65535`},
		{"HTTPS is always on", "--https off", "", "", `--https: "off" is not an address`},
		{"ports the wrong way round", "--rtp-ports 3000-2000", "", "", `--rtp-ports: "3000-2000" is not a range of ports`},
		{"too few ports", "--rtp-ports 3000-3001", "", "", "--rtp-ports: "},
		{"neither on nor off", "--fast-path on", "", "", `--fast-path: "on" is neither auto nor off`},
		{"port", "--webrtc-port 70000", "", "", `--webrtc-port: "70000" is not a port: write a number from 1 to 65535`},
		{"ports that cross", "--webrtc-port 25000", "", "", "--webrtc-port: it lies within the RTP ports 20000-29999"},
		{"SIP among the media", "--sip :20001", "", "", "--sip: its port lies within the RTP ports"},
		{"SIP on the browsers' port", "--sip :5064", "", "", "--webrtc-port: SIP has this port already"},
		{"IP", "--advertise-ip 0.0.0.0", "", "", `--advertise-ip: "0.0.0.0" is not an address others can send to`},
		{"part", "--part voice,fax", "", "", `--part: there is no part "fax": name one or more of control, voice, channel, city, witness`},
		{"level", "--log loud", "", "", `--log: "loud" is neither a level nor a format`},
		{"database", "--db mysql://root:pw@h/d", "", "", "--db: \"mysql://root:xxxxx@h/d\" is not a database: write sqlite:PATH"},
		{"a certificate without a key", "--tls-cert c.pem", "", "", "--tls-cert: the key that belongs to the certificate is missing"},
		{"a key without a certificate", "--tls-key c.pem", "", "", "--tls-key: the certificate that belongs to the key is missing"},
		{"a part alone", "--part voice", "", "", "--part: the other parts must be reached"},
		{"a witness with more", "--part witness,voice", "", "", "--part: a witness does nothing else"},
		{"a cluster without a secret", "--cluster :6222", "", "", "--cluster: a secret is missing: set KAPOK_CLUSTER_SECRET"},
		{"a short secret", "", "KAPOK_CLUSTER_SECRET=1234", "", "KAPOK_CLUSTER_SECRET: it is short"},
		{"a cluster on SQLite", "--cluster :6222", "KAPOK_CLUSTER_SECRET=0123456789abcdef", "", "--cluster: several processes need PostgreSQL"},
		{"join without cluster", "--join a:1", "", "", "--join: the others must reach this process too"},
		{"join nonsense", "--join a", "", "", `--join: "a" is not an address`},
		{"node", "--node a.b", "", "", `--node: "a.b" is not a name`},
	} {
		_, _, err := load(c.args, c.env, c.file)
		if e, ok := errors.AsType[*Error](err); !ok || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%s: %v (%v); want %s", c.name, err, e, c.want)
		}
	}
}

func TestUsageFitsAScreen(t *testing.T) {
	lines := strings.Split(strings.TrimSpace(Usage()), "\n")
	if len(lines) > 24 {
		t.Errorf("%d lines", len(lines))
	}
	for _, line := range lines {
		if n := len([]rune(line)); n > 100 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
	for _, o := range options {
		if !strings.Contains(Usage(), "--"+o.name+" ") {
			t.Errorf("--%s is not shown", o.name)
		}
	}
	if _, _, err := load("--http :1 --help", "", ""); !errors.Is(err, ErrHelp) {
		t.Error(err)
	}
}

func FuzzYAML(f *testing.F) {
	for _, s := range []string{"http: :1", "join: [a, b]", "join:\n  - a\n", "x: &a 1\ny: *a", "? a\n: b", "http: |\n  x", "--- \n---\n", "<<: 1", "{a: b"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		found, err := parseYAML("f", data)
		if e, ok := errors.AsType[*Error](err); err != nil && (!ok || e.Text == "") {
			t.Errorf("%T %v", err, err)
		}
		for name := range found {
			if find(name) == nil {
				t.Errorf("%q came through", name)
			}
		}
	})
}
