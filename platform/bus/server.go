package bus

import (
	"crypto/rand"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

const (
	maxMessage = 8 << 20   // bytes
	maxMemory  = 512 << 20 // of all buckets in memory
	maxDisk    = 4 << 30   // of all buckets in a cluster's folder
	routeUser  = "kapok"
)

// options makes the server's options: no port for clients, whose only one is this process itself; in a
// cluster a port for the other processes, which must know the secret.
func (c Config) options() (*server.Options, error) {
	o := &server.Options{
		ServerName: c.Node, DontListen: true, NoSigs: true,
		MaxPayload: maxMessage, MaxControlLine: 4096,
		JetStream: !c.alone() || c.streams, StoreDir: c.Dir, JetStreamMaxMemory: maxMemory, JetStreamMaxStore: maxDisk,
		SyncAlways: c.SyncAlways,
	}
	if c.alone() {
		return o, nil
	}
	host, port, err := splitAddress(c.ClusterListen)
	if err != nil {
		return nil, err
	}
	// nats-server 2.15 opens the port for routes only after one for clients (StartRouting waits for it), so there
	// is one: on loopback, with a password nobody knows.
	o.DontListen, o.Host, o.Port = false, "127.0.0.1", server.RANDOM_PORT
	o.Username, o.Password = routeUser, rand.Text()
	o.Cluster = server.ClusterOpts{
		Name: "kapok", Host: host, Port: port, Username: routeUser, Password: c.Secret, AuthTimeout: 5,
		ConnectRetries: 10, PoolSize: 1, NoAdvertise: true,
	}
	routes := c.Routes
	if len(routes) == 0 {
		routes = []string{c.ClusterListen} // the first of a cluster: without a route there are no buckets
	}
	for _, r := range routes {
		if _, _, err := splitAddress(r); err != nil {
			return nil, err
		}
		o.Routes = append(o.Routes, &url.URL{Scheme: "nats", Host: r, User: url.UserPassword(routeUser, c.Secret)})
	}
	return o, nil
}

func splitAddress(address string) (string, int, error) {
	host, text, err := net.SplitHostPort(address)
	if err != nil {
		return "", 0, fmt.Errorf("%q is not host:port: %w", address, err)
	}
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return "", 0, fmt.Errorf("the port of %q is not a number up to 65535", address)
	}
	if port == 0 {
		return host, server.RANDOM_PORT, nil
	}
	return host, int(port), nil
}

// ClusterAddress gives the host:port others reach us at, "" alone: what a port 0 has become.
func (b *Bus) ClusterAddress() string {
	if b.config.alone() {
		return ""
	}
	a := b.server.ClusterAddr()
	if a == nil {
		return ""
	}
	return a.String()
}

// Peers gives the number of other processes we are connected to.
func (b *Bus) Peers() int { return b.server.NumRemotes() }

// Settled waits until the cluster has a leader for its buckets, or for d; alone it is settled at once.
func (b *Bus) Settled(d time.Duration) bool {
	if b.config.alone() {
		return true
	}
	end := b.clock.Now().Add(d)
	for b.clock.Now().Before(end) {
		if b.server.JetStreamIsCurrent() {
			return true
		}
		time.Sleep(20 * time.Millisecond)
	}
	return false
}

// serverLog hands the server's words on; its notices are of interest to nobody who is not looking for a fault.
type serverLog struct{ log *slog.Logger }

func (s serverLog) Noticef(format string, v ...any) { s.log.Debug(s.text(format, v)) }
func (s serverLog) Warnf(format string, v ...any)   { s.log.Warn(s.text(format, v)) }
func (s serverLog) Fatalf(format string, v ...any)  { s.log.Error(s.text(format, v)) }
func (s serverLog) Errorf(format string, v ...any)  { s.log.Error(s.text(format, v)) }
func (s serverLog) Debugf(format string, v ...any)  { s.log.Debug(s.text(format, v)) }
func (s serverLog) Tracef(format string, v ...any)  { s.log.Debug(s.text(format, v)) }

func (serverLog) text(format string, v []any) string {
	return "bus: " + strings.TrimSpace(fmt.Sprintf(format, v...))
}
