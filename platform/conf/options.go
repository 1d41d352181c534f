package conf

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// option is one setting: its flag and key in the file, and, in capitals, its variable.
type option struct {
	name, value, help string
	secret            bool
	set               func(*Config, string) error
	get               func(*Config) string
}

func (o *option) env() string {
	return "KAPOK_" + strings.ToUpper(strings.ReplaceAll(o.name, "-", "_"))
}

// options in the order Usage shows them. It is never written to.
var options = []*option{
	text("config", "FILE", "YAML file with any of these as `name: value`", func(c *Config) *string { return &c.Config }),
	text("data", "DIR", "folder for everything kept in files", func(c *Config) *string { return &c.Data }),
	{
		name: "db", value: "URL", help: "sqlite:PATH (default in the data folder) or postgres://…",
		set: func(c *Config, s string) error { c.DB = s; return database(s) },
		get: func(c *Config) string { return redact(c.DB) },
	},
	address("http", "plain HTTP, for localhost or behind a proxy; off", true, func(c *Config) *string { return &c.HTTP }),
	address("https", "HTTPS; browsers give a microphone to nothing less", false, func(c *Config) *string { return &c.HTTPS }),
	text("tls-cert", "FILE", "certificate chain (PEM); without it self-signed", func(c *Config) *string { return &c.TLSCert }),
	text("tls-key", "FILE", "its key (PEM)", func(c *Config) *string { return &c.TLSKey }),
	address("sip", "SIP over UDP and TCP; off", true, func(c *Config) *string { return &c.SIP }),
	address("sips", "SIP over TLS; off", true, func(c *Config) *string { return &c.SIPS }),
	{
		name: "rtp-ports", value: "LOW-HIGH", help: "UDP ports for the media of phones and trunks",
		set: func(c *Config, s string) (err error) { c.RTPPorts, err = ports(s); return err },
		get: func(c *Config) string { return c.RTPPorts.String() },
	},
	{
		name: "fast-path", value: "auto|off", help: "let the kernel relay plain calls if it can",
		set: func(c *Config, s string) error {
			c.FastPath = s == "auto"
			if !c.FastPath && s != "off" {
				return fmt.Errorf("%q is neither auto nor off", s)
			}
			return nil
		},
		get: func(c *Config) string {
			if c.FastPath {
				return "auto"
			}
			return "off"
		},
	},
	{
		name: "webrtc-port", value: "PORT", help: "UDP port for the media of all browsers",
		set: func(c *Config, s string) (err error) { c.WebRTCPort, err = port(s); return err },
		get: func(c *Config) string { return strconv.Itoa(c.WebRTCPort) },
	},
	{
		name: "advertise-ip", value: "IP", help: "where others send media to, when this machine is behind NAT",
		set: func(c *Config, s string) (err error) { c.AdvertiseIP, err = ip(s); return err },
		get: func(c *Config) string {
			if !c.AdvertiseIP.IsValid() {
				return ""
			}
			return c.AdvertiseIP.String()
		},
	},
	{
		name: "part", value: "LIST", help: "what this process does; also city, witness",
		set: func(c *Config, s string) (err error) { c.Part, err = partList(s); return err },
		get: func(c *Config) string { return strings.Join(c.Part, ",") },
	},
	text("node", "NAME", "name of this process among others", func(c *Config) *string { return &c.Node }),
	address("cluster", "where the other processes reach this one; off", true, func(c *Config) *string { return &c.Cluster }),
	{
		name: "join", value: "LIST", help: "host:port of the other processes",
		set: func(c *Config, s string) (err error) { c.Join, err = addressList(s); return err },
		get: func(c *Config) string { return strings.Join(c.Join, ",") },
	},
	{
		name: "cluster-secret", value: "TEXT", help: "what the processes know each other by (better not as a flag)", secret: true,
		set: func(c *Config, s string) error {
			c.ClusterSecret = s
			if len(s) < 16 {
				return errors.New("it is short: take 16 characters or more, for instance from `openssl rand -hex 16`")
			}
			return nil
		},
		get: func(c *Config) string { return c.ClusterSecret },
	},
	{
		name: "log", value: "LEVEL,FORMAT", help: "debug, info, warn or error; text or json",
		set: func(c *Config, s string) (err error) { c.Log, err = logging(s); return err },
		get: func(c *Config) string { return c.Log.String() },
	},
}

func find(name string) *option {
	i := slices.IndexFunc(options, func(o *option) bool { return o.name == name })
	if i < 0 {
		return nil
	}
	return options[i]
}

func text(name, value, help string, field func(*Config) *string) *option {
	return &option{
		name: name, value: value, help: help,
		set: func(c *Config, s string) error {
			if s == "" {
				return errors.New("a value is missing")
			}
			*field(c) = s
			return nil
		},
		get: func(c *Config) string { return *field(c) },
	}
}

func address(name, help string, off bool, field func(*Config) *string) *option {
	return &option{
		name: name, value: "HOST:PORT", help: help,
		set: func(c *Config, s string) error {
			if off && s == "off" {
				*field(c) = ""
				return nil
			}
			*field(c) = s
			return hostPort(s)
		},
		get: func(c *Config) string { return *field(c) },
	}
}

func hostPort(s string) error {
	_, p, err := net.SplitHostPort(s)
	if err != nil {
		return fmt.Errorf("%q is not an address: write HOST:PORT, for instance 127.0.0.1:8080, or :8080 for all addresses of the machine", s)
	}
	if n, err := strconv.ParseUint(p, 10, 16); err != nil || n > 65535 {
		return fmt.Errorf("the port in %q is not a number from 0 to 65535", s)
	}
	return nil
}

func addressList(s string) ([]string, error) {
	var out []string
	for a := range strings.SplitSeq(s, ",") {
		if a = strings.TrimSpace(a); a == "" {
			continue
		}
		if err := hostPort(a); err != nil {
			return nil, err
		}
		out = append(out, a)
	}
	return out, nil
}

func port(s string) (int, error) {
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > 65535 {
		return 0, fmt.Errorf("%q is not a port: write a number from 1 to 65535", s)
	}
	return n, nil
}

func ports(s string) (Ports, error) {
	low, high, ok := strings.Cut(s, "-")
	from, err1 := port(strings.TrimSpace(low))
	to, err2 := port(strings.TrimSpace(high))
	if !ok || err1 != nil || err2 != nil || from < 1024 || to-from < 3 {
		return Ports{}, fmt.Errorf("%q is not a range of ports: write LOW-HIGH, from 1024 up and at least four wide (two for each call), for instance 20000-29999", s)
	}
	return Ports{from, to}, nil
}

func ip(s string) (netip.Addr, error) {
	a, err := netip.ParseAddr(s)
	if err != nil || a.IsUnspecified() || a.IsMulticast() {
		return netip.Addr{}, fmt.Errorf("%q is not an address others can send to: write the public IP address, for instance 203.0.113.7", s)
	}
	return a, nil
}

func partList(s string) ([]string, error) {
	var out []string
	for p := range strings.SplitSeq(s, ",") {
		p = strings.TrimSpace(p)
		if !slices.Contains(parts, p) {
			return nil, fmt.Errorf("there is no part %q: name one or more of %s, with commas", p, strings.Join(parts, ", "))
		}
		if !slices.Contains(out, p) {
			out = append(out, p)
		}
	}
	return out, nil
}

func logging(s string) (Log, error) {
	var l Log
	for word := range strings.SplitSeq(s, ",") {
		switch word = strings.ToLower(strings.TrimSpace(word)); word {
		case "text":
			l.JSON = false
		case "json":
			l.JSON = true
		case "debug":
			l.Level = slog.LevelDebug
		case "info":
			l.Level = slog.LevelInfo
		case "warn":
			l.Level = slog.LevelWarn
		case "error":
			l.Level = slog.LevelError
		default:
			return l, fmt.Errorf("%q is neither a level nor a format: write a level (debug, info, warn, error), a format (text, json) or both, for instance debug,json", word)
		}
	}
	return l, nil
}

func database(s string) error {
	scheme, rest, found := strings.Cut(s, ":")
	switch {
	case found && scheme == "sqlite" && rest != "", s != "" && !strings.Contains(s, "://"):
		return nil
	case found && (scheme == "postgres" || scheme == "postgresql"):
		if _, err := url.Parse(s); err == nil {
			return nil
		}
	}
	return fmt.Errorf("%q is not a database: write sqlite:PATH, or postgres://user:password@host/name", redact(s))
}

func redact(s string) string {
	if u, err := url.Parse(s); err == nil && u.User != nil {
		return u.Redacted()
	}
	if at := strings.LastIndexByte(s, '@'); at >= 0 && strings.Contains(s, "://") { // unreadable, but it may hold a password
		return s[:strings.Index(s, "://")+3] + "…" + s[at:]
	}
	return s
}
