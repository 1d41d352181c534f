package sip

import (
	"context"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/kapok-hotline/kapok/platform/sip/wire"
)

// Registrar is the register of phones and browsers.
type Registrar struct {
	srv     *Server
	cfg     *RegistrarConfig
	nonces  *nonceBox
	guesses guesses
	tell    serial

	mu     sync.RWMutex
	byUser map[string][]*Binding
	byFlow map[string]int // live bindings on a flow, by its key
}

func newRegistrar(s *Server) *Registrar {
	r := &Registrar{
		srv: s, cfg: &s.cfg.Registrar, nonces: newNonceBox(s.cfg.Registrar.NonceLife),
		byUser: map[string][]*Binding{}, byFlow: map[string]int{},
	}
	r.tell.srv = s
	r.guesses.init(r.cfg.Guess)
	return r
}

// Lookup gives the bindings of a user that can be reached now, newest first.
func (r *Registrar) Lookup(user string) []Binding {
	now := r.srv.cfg.Now()
	r.mu.RLock()
	defer r.mu.RUnlock()
	var out []Binding
	for _, b := range r.byUser[user] {
		if b.Flow.Alive() && b.Expires.After(now) {
			out = append(out, *b)
		}
	}
	slices.Reverse(out)
	return out
}

// Users gives the number of users with a binding.
func (r *Registrar) Users() int {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return len(r.byUser)
}

// OnFlow gives the user registered on the connection, so that an INVITE of a browser need not be challenged again:
// who holds a TCP, TLS or WebSocket connection has proved the password on it. For UDP, whose source can be forged, it is false.
func (r *Registrar) OnFlow(f *Flow) (user string, ok bool) {
	if f == nil || !f.Reliable() {
		return "", false
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	if r.byFlow[f.Key()] == 0 {
		return "", false
	}
	for u, bs := range r.byUser {
		for _, b := range bs {
			if b.Flow == f {
				return u, true
			}
		}
	}
	return "", false
}

// Knows says whether a device is registered where the flow leads: a hint, no proof of who calls, on UDP above all.
func (r *Registrar) Knows(f *Flow) bool { return f != nil && r.knows(f) }

func (r *Registrar) knows(f *Flow) bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.byFlow[f.Key()] > 0
}

// flat answers what needs no transaction: everything before the password is even looked at. true means done.
func (r *Registrar) flat(m *message) bool {
	if r.cfg.Credentials == nil {
		r.srv.answerFlat(m, 403, "")
		return true
	}
	if r.guesses.source(m.flow.Remote.Addr(), m.at) == guessSilent {
		r.srv.counts.dropped.Add(1)
		return true
	}
	p, ok := wire.ReadProof(m.Head, "authorization", r.cfg.Realm)
	if !ok {
		r.srv.answerFlat(m, 401, "", r.challenge(m, "WWW-Authenticate", false)...)
		return true
	}
	if ours, fresh := r.nonces.fresh(p.Nonce, m.at); !fresh {
		r.srv.answerFlat(m, 401, "", r.challenge(m, "WWW-Authenticate", ours)...)
		return true
	}
	return false
}

// challenge makes the headers of a 401 or 407.
func (r *Registrar) challenge(m *message, name string, stale bool) []Header {
	algs := r.algorithms(m)
	if t := m.flow.Transport; (t == "ws" || t == "wss") && len(algs) > 1 {
		algs = slices.Clone(algs)
		slices.SortStableFunc(algs, func(a, b Algorithm) int {
			return strings.Compare(string(a), string(b)) // MD5 before SHA-256
		})
	}
	nonce := r.nonces.make(m.at)
	var out []Header
	for _, a := range algs {
		v := `Digest realm="` + r.cfg.Realm + `", nonce="` + nonce + `", algorithm=` + string(a) + `, qop="auth"`
		if stale {
			v += ", stale=true"
		}
		out = append(out, Header{Name: name, Value: v})
	}
	return out
}

// algorithms gives those to offer to whoever sent m.
func (r *Registrar) algorithms(m *message) []Algorithm {
	if r.cfg.AlgorithmsFor != nil {
		if from, err := ParseAddress(m.Head.Get("from")); err == nil {
			if algs := r.cfg.AlgorithmsFor(from.URI.User); len(algs) > 0 {
				return algs
			}
		}
	}
	return r.cfg.Algorithms
}

// outcome of a check of credentials.
type outcome struct {
	user  string
	ok    bool
	stale bool
	slow  bool // answer late, with 403
}

// check looks the user up and compares; it may block and runs outside the lane.
func (r *Registrar) check(m *message, p wire.Proof) outcome {
	now, src := m.at, m.flow.Remote.Addr()
	out := outcome{user: p.User}
	out.slow = r.guesses.source(src, now) != guessFree ||
		r.guesses.account(p.User, now) != guessFree && !r.seenFrom(p.User, src)
	ctx, cancel := context.WithTimeout(r.srv.ctx, 5*time.Second)
	defer cancel()
	ha1, known := r.cfg.Credentials(ctx, p.User, r.cfg.Realm)
	h := ha1[p.Alg]
	if h == "" {
		known = false
		h = HA1(p.Alg, p.User, p.Realm, p.Nonce) // as much work for an unknown user
	}
	right := p.Valid(h, m.Method) && known
	switch {
	case !right:
		r.guesses.failed(src, p.User, now)
	case out.slow && r.guesses.source(src, now) == guessSilent:
	case !r.nonces.use(p.Nonce, p.NC, now):
		out.stale = true
	default:
		out.ok = true
		r.guesses.passed(src, p.User)
	}
	return out
}

// seenFrom says whether the user has a device at that address already: such a one is not slowed by strangers who
// guess at the same account.
func (r *Registrar) seenFrom(user string, a netip.Addr) bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	for _, b := range r.byUser[user] {
		if b.Flow.Remote.Addr() == a {
			return true
		}
	}
	return false
}

// request is a REGISTER with an answer to a fresh challenge.
func (r *Registrar) request(t *serverTx) {
	p, ok := wire.ReadProof(t.req.Head, "authorization", r.cfg.Realm)
	if !ok {
		t.respond(wire.Reply{Code: 401, Headers: r.challenge(t.req, "WWW-Authenticate", false)})
		return
	}
	r.srv.spawn(func() {
		out := outcome{user: p.User}
		r.srv.guard(t.l.id, func() { out = r.check(t.req, p) })
		settle := func() { r.settle(t, out) }
		if !out.ok && !out.stale && out.slow {
			t.l.after(r.cfg.Guess.Delay, settle)
			return
		}
		t.l.post(settle)
	})
}

func (r *Registrar) settle(t *serverTx, out outcome) {
	m := t.req
	to, err := ParseAddress(m.Get("to"))
	switch {
	case err != nil:
		t.respond(wire.Reply{Code: 400, Reason: "the To header is not well formed"})
	case out.stale:
		t.respond(wire.Reply{Code: 401, Headers: r.challenge(m, "WWW-Authenticate", true)})
	case !out.ok && out.slow:
		t.respond(wire.Reply{Code: 403})
	case !out.ok:
		r.srv.log.Info("sip: wrong password at REGISTER", "user", out.user, "peer", m.flow.Key())
		t.respond(wire.Reply{Code: 401, Headers: r.challenge(m, "WWW-Authenticate", false)})
	case to.URI.User != out.user:
		t.respond(wire.Reply{Code: 403, Reason: "the user may register only itself"})
	default:
		t.respond(r.bind(m, out.user))
	}
}

// bind carries a proven REGISTER out (RFC 3261 §10.3) and makes its answer.
func (r *Registrar) bind(m *message, user string) wire.Reply {
	contacts := m.List("contact")
	def := r.cfg.DefaultExpires
	if n, err := strconv.ParseUint(m.Get("expires"), 10, 31); err == nil {
		def = time.Duration(n) * time.Second
	}
	if len(contacts) == 1 && strings.TrimSpace(contacts[0]) == "*" {
		if def != 0 {
			return wire.Reply{Code: 400, Reason: "Contact * needs Expires 0"}
		}
		r.dropUser(user, GoneLeft)
		return r.listing(m, user)
	}
	if len(contacts) > 4 {
		return wire.Reply{Code: 400, Reason: "too many contacts"}
	}
	type change struct {
		b    *Binding
		life time.Duration
	}
	var changes []change
	for _, c := range contacts {
		a, err := ParseAddress(c)
		if err != nil {
			return wire.Reply{Code: 400, Reason: "a Contact is not well formed"}
		}
		life := def
		if v, ok := wire.Param(a.Params, "expires"); ok {
			if n, err := strconv.ParseUint(v, 10, 31); err == nil {
				life = time.Duration(n) * time.Second
			}
		}
		if life > 0 && life < r.cfg.MinExpires {
			return wire.Reply{Code: 423, Headers: []Header{{Name: "Min-Expires", Value: seconds(r.cfg.MinExpires)}}}
		}
		instance, _ := wire.Param(a.Params, "+sip.instance")
		b := &Binding{
			User: user, Contact: a.URI, Instance: instance, Flow: m.flow, Agent: m.Get("user-agent"),
			callID: m.CallID, seq: m.Seq,
		}
		changes = append(changes, change{b, min(life, r.cfg.MaxExpires)})
	}
	for _, c := range changes {
		if !r.put(c.b, c.life, m.at) {
			return wire.Reply{Code: 500, Reason: "CSeq out of order"}
		}
	}
	return r.listing(m, user)
}

// sameDevice says whether two bindings are one device: same instance, same Contact, or same flow and Contact user.
func sameDevice(a, b *Binding) bool {
	if a.Instance != "" && b.Instance != "" {
		return a.Instance == b.Instance
	}
	return a.Contact == b.Contact || a.Flow.Key() == b.Flow.Key() && a.Contact.User == b.Contact.User
}

// put enters, renews or (life 0) removes a binding; false when the REGISTER is older than what we have.
func (r *Registrar) put(b *Binding, life time.Duration, now time.Time) bool {
	b.Since, b.Expires = now, now.Add(life)
	r.mu.Lock()
	defer r.mu.Unlock()
	list := r.byUser[b.User]
	i := slices.IndexFunc(list, func(x *Binding) bool { return sameDevice(x, b) })
	if i >= 0 {
		old := list[i]
		if old.callID == b.callID && b.seq < old.seq {
			return false
		}
		if life > 0 && old.Flow.Key() == b.Flow.Key() {
			b.Since, b.Flow = old.Since, old.Flow
			list[i] = b
			return true
		}
		why := GoneMoved
		if life == 0 {
			why = GoneLeft
		}
		r.removeLocked(old, why)
	}
	if life == 0 {
		return true
	}
	if list = r.byUser[b.User]; len(list) >= r.cfg.MaxBindings {
		r.removeLocked(list[0], GonePushed)
	}
	r.byUser[b.User] = append(r.byUser[b.User], b)
	r.byFlow[b.Flow.Key()]++
	b.Flow.pinned.Add(1)
	if fn := r.cfg.Registered; fn != nil {
		told := *b
		r.tell.post(func() { fn(told) })
	}
	if !b.Flow.Alive() { // it closed while we were at it
		r.removeLocked(b, GoneClosed)
	}
	return true
}

func (r *Registrar) removeLocked(b *Binding, why Gone) {
	list := r.byUser[b.User]
	i := slices.Index(list, b)
	if i < 0 {
		return
	}
	list = slices.Delete(slices.Clone(list), i, i+1)
	if len(list) == 0 {
		delete(r.byUser, b.User)
	} else {
		r.byUser[b.User] = list
	}
	key := b.Flow.Key()
	if r.byFlow[key]--; r.byFlow[key] <= 0 {
		delete(r.byFlow, key)
	}
	b.Flow.pinned.Add(-1)
	if fn := r.cfg.Unregistered; fn != nil {
		told := *b
		r.tell.post(func() { fn(told, why) })
	}
}

func (r *Registrar) dropUser(user string, why Gone) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, b := range slices.Clone(r.byUser[user]) {
		r.removeLocked(b, why)
	}
}

// Drop removes all bindings of a user: an account that was locked or deleted.
func (r *Registrar) Drop(user string) { r.dropUser(user, GoneLeft) }

// listing is the 200 with the bindings that stand (RFC 3261 §10.3 step 8).
func (r *Registrar) listing(m *message, user string) wire.Reply {
	now := m.at
	out := wire.Reply{Code: 200}
	r.mu.RLock()
	defer r.mu.RUnlock()
	for _, b := range r.byUser[user] {
		v := "<" + b.Contact.String() + ">;expires=" + seconds(max(b.Expires.Sub(now), time.Second))
		if b.Instance != "" {
			v += `;+sip.instance="` + wire.Clean(strings.ReplaceAll(b.Instance, `"`, "")) + `"`
		}
		out.Headers = append(out.Headers, Header{Name: "Contact", Value: v})
	}
	out.Headers = append(out.Headers, Header{Name: "Date", Value: now.UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT")})
	return out
}
