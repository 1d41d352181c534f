package app

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/id"
)

// A desk whose last page went is lost after 15 s, and its agent signed out; who works by the interface alone, without
// a page, stays.
func TestDesksThatAreLost(t *testing.T) {
	if testing.Short() {
		t.Log("waits for the 15 seconds a desk lives without its page")
	}
	h := openTest(t)
	ctx := t.Context()
	for _, u := range []id.User{"1001", "1002"} {
		must := func(err error) {
			if err != nil {
				t.Fatal(err)
			}
		}
		must((&desks{h: h}).Assert(ctx, u))
		must(h.routing.SignIn(ctx, u, "gz", contact.Endpoint{Agent: u}, "", func() bool { return true }))
	}
	conn := h.page(t, "1001")
	time.Sleep(6 * time.Second) // a beat sees the page
	if err := conn.Close(websocket.StatusNormalClosure, ""); err != nil {
		t.Fatal(err)
	}
	gone := time.Now()
	for {
		_, in, err := h.routing.SignedIn(ctx, "1001")
		if err != nil {
			t.Fatal(err)
		}
		if !in {
			break
		}
		if time.Since(gone) > 22*time.Second {
			t.Fatal("the agent is still signed in")
		}
		time.Sleep(100 * time.Millisecond)
	}
	if d := time.Since(gone); d < 9*time.Second {
		t.Errorf("signed out after %v", d)
	}
	if _, in, _ := h.routing.SignedIn(ctx, "1002"); !in {
		t.Error("who never had a page was signed out")
	}
}

// page opens the socket of a demo user's page.
func (h *House) page(t *testing.T, user string) *websocket.Conn {
	t.Helper()
	at, _ := h.web.Addrs()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+at+"/api/v1/demo/login", strings.NewReader(`{"user":"`+user+`"}`))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close() //nolint:errcheck // only read
	if answer.StatusCode/100 != 2 {
		text, _ := io.ReadAll(answer.Body)
		t.Fatalf("signing in: %d %s", answer.StatusCode, text)
	}
	header := http.Header{}
	for _, c := range answer.Cookies() {
		header.Add("Cookie", c.Name+"="+c.Value)
	}
	conn, _, err := websocket.Dial(ctx, "ws://"+at+"/api/v1/socket", &websocket.DialOptions{HTTPHeader: header})
	if err != nil {
		t.Fatal(err)
	}
	return conn
}
