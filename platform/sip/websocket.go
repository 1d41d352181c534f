package sip

import (
	"context"
	"net/http"
	"net/netip"
	"time"

	"github.com/coder/websocket"

	"github.com/kapok-hotline/kapok/platform/sip/wire"
)

// wsPipe is one SIP WebSocket connection (RFC 7118): one message a frame sequence, pings answered by the library.
type wsPipe struct {
	conn *websocket.Conn
}

func (p *wsPipe) send(b []byte) error {
	ctx, cancel := context.WithTimeout(context.Background(), writeTimeout)
	defer cancel()
	return p.conn.Write(ctx, websocket.MessageText, b)
}

func (p *wsPipe) close() { _ = p.conn.CloseNow() }

// WebSocket gives the handler that takes SIP over WebSocket (RFC 7118) on an ordinary HTTP server: the server does
// TLS, deadlines of the upgrade and cookies. It wants subprotocol "sip" and an origin equal to the host or named in
// Config.Origins. The path must be served over HTTP/1.1.
func (s *Server) WebSocket() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, &websocket.AcceptOptions{
			Subprotocols: []string{"sip"}, OriginPatterns: s.cfg.Origins,
			CompressionMode: websocket.CompressionDisabled,
		})
		if err != nil {
			return // the library has answered
		}
		if c.Subprotocol() != "sip" {
			_ = c.Close(websocket.StatusPolicyViolation, "subprotocol sip is required")
			return
		}
		remote, err := netip.ParseAddrPort(r.RemoteAddr)
		if err != nil || s.connections.Add(1) > maxConnections {
			_ = c.Close(websocket.StatusTryAgainLater, "too many connections")
			return
		}
		defer s.connections.Add(-1)
		transport := "ws"
		if r.TLS != nil {
			transport = "wss"
		}
		s.serveWebSocket(c, transport, netip.AddrPortFrom(remote.Addr().Unmap(), remote.Port()), localAddr(r))
	})
}

func localAddr(r *http.Request) netip.AddrPort {
	a, _ := r.Context().Value(http.LocalAddrContextKey).(interface {
		Network() string
		String() string
	})
	if a == nil {
		return netip.AddrPort{}
	}
	return addrPort(a)
}

// serveWebSocket reads until the connection ends; a second goroutine pings, so that a dead browser is noticed.
func (s *Server) serveWebSocket(c *websocket.Conn, transport string, remote, local netip.AddrPort) {
	c.SetReadLimit(wire.MaxMessage)
	f := &Flow{Transport: transport, Remote: remote, local: local, stream: &wsPipe{conn: c}}
	if !s.flows.add(f) {
		_ = c.Close(websocket.StatusGoingAway, "closing")
		return
	}
	defer s.endFlow(f)
	ctx, cancel := context.WithCancel(s.ctx)
	defer cancel()
	s.spawn(func() { s.pingWebSocket(ctx, c) })
	silent := time.AfterFunc(firstMessage, cancel)
	defer silent.Stop()
	for {
		_, raw, err := c.Read(ctx)
		if err != nil {
			return
		}
		switch string(raw) {
		case "\r\n\r\n":
			if f.write([]byte("\r\n")) != nil {
				return
			}
		case "", "\r\n":
		default:
			silent.Stop()
			s.arrived(f, raw)
		}
	}
}

func (s *Server) pingWebSocket(ctx context.Context, c *websocket.Conn) {
	t := time.NewTicker(s.cfg.Ping)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		pctx, cancel := context.WithTimeout(ctx, s.cfg.Ping)
		err := c.Ping(pctx)
		cancel()
		if err != nil {
			_ = c.CloseNow()
			return
		}
	}
}
