// Package conf is the configuration of a process: what it must know before it can open the database, in which
// everything else is configured. A value comes from the command line, else from the environment (KAPOK_…), else
// from one YAML file, else it is the default; with no value at all Kapok runs.
package conf

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"path/filepath"
	"strings"
)

// Config is the configuration of a process. Addresses are host:port, an empty host is all of them.
type Config struct {
	Config        string     // the YAML file; "" is none
	Node          string     // name of this process among others
	Data          string     // folder for everything that is kept in files
	DB            string     // sqlite:PATH or postgres://…
	HTTP          string     // plain HTTP; "" is off
	HTTPS         string     // HTTPS, always on
	TLSCert       string     // PEM files; both "" is self-signed
	TLSKey        string     //
	SIP           string     // UDP and TCP; "" is off
	SIPS          string     // TLS; "" is off
	RTPPorts      Ports      // UDP, for plain phones and trunks
	FastPath      bool       // the kernel may relay plain calls
	WebRTCPort    int        // UDP, one for all browsers
	AdvertiseIP   netip.Addr // what phones are told to send media to; the zero Addr is found out
	Part          []string   // what this process does: control, voice, channel, city, witness
	Cluster       string     // where the other processes reach this one; "" is alone
	Join          []string   // where the others are reached
	ClusterSecret string     // what they know each other by
	Log           Log
}

// Ports is a range of ports, both included.
type Ports struct{ From, To int }

// Log says what is logged and in what shape.
type Log struct {
	Level slog.Level
	JSON  bool
}

// parts are what a process can do; one that names none does the first three. Never written to.
var parts = []string{"control", "voice", "channel", "city", "witness"}

// Default gives the configuration with no value set. host names the machine.
func Default(host string) Config {
	return Config{
		Node: host, Data: "./kapok-data",
		HTTP: "127.0.0.1:8080", HTTPS: ":8443", SIP: ":5060", SIPS: ":5061",
		RTPPorts: Ports{20000, 29999}, FastPath: true, WebRTCPort: 5064,
		Part: []string{"control", "voice", "channel"},
	}
}

// ErrHelp is what Load gives for --help: the caller prints Usage.
var ErrHelp = errors.New("help is asked for")

// Error is a value that cannot be used: where it stands and what to do about it, in one sentence.
type Error struct {
	Source string // --http, KAPOK_HTTP, kapok.yaml:3
	Text   string
}

func (e *Error) Error() string { return e.Source + ": " + e.Text }

// Load makes the configuration from the arguments after the command, the environment and the file that one of
// them names. It gives the arguments that are not flags. host names the machine; readFile is os.ReadFile.
func Load(args []string, env func(string) (string, bool), readFile func(string) ([]byte, error), host string) (Config, []string, error) {
	c := Default(host)
	given, rest, err := parseFlags(args)
	if err != nil {
		return c, nil, err
	}
	for _, o := range options {
		if _, ok := given[o.name]; !ok {
			if value, ok := env(o.env()); ok && value != "" {
				given[o.name] = setting{value, o.env()}
			}
		}
	}
	if file, ok := given["config"]; ok {
		found, err := parseFile(file.text, file.source, readFile)
		if err != nil {
			return c, nil, err
		}
		for name, v := range found {
			if _, ok := given[name]; !ok {
				given[name] = v
			}
		}
	}
	for _, o := range options {
		if v, ok := given[o.name]; ok {
			if err := o.set(&c, strings.TrimSpace(v.text)); err != nil {
				return c, nil, &Error{v.source, err.Error()}
			}
		}
	}
	if c.DB == "" {
		c.DB = "sqlite:" + filepath.Join(c.Data, "kapok.db")
	}
	return c, rest, c.check(given)
}

// setting is one value and where it stands.
type setting struct{ text, source string }

// parseFlags reads --name value and --name=value up to the first argument that is neither, or --.
func parseFlags(args []string) (map[string]setting, []string, error) {
	given := map[string]setting{}
	for len(args) > 0 {
		arg := args[0]
		if arg == "--" {
			return given, args[1:], nil
		}
		if len(arg) < 2 || arg[0] != '-' {
			break
		}
		args = args[1:]
		name, text, whole := strings.Cut(strings.TrimLeft(arg, "-"), "=")
		if name == "h" || name == "help" {
			return nil, nil, ErrHelp
		}
		if find(name) == nil {
			return nil, nil, &Error{"--" + name, "there is no such flag" + suggest("--", name)}
		}
		if !whole {
			if len(args) == 0 {
				return nil, nil, &Error{"--" + name, "a value is missing: write --" + name + " VALUE"}
			}
			text, args = args[0], args[1:]
		}
		given[name] = setting{text, "--" + name}
	}
	return given, args, nil
}

// String gives the configuration for the log, without its secrets.
func (c Config) String() string {
	var out []string
	for _, o := range options {
		if v := o.get(&c); v != "" && !o.secret {
			out = append(out, o.name+"="+v)
		}
	}
	return strings.Join(out, " ")
}

// Has tells whether this process does the part.
func (c Config) Has(part string) bool {
	for _, p := range c.Part {
		if p == part {
			return true
		}
	}
	return false
}

func (p Ports) String() string { return fmt.Sprintf("%d-%d", p.From, p.To) }

func (l Log) String() string {
	format := "text"
	if l.JSON {
		format = "json"
	}
	return strings.ToLower(l.Level.String()) + "," + format
}
