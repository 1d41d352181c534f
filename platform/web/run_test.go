package web_test

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/kapok-hotline/kapok/core/right"
	"github.com/kapok-hotline/kapok/platform/web"
)

// start runs a server until the test ends.
func start(t *testing.T, cfg web.Config) *web.Server {
	t.Helper()
	s := web.New(cfg)
	s.API().Handle("GET /echo", right.Public, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ws, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		kind, b, err := ws.Read(r.Context())
		if err == nil {
			_ = ws.Write(r.Context(), kind, b)
		}
		_ = ws.Close(websocket.StatusNormalClosure, "")
	}), web.Stream())
	web.Get(s.API(), "/api/v1/who", "some.thing.see", "Who", func(ctx context.Context, _ *struct{}) (*struct{ Body right.Principal }, error) {
		return &struct{ Body right.Principal }{web.Principal(ctx)}, web.May(ctx, "some.thing.see", "anywhere")
	})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	select {
	case <-s.Ready():
	case err := <-done:
		t.Fatal(err)
	case <-time.After(10 * time.Second):
		t.Fatal("not ready")
	}
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestRunServesBothAddressesAndUpgrades(t *testing.T) {
	s := start(t, web.Config{HTTP: "127.0.0.1:0", HTTPS: "127.0.0.1:0", Data: t.TempDir(), Advertise: []string{"192.0.2.7", "hotline.example"}})
	plain, secure := s.Addrs()
	tr := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true}
	defer tr.CloseIdleConnections()
	client := &http.Client{Transport: tr}
	for _, addr := range []string{"http://" + plain, "https://" + secure} {
		resp, err := client.Get(addr + "/healthz")
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if want := strings.HasPrefix(addr, "https"); (resp.ProtoMajor == 2) != want {
			t.Errorf("%s speaks HTTP/%d", addr, resp.ProtoMajor)
		}
	}
	// A browser opens its WebSocket on a connection of its own with HTTP/1.1.
	h1 := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"http/1.1"}}}
	defer h1.CloseIdleConnections()
	for _, addr := range []string{"ws://" + plain, "wss://" + secure} {
		ws, _, err := websocket.Dial(t.Context(), addr+"/echo", &websocket.DialOptions{HTTPClient: &http.Client{Transport: h1}})
		if err != nil {
			t.Fatal(err)
		}
		if err := ws.Write(t.Context(), websocket.MessageText, []byte("hello")); err != nil {
			t.Error(err)
		}
		if _, b, err := ws.Read(t.Context()); err != nil || string(b) != "hello" {
			t.Errorf("%s: %q, %v", addr, b, err)
		}
		_ = ws.CloseNow()
	}
	conn, err := tls.Dial("tcp", secure, &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	leaf := conn.ConnectionState().PeerCertificates[0]
	for _, name := range []string{"localhost", "127.0.0.1", "192.0.2.7", "hotline.example"} {
		if err := leaf.VerifyHostname(name); err != nil {
			t.Error(err)
		}
	}
}

// ask asks the admin socket of a data folder.
func ask(t *testing.T, data, path string) []byte {
	t.Helper()
	tr := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", filepath.Join(data, web.SocketName))
	}}
	defer tr.CloseIdleConnections()
	resp, err := (&http.Client{Transport: tr}).Get("http://kapok" + path)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestAdminSocket(t *testing.T) {
	data := t.TempDir()
	start(t, web.Config{Data: data})
	info, err := os.Stat(filepath.Join(data, web.SocketName))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("the socket has mode %v, %v", info.Mode(), err)
	}
	var who right.Principal
	if err := json.Unmarshal(ask(t, data, "/api/v1/who"), &who); err != nil {
		t.Fatal(err)
	}
	if who.User != web.SystemUser || !who.Rights["some.thing.see"] || who.IP != "local" {
		t.Errorf("the socket's caller is %+v", who)
	}
	second := web.New(web.Config{Data: data})
	if err := second.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "another kapok is running") {
		t.Errorf("a second kapok on the folder: %v", err)
	}
}

func TestALeftSocketIsTakenAway(t *testing.T) {
	data := t.TempDir()
	ln, err := net.Listen("unix", filepath.Join(data, web.SocketName))
	if err != nil {
		t.Fatal(err)
	}
	ln.(*net.UnixListener).SetUnlinkOnClose(false)
	_ = ln.Close() // as after kill -9
	start(t, web.Config{Data: data})
	if b := ask(t, data, "/healthz"); !strings.Contains(string(b), `"ok":true`) {
		t.Errorf("%s", b)
	}
}

func TestATakenPortIsOneSentence(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	err = web.New(web.Config{HTTP: ln.Addr().String()}).Run(t.Context())
	want := "the address " + ln.Addr().String() + " is taken by another program: stop that program or choose another address with --http"
	if err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

func TestRunWaitsForRequests(t *testing.T) {
	s := web.New(web.Config{HTTP: "127.0.0.1:0"})
	entered, leave := make(chan struct{}), make(chan struct{})
	s.API().Handle("GET /slow", right.Public, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(entered)
		<-leave
		_, _ = w.Write([]byte("done"))
	}))
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	<-s.Ready()
	addr, _ := s.Addrs()
	got := make(chan string, 1)
	go func() {
		resp, err := http.Get("http://" + addr + "/slow")
		if err != nil {
			got <- err.Error()
			return
		}
		defer resp.Body.Close()
		b, _ := io.ReadAll(resp.Body)
		got <- string(b)
	}()
	<-entered
	cancel()
	select {
	case <-ended:
		t.Fatal("stopped in the middle of a request")
	case <-time.After(50 * time.Millisecond):
	}
	close(leave)
	if body := <-got; body != "done" {
		t.Errorf("the request ended with %q", body)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	http.DefaultClient.CloseIdleConnections()
}

func TestDevProxy(t *testing.T) {
	vite := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte("vite " + r.URL.Path))
	})}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = vite.Serve(ln) }()
	defer vite.Close()
	s := start(t, web.Config{HTTP: "127.0.0.1:0", UIDev: &url.URL{Scheme: "http", Host: ln.Addr().String()}})
	addr, _ := s.Addrs()
	resp, err := http.Get("http://" + addr + "/src/main.ts")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if b, _ := io.ReadAll(resp.Body); string(b) != "vite /src/main.ts" {
		t.Errorf("got %q", b)
	}
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
}
