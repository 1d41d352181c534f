package bus

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// BucketConfig says how long what lies in a bucket lives.
type BucketConfig struct {
	TTL     time.Duration // a key not written for so long expires, and watchers are told; 0: it stays. At least 1 s
	History int           // values kept of a key; 0 is 1
}

// tombstone is how long the marks of deleted and expired keys stay for watchers that were away a moment. They
// must go: keys are ULIDs, so a mark that stayed would stay for good.
const tombstone = time.Minute

const (
	bucketRetry = 200 * time.Millisecond
	bucketTry   = 2 * time.Second
)

// Bucket holds live state: values under keys (words of letters, digits, - and _, joined by dots) with revisions
// that rise over the whole bucket. Values are JSON. A key's lifetime is the bucket's, renewed by every write;
// there is no lifetime per key, because a conditional write would drop it. A process alone keeps a value as it was
// given: it must not be changed afterwards.
type Bucket struct {
	bus       *Bus
	name      string
	kv        jetstream.KeyValue
	local     *local // in a process alone, instead of kv
	tombstone time.Duration
}

// Bucket opens the bucket, and makes it where it is new; in a cluster it waits for a majority as long as ctx
// allows. Every process opens it with the same configuration.
func (b *Bus) Bucket(ctx context.Context, name string, c BucketConfig) (*Bucket, error) {
	return b.bucket(ctx, name, c, tombstone)
}

func (b *Bus) bucket(ctx context.Context, name string, c BucketConfig, mark time.Duration) (*Bucket, error) {
	if b.config.alone() && !b.config.streams {
		return b.localBucket(name, c), nil
	}
	config := jetstream.KeyValueConfig{
		Bucket: name, TTL: c.TTL, History: uint8(min(max(c.History, 1), jetstream.KeyValueMaxHistory)), //nolint:gosec // 1..64
		Storage: jetstream.MemoryStorage, Replicas: 1, LimitMarkerTTL: mark,
	}
	if !b.config.alone() {
		config.Storage, config.Replicas = jetstream.FileStorage, b.config.Replicas
		if config.Replicas == 0 {
			config.Replicas = 3
		}
	}
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, readyWait)
		defer cancel()
	}
	for {
		kv, err := b.tryBucket(ctx, config)
		if err == nil {
			return &Bucket{bus: b, name: name, kv: kv, tombstone: mark}, nil
		}
		if b.config.alone() || errors.Is(err, jetstream.ErrInvalidBucketName) {
			return nil, explain(err, name)
		}
		t := time.NewTimer(bucketRetry)
		select {
		case <-t.C: // the cluster is still electing
		case <-ctx.Done():
			t.Stop()
			return nil, explain(errors.Join(ctx.Err(), err), name)
		}
	}
}

// localBucket gives the bucket of this name, one for all who open it.
func (b *Bus) localBucket(name string, c BucketConfig) *Bucket {
	b.mu.Lock()
	defer b.mu.Unlock()
	l := b.locals[name]
	if l == nil {
		l = newLocal(b.clock, c.TTL, b.life.Done())
		b.locals[name] = l
	}
	return &Bucket{bus: b, name: name, local: l}
}

// tryBucket looks for the bucket before it makes it: that needs one copy, not the leader of the whole. A leader
// that goes down takes the question with it, so a try is short.
func (b *Bus) tryBucket(ctx context.Context, config jetstream.KeyValueConfig) (jetstream.KeyValue, error) {
	ctx, cancel := context.WithTimeout(ctx, bucketTry)
	defer cancel()
	kv, err := b.js.KeyValue(ctx, config.Bucket)
	if errors.Is(err, jetstream.ErrBucketNotFound) {
		return b.js.CreateKeyValue(ctx, config)
	}
	if err != nil {
		return nil, err
	}
	s, err := kv.Status(ctx)
	if err == nil && (s.TTL() != config.TTL || s.History() != int64(config.History)) {
		return b.js.UpdateKeyValue(ctx, config) // as a newer version of the program wants it
	}
	return kv, err
}

// Put writes the value, whatever was there, and gives its revision.
func (k *Bucket) Put(ctx context.Context, key string, v any) (uint64, error) {
	return k.write(ctx, key, v, whatever, func(ctx context.Context, data []byte) (uint64, error) { return k.kv.Put(ctx, key, data) })
}

// Create writes the value where the key is missing, deleted or expired; else ErrChanged.
func (k *Bucket) Create(ctx context.Context, key string, v any) (uint64, error) {
	return k.write(ctx, key, v, missing, func(ctx context.Context, data []byte) (uint64, error) { return k.kv.Create(ctx, key, data) })
}

// Update writes the value where the key still has the revision; else (changed, deleted, expired) ErrChanged.
func (k *Bucket) Update(ctx context.Context, key string, v any, revision uint64) (uint64, error) {
	if revision == missing || revision == whatever {
		return 0, explain(jetstream.ErrKeyRevisionMismatch, k.name+" "+key) // no key has these
	}
	return k.write(ctx, key, v, revision, func(ctx context.Context, data []byte) (uint64, error) {
		return k.kv.Update(ctx, key, data, revision)
	})
}

// write is done or refused within askWait: where a leader has gone down with the question, nobody answers.
func (k *Bucket) write(ctx context.Context, key string, v any, revision uint64, f func(context.Context, []byte) (uint64, error)) (uint64, error) {
	if k.local != nil {
		revision, err := k.local.write(key, v, revision)
		return revision, explain(err, k.name+" "+key)
	}
	data, err := json.Marshal(v)
	if err != nil {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, askWait)
	defer cancel()
	revision, err = f(ctx, data)
	return revision, explain(err, k.name+" "+key)
}

// Get reads the value into v (nil: only the revision is wanted) and gives its revision, or ErrMissing.
func (k *Bucket) Get(ctx context.Context, key string, v any) (uint64, error) {
	if k.local != nil {
		revision, err := k.local.get(key, v)
		return revision, explain(err, k.name+" "+key)
	}
	ctx, cancel := context.WithTimeout(ctx, askWait)
	defer cancel()
	e, err := k.kv.Get(ctx, key)
	if err != nil {
		return 0, explain(err, k.name+" "+key)
	}
	if v == nil {
		return e.Revision(), nil
	}
	return e.Revision(), json.Unmarshal(e.Value(), v)
}

// Delete takes the key away where it has the revision, or whatever it has where revision is 0. A key that is
// not there is no error when revision is 0.
func (k *Bucket) Delete(ctx context.Context, key string, revision uint64) error {
	if k.local != nil {
		return explain(k.local.remove(key, revision), k.name+" "+key)
	}
	ctx, cancel := context.WithTimeout(ctx, askWait)
	defer cancel()
	options := []jetstream.KVDeleteOpt{jetstream.PurgeTTL(k.tombstone)}
	if revision > 0 {
		options = append(options, jetstream.LastRevision(revision))
	}
	return explain(k.kv.Purge(ctx, key, options...), k.name+" "+key)
}

// Change is one thing that happened to a key.
type Change struct {
	Key      string
	Revision uint64
	Value    []byte // JSON; nil when Gone
	Gone     bool   // deleted or expired
	Current  bool   // no change: all that was there has come, what follows is new
}

// Read reads the value into v.
func (c Change) Read(v any) error { return json.Unmarshal(c.Value, v) }

// Watch tells of the keys that begin with prefix ("" is all; it ends with a dot, or is one whole key): first
// each as it stands, then a Change that is Current, then every change until ctx ends, which closes the
// channel. The reader must keep up.
func (k *Bucket) Watch(ctx context.Context, prefix string) (<-chan Change, error) {
	if k.local != nil {
		return k.watchLocal(ctx, prefix), nil
	}
	pattern := prefix
	if prefix == "" || strings.HasSuffix(prefix, ".") {
		pattern += ">"
	}
	w, end, err := k.openWatch(ctx, pattern)
	if err != nil {
		return nil, explain(err, k.name+" "+pattern)
	}
	out := make(chan Change, 64)
	started := k.bus.run(func() {
		defer end()
		defer close(out)
		forward(ctx, k.bus.life, w, out)
	})
	if !started {
		end()
		close(out)
	}
	return out, nil
}

func (k *Bucket) watchLocal(ctx context.Context, prefix string) <-chan Change {
	out := make(chan Change, 64)
	started := k.bus.run(func() {
		defer close(out)
		k.local.watch(ctx, k.bus.life, prefix, out)
	})
	if !started {
		close(out)
	}
	return out
}

// openWatch tries for as long as ctx allows, since a leader that goes down takes the question with it. end stops
// the watch and takes what it still has to say, on which its goroutine would wait for good.
func (k *Bucket) openWatch(ctx context.Context, pattern string) (w jetstream.KeyWatcher, end func(), err error) {
	for {
		life, cancel := context.WithCancel(ctx)
		late := time.AfterFunc(bucketTry, cancel)
		w, err := k.kv.Watch(life, pattern)
		if err == nil && late.Stop() {
			return w, func() {
				_ = w.Stop() // fails where the connection is closed, which ends it too
				cancel()
				for range w.Updates() {
				}
			}, nil
		}
		if err == nil { // just too late: its context has ended
			_ = w.Stop()
			err = context.DeadlineExceeded
		}
		late.Stop()
		cancel()
		if errors.Is(err, jetstream.ErrInvalidKey) || ctx.Err() != nil || k.bus.life.Err() != nil || k.bus.config.alone() {
			return nil, nil, errors.Join(ctx.Err(), err)
		}
	}
}

// forward hands on until the watch, its context or the bus ends.
func forward(ctx, life context.Context, w jetstream.KeyWatcher, out chan<- Change) {
	for {
		select {
		case e, ok := <-w.Updates():
			if !ok {
				return
			}
			select {
			case out <- change(e):
			case <-ctx.Done():
				return
			case <-life.Done():
				return
			}
		case <-ctx.Done():
			return
		case <-life.Done():
			return
		}
	}
}

func change(e jetstream.KeyValueEntry) Change {
	if e == nil {
		return Change{Current: true}
	}
	c := Change{Key: e.Key(), Revision: e.Revision(), Gone: e.Operation() != jetstream.KeyValuePut}
	if !c.Gone {
		c.Value = e.Value()
	}
	return c
}

// Keys gives the keys that begin with prefix, as in Watch, in no order.
func (k *Bucket) Keys(ctx context.Context, prefix string) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, askWait)
	defer cancel()
	changes, err := k.Watch(ctx, prefix)
	if err != nil {
		return nil, err
	}
	keys := []string{}
	for c := range changes {
		if c.Current {
			return keys, nil
		}
		if !c.Gone {
			keys = append(keys, c.Key)
		}
	}
	return nil, explain(context.DeadlineExceeded, k.name+" "+prefix)
}
