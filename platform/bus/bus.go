// Package bus is how the parts of Kapok talk and share live state, in one process or in many: a NATS server
// inside the program. Publish and On for what has happened, Ask and Answer for questions, Bucket for state
// with a lifetime, Lease for what only one may do. It is not the record of truth: that is SQL. See DESIGN.md.
package bus

import (
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/platform/clock"
)

// Config says how the process stands among others. The zero value with a Node is a process alone: no port is
// opened and nothing is written to disk that outlives it.
type Config struct {
	Node string // name of this process, unique and, in a cluster, the same after a restart; required
	Dir  string // folder for a cluster's streams; alone for what the server leaves there until it ends ("": a temporary one)

	ClusterListen string   // host:port other processes reach us at; "" is alone
	Routes        []string // host:port of all processes of the cluster; it may name this one too
	Secret        string   // what the processes of a cluster know each other by; required in a cluster
	Replicas      int      // copies of each bucket in a cluster; 0 is 3
	SyncAlways    bool     // write buckets through to the disk at every change: slower, for sites that fear power cuts

	Clock clock.Clock  // nil: the machine's
	Log   *slog.Logger // nil: the default

	streams bool // buckets of a process alone are streams, as in a cluster: for tests of what a stream does
}

func (c Config) alone() bool { return c.ClusterListen == "" }

// Bus is an open bus. It is safe for use by many goroutines.
type Bus struct {
	config  Config
	server  *server.Server
	conn    *nats.Conn
	started bool // the server
	js      jetstream.JetStream
	clock   clock.Clock
	log     *slog.Logger
	temp    string          // folder to clear away at the end
	life    context.Context // ends with the bus: the parent of every answer
	end     context.CancelFunc
	locals  map[string]*local // buckets of a process alone, by name
	mu      sync.Mutex        // guards locals and closed, and work against late comers
	closed  bool
	work    sync.WaitGroup
	once    sync.Once
}

const readyWait = 20 * time.Second

// Open starts the server in this process and connects to it. In a cluster it returns when this process is
// ready; buckets wait for a majority by themselves.
func Open(ctx context.Context, c Config) (*Bus, error) {
	if c.Node == "" || !c.alone() && (c.Secret == "" || c.Dir == "") {
		return nil, fault.New(fault.Invalid, "bus.config.invalid")
	}
	b := &Bus{config: c, clock: c.Clock, log: c.Log, locals: map[string]*local{}}
	if b.clock == nil {
		b.clock = clock.System()
	}
	if b.log == nil {
		b.log = slog.Default()
	}
	if c.alone() {
		dir, err := scratch(c.Dir)
		if err != nil {
			return nil, fault.New(fault.Unavailable, "bus.start.failed").Because(err)
		}
		b.temp, b.config.Dir = dir, dir
	}
	b.life, b.end = context.WithCancel(context.Background())
	if err := b.start(ctx); err != nil {
		b.Close()
		return nil, fault.New(fault.Unavailable, "bus.start.failed").Because(err)
	}
	return b, nil
}

// scratch gives an empty folder: in dir, where a process that was killed leaves nothing that the next one does
// not clear away, or else among the temporary ones.
func scratch(dir string) (string, error) {
	if dir == "" {
		return os.MkdirTemp("", "kapok-bus")
	}
	dir = filepath.Join(dir, "alone")
	if err := os.RemoveAll(dir); err != nil {
		return "", err
	}
	return dir, os.MkdirAll(dir, 0o700)
}

func (b *Bus) start(ctx context.Context) error {
	options, err := b.config.options()
	if err != nil {
		return err
	}
	if b.server, err = server.NewServer(options); err != nil {
		return err
	}
	b.server.SetLoggerV2(serverLog{b.log}, false, false, false)
	b.started = true
	b.server.Start()
	wait := readyWait
	if end, ok := ctx.Deadline(); ok {
		wait = min(wait, end.Sub(b.clock.Now()))
	}
	if !b.server.ReadyForConnections(wait) {
		return fault.New(fault.Unavailable, "bus.start.late", "seconds", int(wait/time.Second))
	}
	b.conn, err = nats.Connect("", nats.InProcessServer(b.server), nats.Name(b.config.Node),
		nats.UserInfo(options.Username, options.Password),
		nats.MaxReconnects(-1), nats.ErrorHandler(b.complain))
	if err != nil {
		return err
	}
	b.js, err = jetstream.New(b.conn, jetstream.WithDefaultTimeout(askWait))
	return err
}

// Close stops answering, waits for the answers under way (their contexts end) and stops the server.
func (b *Bus) Close() {
	b.once.Do(func() {
		b.end()
		b.mu.Lock()
		b.closed = true
		b.mu.Unlock()
		if b.conn != nil {
			if err := b.conn.FlushTimeout(time.Second); err != nil {
				b.log.Warn("the bus closes with messages under way", slog.Any("error", err))
			}
		}
		b.work.Wait()
		if b.conn != nil {
			b.conn.Close()
		}
		if b.server != nil && b.started {
			b.server.Shutdown()
			b.server.WaitForShutdown()
		}
		if b.temp != "" {
			_ = os.RemoveAll(b.temp) // the system clears its temporary folder too
		}
	})
}

// run starts f on a goroutine that Close waits for; once the bus is closed it does nothing and gives false.
func (b *Bus) run(f func()) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.closed {
		b.work.Go(f)
	}
	return !b.closed
}

// Node gives the name of this process.
func (b *Bus) Node() string { return b.config.Node }

// Publish sends v as JSON to whoever hears subject, on every node, and does not wait for them. Who is away
// misses it: what must not be missed is followed in the ledger.
func (b *Bus) Publish(subject string, v any) error {
	if err := check(subject); err != nil {
		return err
	}
	data, err := json.Marshal(v)
	if err != nil {
		return fault.New(fault.Internal, "bus.message.invalid", "subject", subject).Because(err)
	}
	return explain(b.conn.Publish(subject, data), subject)
}

// Hear calls f with everything published under subject (`*` stands for one word of it, `>` for the rest), in
// order, one at a time. f must return soon: what waits for it is held in memory, and dropped when it is too much.
func (b *Bus) Hear(subject string, f func(subject string, data []byte)) (stop func(), err error) {
	if err := check(subject); err != nil {
		return nil, err
	}
	sub, err := b.conn.Subscribe(subject, func(m *nats.Msg) { f(m.Subject, m.Data) })
	if err != nil {
		return nil, explain(err, subject)
	}
	if err := b.conn.Flush(); err != nil { // from here on nothing is missed
		return nil, explain(err, subject)
	}
	return func() { _ = sub.Unsubscribe() }, nil
}

// On is Hear for messages of one type; one that does not fit is logged and left out.
func On[T any](b *Bus, subject string, f func(subject string, v T)) (stop func(), err error) {
	return b.Hear(subject, func(subject string, data []byte) {
		var v T
		if err := json.Unmarshal(data, &v); err != nil {
			b.log.Warn("a message does not fit its subject", slog.String("subject", subject), slog.Any("error", err))
			return
		}
		f(subject, v)
	})
}

// complain logs what the connection has to say for itself, such as a hearer that is too slow.
func (b *Bus) complain(_ *nats.Conn, sub *nats.Subscription, err error) {
	subject := ""
	if sub != nil {
		subject = sub.Subject
	}
	b.log.Error("trouble on the bus", slog.String("subject", subject), slog.Any("error", err))
}
