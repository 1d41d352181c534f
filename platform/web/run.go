package web

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

const (
	headerTimeout = 10 * time.Second
	idleTimeout   = 2 * time.Minute
	stopTimeout   = 10 * time.Second
	// SocketName is the admin socket's name in the data folder.
	SocketName = "kapok.sock"
)

// addresses are where the server listens, once it does.
type addresses struct {
	mu    sync.Mutex
	http  string
	https string
}

// Ready is closed when every address listens.
func (s *Server) Ready() <-chan struct{} { return s.ready }

// Addrs gives the addresses listened on, with the ports the system chose for ":0"; empty before Ready.
func (s *Server) Addrs() (http, https string) {
	s.addrs.mu.Lock()
	defer s.addrs.mu.Unlock()
	return s.addrs.http, s.addrs.https
}

// Run listens and serves until ctx ends, then lets requests finish for ten seconds. It runs once.
func (s *Server) Run(ctx context.Context) error {
	servers, err := s.listen(ctx)
	if err != nil {
		return err
	}
	close(s.ready)
	failed := make(chan error, len(servers))
	var all sync.WaitGroup
	for _, srv := range servers {
		all.Go(func() {
			if err := srv.serve(); !errors.Is(err, http.ErrServerClosed) {
				failed <- err
			}
		})
	}
	select {
	case <-ctx.Done():
		err = nil
	case err = <-failed:
	}
	s.stop(servers)
	all.Wait()
	return err
}

// listener is one address with its server.
type listener struct {
	*http.Server
	ln net.Listener
}

func (l listener) serve() error {
	if l.TLSConfig != nil {
		return l.ServeTLS(l.ln, "", "")
	}
	return l.Serve(l.ln)
}

// listen opens every address, or none.
func (s *Server) listen(ctx context.Context) (out []listener, err error) {
	defer func() {
		if err != nil {
			for _, l := range out {
				_ = l.ln.Close()
			}
		}
	}()
	if s.cfg.HTTP != "" {
		ln, err := listenTCP(ctx, s.cfg.HTTP, "--http")
		if err != nil {
			return out, err
		}
		out = append(out, listener{s.httpServer(s.handler), ln})
		s.addrs.set(&s.addrs.http, ln)
	}
	if s.cfg.HTTPS != "" {
		certs, err := newCertificates(s.cfg)
		if err != nil {
			return out, err
		}
		ln, err := listenTCP(ctx, s.cfg.HTTPS, "--https")
		if err != nil {
			return out, err
		}
		srv := s.httpServer(s.handler)
		// Upgrades need HTTP/1.1: browsers open a connection of their own for them, without h2 in ALPN, because
		// this server does not announce RFC 8441.
		srv.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: certs.Get, NextProtos: []string{"h2", "http/1.1"}}
		out = append(out, listener{srv, ln})
		s.addrs.set(&s.addrs.https, ln)
	}
	if s.cfg.Data != "" {
		ln, err := listenAdmin(ctx, filepath.Join(s.cfg.Data, SocketName))
		if err != nil {
			return out, err
		}
		out = append(out, listener{s.httpServer(asSystem(s.handler)), ln})
	}
	return out, nil
}

func (a *addresses) set(which *string, ln net.Listener) {
	a.mu.Lock()
	defer a.mu.Unlock()
	*which = ln.Addr().String()
}

func (s *Server) httpServer(h http.Handler) *http.Server {
	return &http.Server{
		Handler: h, ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: 64 << 10,
		ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug), // handshakes that browsers break off
	}
}

// listenTCP says in one sentence what is wrong when the address cannot be had.
func listenTCP(ctx context.Context, addr, flag string) (net.Listener, error) {
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "tcp", addr)
	switch {
	case err == nil:
		return ln, nil
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("the address %s is taken by another program: stop that program or choose another address with %s", addr, flag)
	case errors.Is(err, syscall.EACCES):
		return nil, fmt.Errorf("the address %s may not be used by this user: choose a port above 1023 with %s", addr, flag)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return nil, fmt.Errorf("the address %s is not one of this machine: choose another with %s", addr, flag)
	}
	return nil, fmt.Errorf("cannot listen on %s (%s): %w", addr, flag, err)
}

// stop ends pages' sockets, then waits for requests, then cuts what is left.
func (s *Server) stop(servers []listener) {
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	s.hub.shut()
	var all sync.WaitGroup
	for _, l := range servers {
		all.Go(func() {
			if err := l.Shutdown(ctx); err != nil {
				_ = l.Close()
			}
		})
	}
	all.Wait()
	for s.hub.Len() > 0 && ctx.Err() == nil {
		select {
		case <-time.After(10 * time.Millisecond):
		case <-ctx.Done():
		}
	}
}

// listenAdmin opens the admin socket. A socket left by a killed process is taken away; one that answers means
// another kapok runs on this data folder.
func listenAdmin(ctx context.Context, name string) (net.Listener, error) {
	if len(name) > 100 {
		return nil, fmt.Errorf("the path of the admin socket %s is too long for a Unix socket (100 bytes): choose a shorter data folder", name)
	}
	if _, err := os.Lstat(name); err == nil {
		var d net.Dialer
		if c, err := d.DialContext(ctx, "unix", name); err == nil {
			_ = c.Close()
			return nil, fmt.Errorf("another kapok is running on this data folder (%s answers): stop it first", name)
		}
		if err := os.Remove(name); err != nil {
			return nil, fmt.Errorf("the old admin socket cannot be removed: %w", err)
		}
	}
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "unix", name)
	if err != nil {
		return nil, fmt.Errorf("the admin socket cannot be opened: %w", err)
	}
	if err := os.Chmod(name, 0o600); err != nil {
		_ = ln.Close()
		return nil, fmt.Errorf("the admin socket cannot be closed to others: %w", err)
	}
	return ln, nil
}
