package sip

import (
	"net/netip"
	"sync"
	"time"

	"github.com/kapok-hotline/kapok/platform/sip/wire"
)

// Entry is one message of a call as it went over the wire. Text must not be changed.
type Entry struct {
	At        time.Time
	Out       bool // from us
	Transport string
	Peer      netip.AddrPort
	Text      []byte
}

// StartLine gives the first line.
func (e Entry) StartLine() string {
	l, _ := wire.CutLine(string(e.Text[:min(len(e.Text), 512)]))
	return l
}

func entryOf(m *message) Entry {
	return Entry{At: m.at, Transport: m.flow.Transport, Peer: m.flow.Remote, Text: m.raw}
}

// Bounds of the trace of one Call-ID. Its beginning matters most, so the first messages stay and the newest
// replace each other.
const (
	traceHead = 24
	traceTail = 24
)

// traceLog keeps the first and the last messages of a lane.
type traceLog struct {
	head []Entry
	ring [traceTail]*Entry
	next int
}

func (t *traceLog) add(e Entry) {
	if len(t.head) < traceHead {
		t.head = append(t.head, e)
		return
	}
	t.ring[t.next%traceTail] = &e
	t.next++
}

// all gives the messages in order.
func (t *traceLog) all() []Entry {
	out := append([]Entry(nil), t.head...)
	for i := max(0, t.next-traceTail); i < t.next; i++ {
		out = append(out, *t.ring[i%traceTail])
	}
	return out
}

func (t *traceLog) take() []Entry {
	out := t.head
	if t.next > 0 {
		out = t.all()
	}
	*t = traceLog{}
	return out
}

// traceRing keeps the traces of the calls that ended last.
type traceRing struct {
	mu    sync.Mutex
	byID  map[string][]Entry
	order []string
}

const traceKept = 256 // ended calls

// traceEnded hands the trace of an ended Call-ID over; what made no call (a REGISTER, say) is kept the same way.
func (s *Server) traceEnded(id string, e []Entry) {
	r := &s.traces
	r.mu.Lock()
	if r.byID == nil {
		r.byID = map[string][]Entry{}
	}
	if _, ok := r.byID[id]; !ok {
		r.order = append(r.order, id)
	}
	r.byID[id] = e
	if len(r.order) > traceKept {
		delete(r.byID, r.order[0])
		r.order = r.order[1:]
	}
	r.mu.Unlock()
	if s.cfg.Traced != nil {
		s.cfg.Traced(id, e)
	}
}

// Trace gives the messages of a live or recently ended Call-ID in order; nil when it is not known.
func (s *Server) Trace(callID string) []Entry {
	ch := make(chan []Entry, 1)
	if s.deliver(callID, false, func(l *lane) { ch <- l.trace.all() }) {
		return <-ch
	}
	s.traces.mu.Lock()
	defer s.traces.mu.Unlock()
	return s.traces.byID[callID]
}
