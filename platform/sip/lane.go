package sip

import (
	"hash/maphash"
	"sync"
	"time"
)

// A lane is the mailbox of one Call-ID: messages, timers and calls of the API run in it one after the other, in
// order of arrival. All transactions and dialogs of the Call-ID belong to it, so they need no locks and wire order
// is handling order. A lane has a goroutine only while there is something to do.
type lane struct {
	srv *Server
	id  string

	mu      sync.Mutex
	queue   []func()
	running bool

	// owned by the running function
	server  map[string]*serverTx
	client  map[string]*clientTx
	dialogs []*Dialog
	calls   []*Outgoing // not yet settled
	isCall  bool        // an INVITE went through: worth a trace
	trace   traceLog
}

// post appends fn; it never blocks.
func (l *lane) post(fn func()) {
	l.mu.Lock()
	l.queue = append(l.queue, fn)
	start := !l.running
	l.running = true
	l.mu.Unlock()
	if start {
		l.srv.crew.Do(l.run)
	}
}

// run works the queue off and takes the lane out of the table when nothing lives in it any more.
func (l *lane) run() {
	for {
		l.mu.Lock()
		if len(l.queue) == 0 {
			l.mu.Unlock()
			if l.retire() {
				return
			}
			continue
		}
		batch := l.queue
		l.queue = nil
		l.mu.Unlock()
		for _, fn := range batch {
			l.srv.guard(l.id, fn)
		}
	}
}

// retire stops the goroutine if the queue is empty; false means that there is more to do.
func (l *lane) retire() bool {
	sh := l.srv.shard(l.id)
	sh.mu.Lock()
	l.mu.Lock()
	if len(l.queue) > 0 {
		l.mu.Unlock()
		sh.mu.Unlock()
		return false
	}
	l.running = false
	idle := len(l.server) == 0 && len(l.client) == 0 && len(l.dialogs) == 0 && len(l.calls) == 0
	var ended []Entry
	if idle && sh.byID[l.id] == l {
		delete(sh.byID, l.id)
		ended = l.trace.take()
	}
	l.mu.Unlock()
	sh.mu.Unlock()
	if len(ended) > 0 && l.isCall {
		l.srv.traceEnded(l.id, ended)
	}
	return true
}

// after posts fn when d has passed.
func (l *lane) after(d time.Duration, fn func()) *time.Timer {
	return time.AfterFunc(d, func() { l.post(fn) })
}

// write sends b on the flow and keeps it in the trace.
func (l *lane) write(f *Flow, b []byte) error {
	l.trace.add(Entry{At: l.srv.cfg.Now(), Out: true, Transport: f.Transport, Peer: f.Remote, Text: b})
	err := f.write(b)
	if err != nil {
		l.srv.log.Debug("sip: write", "peer", f.Key(), "callid", l.id, "err", err)
	}
	return err
}

// laneShard is one part of the table of lanes.
type laneShard struct {
	mu   sync.Mutex
	byID map[string]*lane
}

const laneShards = 64

func (s *Server) shard(id string) *laneShard {
	return &s.lanes[maphash.String(s.seed, id)%laneShards]
}

// deliver posts fn to the lane of the Call-ID; without create a missing lane means false.
func (s *Server) deliver(id string, create bool, fn func(*lane)) bool {
	sh := s.shard(id)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	l := sh.byID[id]
	if l == nil {
		if !create {
			return false
		}
		l = &lane{srv: s, id: id, server: map[string]*serverTx{}, client: map[string]*clientTx{}}
		sh.byID[id] = l
	}
	l.post(func() { fn(l) })
	return true
}

// Lanes counts the Call-IDs that are alive: calls, and transactions that still wait for repeats.
func (s *Server) Lanes() int {
	n := 0
	for i := range s.lanes {
		s.lanes[i].mu.Lock()
		n += len(s.lanes[i].byID)
		s.lanes[i].mu.Unlock()
	}
	return n
}

// serial runs functions one after the other outside the lane: the callbacks of one dialog, which may block.
type serial struct {
	mu      sync.Mutex
	queue   []func()
	running bool
	srv     *Server
}

func (q *serial) post(fn func()) {
	q.mu.Lock()
	q.queue = append(q.queue, fn)
	start := !q.running
	q.running = true
	q.mu.Unlock()
	if start {
		q.srv.spawn(q.run)
	}
}

// last runs fn after all that is under way, at once when there is nothing. fn must not block.
func (q *serial) last(fn func()) {
	q.mu.Lock()
	if q.running {
		q.queue = append(q.queue, fn)
		fn = func() {}
	}
	q.mu.Unlock()
	fn()
}

func (q *serial) run() {
	for {
		q.mu.Lock()
		if len(q.queue) == 0 {
			q.running = false
			q.mu.Unlock()
			return
		}
		fn := q.queue[0]
		q.queue = q.queue[1:]
		q.mu.Unlock()
		q.srv.guard("", fn)
	}
}
