package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"

	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/conf"
	"github.com/kapok-hotline/kapok/platform/logx"
)

const serveHelp = `
kapok serve [flags]
  Runs the hotline. On an empty data folder it prints a one-time link for the first administrator.
  SIGTERM ends it in good order; kill -9 is survived too.

Examples:
  kapok serve
  kapok serve --data /var/lib/kapok --http 127.0.0.1:8080 --advertise-ip 192.0.2.10

  One of several processes of one house, which take over from each other (on each KAPOK_CLUSTER_SECRET is the same):
  kapok serve --node one --db postgres://kapok@db/kapok --cluster 192.0.2.10:6222 --join 192.0.2.11:6222,192.0.2.12:6222

`

// ErrUnfit is a configuration this build cannot serve; its text says what to do.
var ErrUnfit = errors.New("this cannot be served")

func runServe(ctx context.Context, c *call) error {
	cfg, rest, err := loadConfig(c.args, "")
	if err != nil {
		return err
	}
	if len(rest) > 0 {
		return errUsage
	}
	if cfg.Has("witness") {
		return runWitness(ctx, cfg, c)
	}
	defer roomyHeap()()
	h, err := Open(ctx, options(cfg, c))
	if err != nil {
		return err
	}
	return h.Run(ctx, func() { h.greet(ctx, c) })
}

// loadConfig reads flags, environment and file; data is the default folder when it is not given.
func loadConfig(args []string, data string) (conf.Config, []string, error) {
	host, err := os.Hostname()
	if err != nil || host == "" {
		host = "kapok"
	}
	env := func(name string) (string, bool) {
		v, ok := os.LookupEnv(name)
		if !ok && name == "KAPOK_DATA" && data != "" {
			return data, true
		}
		return v, ok
	}
	cfg, rest, err := conf.Load(args, env, os.ReadFile, host)
	if err != nil {
		return cfg, rest, err
	}
	return cfg, rest, fit(cfg)
}

// fit refuses what this build cannot serve.
func fit(cfg conf.Config) error {
	switch {
	case cfg.Has("city"):
		return fmt.Errorf("%w: --part city joins a city's own house to a province's, which this version does not do yet; leave it out", ErrUnfit)
	case cfg.Cluster == "":
		return nil // conf has seen to it that all parts are here
	case len(cfg.Join) < 2:
		return fmt.Errorf("%w: a house of several processes has three or more, so that the others can go on without one; name two with --join, of which one may be a witness (--part witness) on any small machine", ErrUnfit)
	case cfg.Has("control") != cfg.Has("channel"):
		return fmt.Errorf("%w: control and channel are not divided yet; name both in --part, or neither", ErrUnfit)
	}
	return nil
}

// alone refuses what several processes need, where only one can be meant.
func alone(cfg conf.Config) error {
	if cfg.Cluster != "" || len(cfg.Join) > 0 {
		return fmt.Errorf("%w: --cluster and --join make several processes of one house, and a demo is one; leave them out", ErrUnfit)
	}
	return nil
}

// options turns the configuration into what the house is opened with.
func options(cfg conf.Config, c *call) Options {
	o := Options{
		Data: cfg.Data, DB: cfg.DB, HTTP: cfg.HTTP, HTTPS: cfg.HTTPS, TLSCert: cfg.TLSCert, TLSKey: cfg.TLSKey,
		SIP: list(cfg.SIP), SIPS: list(cfg.SIPS), RTPFirst: uint16(cfg.RTPPorts.From), RTPLast: uint16(cfg.RTPPorts.To),
		FastPath: cfg.FastPath, WebRTC: uint16(cfg.WebRTCPort), Advertise: advertise(cfg.AdvertiseIP), Node: id.Node(cfg.Node),
		Log: logx.New(c.err, cfg.Log.Level, cfg.Log.JSON, id.Node(cfg.Node)),
	}
	if cfg.Cluster != "" {
		o.Cluster = Cluster{Listen: cfg.Cluster, Join: cfg.Join, Secret: cfg.ClusterSecret, Decide: cfg.Has("control")}
	}
	if !cfg.Has("voice") {
		o.SIP, o.SIPS = nil, nil
	}
	return o
}

func list(address string) []string {
	if address == "" {
		return nil
	}
	return strings.Split(address, ",")
}

// advertise finds the address phones reach us at when none is given: that of the way out, else loopback.
func advertise(given netip.Addr) netip.Addr {
	if given.IsValid() {
		return given
	}
	loopback := netip.MustParseAddr("127.0.0.1")
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return loopback
	}
	for _, a := range addrs {
		if n, ok := a.(*net.IPNet); ok && n.IP.To4() != nil && n.IP.IsGlobalUnicast() {
			if ip, ok := netip.AddrFromSlice(n.IP.To4()); ok {
				return ip
			}
		}
	}
	return loopback
}

// greet says where the house is to be found.
func (h *House) greet(ctx context.Context, c *call) {
	plain, secure := h.web.Addrs()
	fmt.Fprintf(c.out, "Kapok %s\n", Version())
	if plain != "" {
		fmt.Fprintf(c.out, "  pages   http://%s\n", plain)
	}
	if secure != "" {
		fmt.Fprintf(c.out, "  pages   https://%s (browsers give the microphone here and on localhost)\n", visible(secure, h.o.Advertise))
	}
	if len(h.o.SIP) > 0 {
		fmt.Fprintf(c.out, "  phones  SIP on %s, media at %s\n", strings.Join(h.o.SIP, ", "), h.o.Advertise)
	}
	if k := h.o.Cluster; !k.alone() {
		fmt.Fprintf(c.out, "  house   %s at %s, with %s\n", h.o.Node, k.Listen, strings.Join(k.Join, ", "))
	}
	if token, needed, err := h.identity.FirstRun(ctx); err != nil {
		h.log.Error("the link for the first administrator could not be made", "err", err)
	} else if needed {
		fmt.Fprintf(c.out, "\nNobody can sign in yet. Open this link once to begin:\n  http://%s/setup?token=%s\n", plain, token)
	}
}

// visible puts a name people can open in the place of "all addresses".
func visible(address string, ip netip.Addr) string {
	host, port, err := net.SplitHostPort(address)
	if err != nil || (host != "" && host != "::" && host != "0.0.0.0") {
		return address
	}
	return net.JoinHostPort(ip.String(), port)
}
