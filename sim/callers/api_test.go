package callers

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
)

// TestWatcher: the lookup signs in by itself, asks with the number in national form, and believes open contacts alone.
func TestWatcher(t *testing.T) {
	answer, logins := "", 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/api/v1/demo/login" {
			logins++
			http.SetCookie(w, &http.Cookie{Name: "kapok", Value: "x", Path: "/"})
			fmt.Fprint(w, `{}`)
			return
		}
		if _, err := r.Cookie("kapok"); err != nil {
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprint(w, `{"code":"web.login.needed"}`)
			return
		}
		if n := r.URL.Query().Get("number"); n != "013800001234" {
			t.Errorf("asked for %q", n)
		}
		fmt.Fprint(w, answer)
	}))
	defer s.Close()
	c, err := newClient(s.URL, "leader1", http.DefaultTransport)
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]bool{
		`{"items":[]}`: false,
		`{"items":[{"agent":"1001","outcome":"open"}]}`:     true,
		`{"items":[{"agent":"","outcome":"open"}]}`:         false,
		`{"items":[{"agent":"1001","outcome":"answered"}]}`: false,
		`no json`: false,
	} {
		answer = text
		if got := c.watcher(t.Context(), "13800001234"); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
	if logins != 1 {
		t.Errorf("%d logins", logins)
	}
}
