package callers

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"
)

// line is one UDP socket with many phones behind it: transactions are told apart by branch, dialogs by Call-ID.
type line struct {
	conn   *net.UDPConn
	peer   netip.AddrPort
	log    *slog.Logger
	media  *media
	invite func(*talk) // takes a call to one of our phones; nil: 404

	mu      sync.Mutex
	waiting map[string]chan *message // responses by branch
	talks   map[string]*talk         // by Call-ID
	running sync.WaitGroup
}

// Timers of RFC 3261 §17.
const (
	t1     = 500 * time.Millisecond
	t2     = 4 * time.Second
	timerB = 32 * time.Second
)

var (
	errTimeout = errors.New("callers: no answer")
	errEnded   = errors.New("callers: the call has ended")
)

// statusError is a final answer that refuses.
type statusError struct {
	code   int
	reason string
}

func (e *statusError) Error() string { return fmt.Sprintf("callers: %d %s", e.code, e.reason) }

func openLine(peer netip.AddrPort, m *media, log *slog.Logger) (*line, error) {
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return nil, err
	}
	_ = conn.SetReadBuffer(1 << 20) // the system may allow less
	l := &line{conn: conn, peer: peer, media: m, log: log, waiting: map[string]chan *message{}, talks: map[string]*talk{}}
	l.running.Go(l.read)
	return l, nil
}

func (l *line) close() {
	_ = l.conn.Close() // ends read
	l.running.Wait()
}

func (l *line) local() string { return l.conn.LocalAddr().String() }

func (l *line) send(b []byte) {
	if _, err := l.conn.WriteToUDPAddrPort(b, l.peer); err != nil {
		l.log.Debug("a SIP message could not be sent", "err", err)
	}
}

// read takes what comes until the socket is closed. Nothing in it waits.
func (l *line) read() {
	b := make([]byte, maxMessage)
	for {
		n, from, err := l.conn.ReadFromUDPAddrPort(b)
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return
			}
			continue
		}
		if from.Port() != l.peer.Port() {
			continue
		}
		m, err := parse(append([]byte(nil), b[:n]...))
		if err != nil {
			continue
		}
		if m.code != 0 {
			l.response(m)
		} else {
			l.request(m)
		}
	}
}

func (l *line) response(m *message) {
	branch := param(m.get("Via"), "branch")
	l.mu.Lock()
	ch, t := l.waiting[branch], l.talks[m.get("Call-ID")]
	l.mu.Unlock()
	if ch != nil {
		select {
		case ch <- m:
		default: // a repeat
		}
		return
	}
	if _, method := m.cseq(); method == "INVITE" && m.code >= 200 && m.code < 300 && t != nil {
		t.ackAgain()
	}
}

func (l *line) request(m *message) {
	l.mu.Lock()
	t := l.talks[m.get("Call-ID")]
	l.mu.Unlock()
	switch {
	case t != nil:
		t.request(m)
	case m.method == "ACK":
	case m.method == "OPTIONS":
		l.send(m.reply(200, "OK", token()).bytes())
	case m.method == "INVITE" && l.invite != nil:
		l.incoming(m)
	default:
		l.send(m.reply(481, "Call/Transaction Does Not Exist", token()).bytes())
	}
}

// incoming makes a talk of a call to one of our phones.
func (l *line) incoming(m *message) {
	t := newTalk(l, m.get("Call-ID"))
	t.in, t.user = m, userOf(m.uri)
	t.local, t.remote, t.target = m.get("To")+";tag="+t.tag, m.get("From"), address(m.get("Contact"))
	t.routes = m.all("Record-Route")
	l.mu.Lock()
	l.talks[t.id] = t
	l.mu.Unlock()
	l.send(m.reply(100, "Trying", "").bytes())
	l.running.Go(func() { l.invite(t) })
}

// transact sends a request and gives its final response; progress may be nil. The request is repeated as RFC 3261
// §17.1 says.
func (l *line) transact(ctx context.Context, m *message, branch string, progress func(*message)) (*message, error) {
	ch := make(chan *message, 8)
	l.mu.Lock()
	l.waiting[branch] = ch
	l.mu.Unlock()
	defer func() {
		l.mu.Lock()
		delete(l.waiting, branch)
		l.mu.Unlock()
	}()
	raw := m.bytes()
	l.send(raw)
	pause, repeat := t1, time.NewTimer(t1)
	defer repeat.Stop()
	end := time.NewTimer(timerB)
	defer end.Stop()
	for {
		select {
		case r := <-ch:
			if r.code >= 200 {
				return r, nil
			}
			repeat.Stop()
			if m.method == "INVITE" {
				end.Reset(3 * time.Minute)
			}
			if progress != nil {
				progress(r)
			}
		case <-repeat.C:
			l.send(raw)
			if pause *= 2; m.method != "INVITE" {
				pause = min(pause, t2)
			}
			repeat.Reset(pause)
		case <-end.C:
			return nil, errTimeout
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// register binds a phone to this socket for a while and gives how long that holds; 0 asks it to be forgotten.
func (l *line) register(ctx context.Context, user, password, callID string, seq int, expires time.Duration) error {
	uri := "sip:" + l.peer.String()
	auth := ""
	for try := range 3 {
		branch := newBranch()
		m := &message{method: "REGISTER", uri: uri}
		m.add("Via", "SIP/2.0/UDP "+l.local()+";branch="+branch+";rport")
		m.add("Max-Forwards", "70")
		m.add("From", fmt.Sprintf("<sip:%s@kapok>;tag=%s", user, token()))
		m.add("To", fmt.Sprintf("<sip:%s@kapok>", user))
		m.add("Call-ID", callID)
		m.add("CSeq", fmt.Sprintf("%d REGISTER", seq+try))
		m.add("Contact", fmt.Sprintf("<sip:%s@%s>", user, l.local()))
		m.add("Expires", fmt.Sprint(int(expires.Seconds())))
		m.add("User-Agent", agentName)
		if auth != "" {
			m.add("Authorization", auth)
		}
		r, err := l.transact(ctx, m, branch, nil)
		if err != nil {
			return err
		}
		if r.code < 300 {
			return nil
		}
		var ok bool
		auth, ok = authorize(r.all("WWW-Authenticate"), user, password, "REGISTER", uri, token())
		if r.code != 401 || !ok {
			return &statusError{r.code, r.reason}
		}
	}
	return &statusError{401, "Unauthorized"}
}

const agentName = "kapok-demo"

func token() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails since Go 1.24
	return hex.EncodeToString(b[:])
}

func newBranch() string { return "z9hG4bK" + token() }

// number gives the calling number of an INVITE.
func number(m *message) string { return strings.TrimPrefix(userOf(address(m.get("From"))), "0") }
