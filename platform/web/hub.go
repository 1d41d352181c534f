package web

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"log/slog"
	"sync"
	"time"

	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/core/right"
	"github.com/kapok-hotline/kapok/platform/clock"
)

// Audience is who a message is for: one user, or everybody who holds a right at a site.
type Audience struct {
	User  id.User
	Right right.Right
	Site  id.Site
}

// To is the audience of one user, on all their pages.
func To(u id.User) Audience { return Audience{User: u} }

// Holders is everybody who holds r at site: whose own subtree site lies in. An empty site is any.
func Holders(r right.Right, site id.Site) Audience { return Audience{Right: r, Site: site} }

// Hub brings live data to the pages. Messages of a topic carry a rising seq; a page that comes back names the
// last it had and gets what it missed, or is told to reload. A seq holds a tag of this hub in its lowest bits, so
// that a seq of another process is known as foreign, and starts at the time of day, so that a restart is too.
type Hub struct {
	clock clock.Clock
	log   *slog.Logger
	may   func(Caller, right.Right, id.Site) bool
	tag   uint64

	mu     sync.Mutex
	topics map[string]*topic
	conns  map[*conn]struct{}
	users  map[id.User]int // open sockets
	closed bool

	hookMu sync.Mutex // orders the hooks' calls
	hooks  []func(id.User, bool)
	told   map[id.User]bool
}

const (
	tagBits = 10
	// ringLen and the byte limits bound what is kept for pages that come back.
	ringLen     = 256
	sharedBytes = 1 << 20
	userBytes   = 64 << 10
	// ringKeep is how long a user's messages are kept after their last page went.
	ringKeep = 5 * time.Minute
)

type topic struct {
	seq    uint64 // of the newest message, without tag
	used   bool   // something was published
	shared *ring
	user   map[id.User]*ring
	subs   map[*conn]struct{}
}

// ring holds the newest messages of one stream; floor is the seq of the newest message it no longer has.
type ring struct {
	limit int
	bytes int
	floor uint64
	items []item
}

type item struct {
	seq  uint64
	to   Audience
	data []byte
}

func (r *ring) add(it item) {
	r.items = append(r.items, it)
	r.bytes += len(it.data)
	for len(r.items) > ringLen || r.bytes > r.limit && len(r.items) > 1 {
		r.floor = r.items[0].seq
		r.bytes -= len(r.items[0].data)
		r.items[0].data = nil
		r.items = r.items[1:]
	}
}

func newHub(c clock.Clock, log *slog.Logger, may func(Caller, right.Right, id.Site) bool) *Hub {
	var b [8]byte
	_, _ = rand.Read(b[:])
	return &Hub{
		clock: c, log: log, may: may, tag: binary.LittleEndian.Uint64(b[:]) & (1<<tagBits - 1),
		topics: map[string]*topic{}, conns: map[*conn]struct{}{}, users: map[id.User]int{}, told: map[id.User]bool{},
	}
}

// message is what a page receives.
type message struct {
	Topic  string          `json:"topic"`
	Seq    uint64          `json:"seq"`
	Data   json.RawMessage `json:"data,omitempty"`
	Reload bool            `json:"reload,omitempty"`
}

// Publish sends data (anything JSON can show) to the audience's pages that have subscribed to the topic. It does
// not wait for them: a page that reads too slowly is cut off and comes back by resuming.
func (h *Hub) Publish(name string, to Audience, data any) error {
	body, err := json.Marshal(filled(data))
	if err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	t := h.topic(name)
	t.seq++
	t.used = true
	frame, err := json.Marshal(message{Topic: name, Seq: h.outside(t.seq), Data: body})
	if err != nil {
		return err
	}
	it := item{seq: t.seq, to: to, data: frame}
	if to.User == "" {
		t.shared.add(it)
	} else if r := t.user[to.User]; r != nil {
		r.add(it)
	}
	for c := range t.subs {
		if h.reaches(to, c) {
			c.push(frame)
		}
	}
	return nil
}

// PublishTo is Publish to one user, for data that is costly to make: it is made only if the user has had a page of
// the topic lately. A page that comes later knows by the seq that it has missed something.
func (h *Hub) PublishTo(name string, user id.User, data func() any) error {
	h.mu.Lock()
	t := h.topic(name)
	heard := t.user[user] != nil
	if !heard {
		t.seq++
		t.used = true
	}
	h.mu.Unlock()
	if !heard {
		return nil
	}
	return h.Publish(name, To(user), data())
}

// Heard reports whether any page has subscribed to the topic: what is costly to make and said again and again need not
// be made for nobody.
func (h *Hub) Heard(name string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	t := h.topics[name]
	return t != nil && len(t.subs) > 0
}

// OnPresence calls f when a user's first socket comes (true) and when the last one goes (false). Calls come one
// after another, and the last one told is the truth. Register before the server runs; f must not block.
func (h *Hub) OnPresence(f func(user id.User, present bool)) {
	h.hookMu.Lock()
	defer h.hookMu.Unlock()
	h.hooks = append(h.hooks, f)
}

// Present reports whether the user has a page open here.
func (h *Hub) Present(u id.User) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.users[u] > 0
}

// Len gives the number of open sockets.
func (h *Hub) Len() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.conns)
}

// Recheck has the identity asked again about every socket, after a change of roles or sites: other rights hold
// from then on, ended sessions lose their socket. The pages notice nothing else.
func (h *Hub) Recheck() { h.recheck(func(*conn) bool { return true }) }

// RecheckUser is Recheck for one user's sockets.
func (h *Hub) RecheckUser(u id.User) { h.recheck(func(c *conn) bool { return c.who().User == u }) }

func (h *Hub) recheck(which func(*conn) bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for c := range h.conns {
		if which(c) {
			select {
			case c.again <- struct{}{}:
			default: // it is to be asked already
			}
		}
	}
}

// DropUser closes the user's sockets; pages reconnect.
func (h *Hub) DropUser(u id.User) { h.drop(func(c *conn) bool { return c.who().User == u }) }

// DropSession closes the sockets of a session that was ended.
func (h *Hub) DropSession(session string) {
	h.drop(func(c *conn) bool { return c.who().Session == session })
}

// DropAll closes every socket; pages reconnect.
func (h *Hub) DropAll() { h.drop(func(*conn) bool { return true }) }

func (h *Hub) drop(which func(*conn) bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for c := range h.conns {
		if which(c) {
			c.stop(closeAgain, "rights or session changed")
		}
	}
}

// shut closes every socket and lets no new one in.
func (h *Hub) shut() {
	h.mu.Lock()
	h.closed = true
	h.mu.Unlock()
	h.drop(func(*conn) bool { return true })
}

func (h *Hub) topic(name string) *topic {
	t := h.topics[name]
	if t == nil {
		base := uint64(h.clock.Now().UnixMilli())
		t = &topic{seq: base, shared: &ring{limit: sharedBytes, floor: base}, user: map[id.User]*ring{}, subs: map[*conn]struct{}{}}
		h.topics[name] = t
	}
	return t
}

func (h *Hub) outside(seq uint64) uint64 { return seq<<tagBits | h.tag }

func (h *Hub) reaches(to Audience, c *conn) bool {
	who := c.who()
	if to.User != "" {
		return who.User == to.User
	}
	return h.may(who, to.Right, to.Site)
}

// subscribe brings c up to date in the topic and keeps it so. since is the page's last seq, 0 for none.
func (h *Hub) subscribe(c *conn, name string, since uint64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, ok := h.conns[c]; !ok {
		return
	}
	t := h.topic(name)
	t.subs[c] = struct{}{}
	user := c.who().User
	own := t.user[user]
	if own == nil {
		own = &ring{limit: userBytes, floor: t.seq}
		t.user[user] = own
	}
	at := since >> tagBits
	resumable := since&(1<<tagBits-1) == h.tag && at >= t.shared.floor && at >= own.floor && at <= t.seq
	missed := []item{}
	if resumable {
		missed = merge(after(t.shared.items, at), after(own.items, at))
	}
	if !resumable || len(missed) > ringLen {
		frame, _ := json.Marshal(message{Topic: name, Seq: h.outside(t.seq), Reload: true})
		c.push(frame)
		return
	}
	for _, it := range missed {
		if h.reaches(it.to, c) {
			c.push(it.data)
		}
	}
}

func (h *Hub) unsubscribe(c *conn, name string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.leave(c, name)
}

// leave takes c out of the topic; a topic nobody publishes in goes with its last page, so that made-up names do
// not pile up.
func (h *Hub) leave(c *conn, name string) {
	t := h.topics[name]
	if t == nil {
		return
	}
	delete(t.subs, c)
	if len(t.subs) == 0 && !t.used {
		delete(h.topics, name)
	}
}

// after gives the items newer than seq; items are in order.
func after(items []item, seq uint64) []item {
	for i, it := range items {
		if it.seq > seq {
			return items[i:]
		}
	}
	return nil
}

func merge(a, b []item) []item {
	out := make([]item, 0, len(a)+len(b))
	for len(a) > 0 && len(b) > 0 {
		if a[0].seq < b[0].seq {
			out, a = append(out, a[0]), a[1:]
		} else {
			out, b = append(out, b[0]), b[1:]
		}
	}
	return append(append(out, a...), b...)
}

func (h *Hub) add(c *conn) bool {
	h.mu.Lock()
	user := c.who().User
	ok := !h.closed && h.users[user] < maxSockets
	if ok {
		h.conns[c] = struct{}{}
		h.users[user]++
	}
	h.mu.Unlock()
	if ok {
		h.tell(user)
	}
	return ok
}

func (h *Hub) remove(c *conn) {
	h.mu.Lock()
	user := c.who().User
	delete(h.conns, c)
	for name := range c.subs {
		h.leave(c, name)
	}
	h.users[user]--
	last := h.users[user] <= 0
	if last {
		delete(h.users, user)
	}
	h.mu.Unlock()
	h.tell(user)
	if last {
		h.clock.AfterFunc(ringKeep, func() { h.forget(user) })
	}
}

// forget drops the kept messages of a user without pages.
func (h *Hub) forget(user id.User) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.users[user] > 0 {
		return
	}
	for _, t := range h.topics {
		delete(t.user, user)
	}
}

func (h *Hub) tell(user id.User) {
	h.hookMu.Lock()
	defer h.hookMu.Unlock()
	present := h.Present(user)
	if h.told[user] == present {
		return
	}
	if present {
		h.told[user] = true
	} else {
		delete(h.told, user)
	}
	for _, f := range h.hooks {
		f(user, present)
	}
}
