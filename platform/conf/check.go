package conf

import (
	"net"
	"slices"
	"strconv"
	"strings"
)

// check looks at values that must fit each other. given tells where a value stands, for the sentence.
func (c *Config) check(given map[string]setting) error {
	refuse := func(name, text string) error {
		source := "--" + name
		if v, ok := given[name]; ok {
			source = v.source
		}
		return &Error{source, text}
	}
	whole := c.Has("control") && c.Has("voice") && c.Has("channel")
	postgres := strings.HasPrefix(c.DB, "postgres")
	switch {
	case c.TLSCert != "" && c.TLSKey == "":
		return refuse("tls-cert", "the key that belongs to the certificate is missing: name it with --tls-key")
	case c.TLSKey != "" && c.TLSCert == "":
		return refuse("tls-key", "the certificate that belongs to the key is missing: name it with --tls-cert")
	case c.RTPPorts.holds(c.WebRTCPort):
		return refuse("webrtc-port", "it lies within the RTP ports "+c.RTPPorts.String()+": take one outside, or other RTP ports")
	case c.RTPPorts.holds(portOf(c.SIP)):
		return refuse("sip", "its port lies within the RTP ports "+c.RTPPorts.String()+": take one outside, or other RTP ports")
	case c.SIP != "" && portOf(c.SIP) == c.WebRTCPort:
		return refuse("webrtc-port", "SIP has this port already: take another")
	case c.Has("witness") && len(c.Part) > 1:
		return refuse("part", "a witness does nothing else: name witness alone, or leave it out")
	case len(c.Join) > 0 && c.Cluster == "" && !c.Has("city"):
		return refuse("join", "the others must reach this process too: name its address with --cluster HOST:PORT")
	case (c.Cluster != "" || len(c.Join) > 0) && c.ClusterSecret == "":
		return refuse("cluster", "a secret is missing: set KAPOK_CLUSTER_SECRET to the same 16 characters or more on every process")
	case c.Cluster != "" && !postgres && !c.Has("witness") && !c.Has("city"):
		return refuse("cluster", "several processes need PostgreSQL: name it with --db postgres://…; `kapok move` takes what is in SQLite there")
	case c.Cluster == "" && !whole && !c.Has("city"):
		return refuse("part", "the other parts must be reached: name this process's address with --cluster HOST:PORT, or leave --part out to do all in one")
	case c.Node == "" || strings.ContainsAny(c.Node, " .*>/\\\t\r\n"):
		return refuse("node", strconv.Quote(c.Node)+" is not a name: take letters, digits and -, a different one for each process")
	}
	return nil
}

func (p Ports) holds(n int) bool { return n >= p.From && n <= p.To }

func portOf(address string) int {
	_, p, err := net.SplitHostPort(address)
	if err != nil {
		return -1
	}
	n, err := strconv.Atoi(p)
	if err != nil {
		return -1
	}
	return n
}

// suggest gives "; did you mean …?" for the option nearest to name, "" where none is near.
func suggest(prefix, name string) string {
	best, distance := "", 1+len(name)/3
	for _, o := range options {
		if d := edits(name, o.name); d <= distance && (best == "" || d < distance) {
			best, distance = o.name, d
		}
	}
	if best == "" {
		return "; see kapok help"
	}
	return "; did you mean " + prefix + best + "?"
}

// edits is Levenshtein's distance: how many letters to change, add or leave out.
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		last := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			last, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, last+cost)
		}
	}
	return row[len(b)]
}

// Usage gives the flags, their defaults and their meaning: one screen.
func Usage() string {
	c := Default("the host's name")
	var out strings.Builder
	out.WriteString("Every flag is also a variable (--rtp-ports: KAPOK_RTP_PORTS) and a YAML key (rtp-ports:).\n")
	out.WriteString("A flag wins over the variable, the variable over the file, the file over the default.\n\n")
	for _, o := range options {
		head := "  --" + o.name + " " + o.value
		out.WriteString(head + strings.Repeat(" ", max(1, 28-len(head))) + o.help)
		if d := o.get(&c); d != "" && !slices.Contains([]string{"config", "db"}, o.name) {
			out.WriteString(" [" + d + "]")
		}
		out.WriteByte('\n')
	}
	return out.String()
}
