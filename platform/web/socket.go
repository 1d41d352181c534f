package web

import (
	"context"
	"encoding/json"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"github.com/kapok-hotline/kapok/core/fault"
)

const (
	pingEvery  = 20 * time.Second
	checkEvery = time.Minute // how soon an ended session loses its socket
	maxSockets = 20          // pages of one user
	maxTopics  = 32          // of one page
	maxMessage = 8 << 10
	queueLen   = 512
	// closeAgain tells the page to reconnect (1012, service restart); closeEnded to sign in again.
	closeAgain = websocket.StatusServiceRestart
	closeEnded = websocket.StatusCode(4401)
)

// conn is one page's socket.
type conn struct {
	ws     *websocket.Conn
	caller atomic.Pointer[Caller]
	out    chan []byte
	again  chan struct{}       // the identity is to be asked again
	subs   map[string]struct{} // used by the reader alone, and by remove after it ended
	end    context.CancelCauseFunc
}

// ending is why a socket is closed from our side.
type ending struct {
	code   websocket.StatusCode
	reason string
}

// Error is the reason the page is told.
func (e ending) Error() string { return e.reason }

func (c *conn) who() Caller { return *c.caller.Load() }

// push queues a frame; a page that does not read is cut off rather than waited for.
func (c *conn) push(frame []byte) {
	select {
	case c.out <- frame:
	default:
		c.stop(closeAgain, "reads too slowly")
	}
}

func (c *conn) stop(code websocket.StatusCode, reason string) { c.end(ending{code, reason}) }

// socket serves GET /api/v1/socket.
func (s *Server) socket(w http.ResponseWriter, r *http.Request) {
	caller := CallerOf(r.Context())
	if caller.User == "" {
		s.fail(w, r, fault.New(fault.Unauthorised, "web.session.missing"))
		return
	}
	ws, err := websocket.Accept(w, r, nil)
	if err != nil { // Accept has answered
		s.log.DebugContext(r.Context(), "socket refused", "error", err)
		return
	}
	ws.SetReadLimit(maxMessage)
	ctx, end := context.WithCancelCause(context.WithoutCancel(r.Context()))
	defer end(nil)
	c := &conn{ws: ws, out: make(chan []byte, queueLen), again: make(chan struct{}, 1), subs: map[string]struct{}{}, end: end}
	c.caller.Store(&caller)
	if !s.hub.add(c) {
		_ = ws.Close(closeAgain, "too many pages, or shutting down")
		return
	}
	var both sync.WaitGroup
	both.Go(func() { c.ping(ctx) })
	both.Go(func() { c.write(ctx, func(ctx context.Context) (Caller, error) { return s.recheck(ctx, r) }) })
	c.read(ctx, s.hub)
	end(nil)
	both.Wait()
	s.hub.remove(c)
}

// recheck asks the identity again who the socket's request is from.
func (s *Server) recheck(ctx context.Context, r *http.Request) (Caller, error) {
	caller, err := s.authenticate(r.WithContext(ctx), OriginOf(ctx))
	if err == nil && caller.User == "" {
		err = fault.New(fault.Unauthorised, "web.session.missing")
	}
	caller.IP = OriginOf(ctx).IP
	return caller, err
}

// ping finds dead connections; a page that does not answer in time is let go.
func (c *conn) ping(ctx context.Context) {
	tick := time.NewTicker(pingEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			pctx, cancel := context.WithTimeout(ctx, pingEvery)
			err := c.ws.Ping(pctx)
			cancel()
			if err != nil {
				c.end(nil)
				return
			}
		case <-ctx.Done():
			return
		}
	}
}

// write is the goroutine that owns the sending side: frames, and the session's end.
func (c *conn) write(ctx context.Context, check func(context.Context) (Caller, error)) {
	minute := time.NewTicker(checkEvery)
	defer minute.Stop()
	for {
		select {
		case frame := <-c.out:
			if !c.send(ctx, frame) {
				return
			}
		case <-minute.C:
			c.renew(check(ctx))
		case <-c.again:
			c.renew(check(ctx))
		case <-ctx.Done():
			c.close(ctx)
			return
		}
	}
}

// renew takes what the identity says now: other rights hold from the next message on, an ended session ends the
// socket, and an identity that cannot answer changes nothing.
func (c *conn) renew(caller Caller, err error) {
	switch {
	case fault.KindOf(err) == fault.Unauthorised || err == nil && caller.User != c.who().User:
		c.stop(closeEnded, "session ended")
	case err == nil:
		c.caller.Store(&caller)
	}
}

func (c *conn) send(ctx context.Context, frame []byte) bool {
	wctx, cancel := context.WithTimeout(ctx, pingEvery)
	defer cancel()
	if err := c.ws.Write(wctx, websocket.MessageText, frame); err != nil {
		c.close(ctx)
		return false
	}
	return true
}

// close says why, when the reason is ours; otherwise the connection is gone already.
func (c *conn) close(ctx context.Context) {
	if e, ok := context.Cause(ctx).(ending); ok { //nolint:errorlint // set by stop alone
		_ = c.ws.Close(e.code, e.reason)
		return
	}
	_ = c.ws.CloseNow()
}

// request is what a page sends.
type request struct {
	Sub   []string          `json:"sub"`
	Since map[string]uint64 `json:"since"`
	Unsub []string          `json:"unsub"`
}

// read serves the page's messages until the socket ends.
func (c *conn) read(ctx context.Context, h *Hub) {
	for {
		// The close handshake is the writer's: the reader keeps reading while it runs.
		kind, data, err := c.ws.Read(context.WithoutCancel(ctx))
		if err != nil {
			return
		}
		req, ok := parseRequest(kind, data)
		if !ok || len(c.subs)+len(req.Sub) > 2*maxTopics {
			c.stop(websocket.StatusPolicyViolation, "not understood")
			continue
		}
		for _, name := range req.Unsub {
			delete(c.subs, name)
			h.unsubscribe(c, name)
		}
		for _, name := range req.Sub {
			if len(c.subs) >= maxTopics {
				c.stop(websocket.StatusPolicyViolation, "too many topics")
				break
			}
			c.subs[name] = struct{}{}
			h.subscribe(c, name, req.Since[name])
		}
	}
}

// parseRequest reads one message of a page; topic names are short words, so that a page cannot fill the hub.
func parseRequest(kind websocket.MessageType, data []byte) (request, bool) {
	var req request
	if kind != websocket.MessageText || json.Unmarshal(data, &req) != nil {
		return request{}, false
	}
	if len(req.Sub) > maxTopics || len(req.Unsub) > maxTopics {
		return request{}, false
	}
	for _, list := range [][]string{req.Sub, req.Unsub} {
		for _, name := range list {
			if !validTopic(name) {
				return request{}, false
			}
		}
	}
	return req, true
}

func validTopic(name string) bool {
	if name == "" || len(name) > 64 {
		return false
	}
	for i := range len(name) {
		c := name[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '.' && c != '_' && c != '-' && c != ':' {
			return false
		}
	}
	return true
}
