package web_test

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/kapok-hotline/kapok/platform/web"
)

func TestUI(t *testing.T) {
	script := strings.Repeat("const kapok = 'red';\n", 200)
	s := web.New(web.Config{UI: fstest.MapFS{
		"index.html":             {Data: []byte("<!doctype html><title>木棉</title>")},
		"assets/app-abc123.js":   {Data: []byte(script)},
		"assets/ring-abc123.wav": {Data: []byte("RIFF....WAVE")},
	}})
	for _, c := range []struct {
		name, method, path, accept string
		status                     int
		cache, kind, body          string
		zipped                     bool
	}{
		{"the page", "GET", "/", "", 200, "no-cache", "text/html; charset=utf-8", "<!doctype", false},
		{"a path of the page's router", "GET", "/desk/history", "gzip", 200, "no-cache", "text/html; charset=utf-8", "<!doctype", false},
		{"a hashed file", "GET", "/assets/app-abc123.js", "", 200, "public, max-age=31536000, immutable", "text/javascript; charset=utf-8", "const kapok", false},
		{"compressed when asked", "GET", "/assets/app-abc123.js", "br, gzip;q=0.8", 200, "public, max-age=31536000, immutable", "text/javascript; charset=utf-8", "const kapok", true},
		{"gzip refused", "GET", "/assets/app-abc123.js", "gzip;q=0", 200, "", "", "const kapok", false},
		{"an old chunk is gone", "GET", "/assets/app-old.js", "", 404, "no-store", "application/problem+json", "web.file.missing", false},
		{"no way up", "GET", "/assets/../../etc/passwd", "", 200, "no-cache", "", "<!doctype", false},
		{"no posting to pages", "POST", "/desk", "", 404, "", "", "web.route.unknown", false},
		{"only a head", "HEAD", "/", "", 200, "no-cache", "", "", false},
	} {
		w := httptest.NewRecorder()
		r := httptest.NewRequest(c.method, "http://localhost/", nil)
		r.URL.Path = c.path
		r.Header.Set("Accept-Encoding", c.accept)
		s.Handler().ServeHTTP(w, r)
		h := w.Header()
		if w.Code == http.StatusTemporaryRedirect || w.Code == http.StatusMovedPermanently {
			continue // the mux cleans the path and asks to come again
		}
		var rd io.Reader = w.Body
		if h.Get("Content-Encoding") == "gzip" {
			z, err := gzip.NewReader(w.Body)
			if err != nil {
				t.Fatal(err)
			}
			rd = z
		}
		body, _ := io.ReadAll(rd)
		switch {
		case w.Code != c.status, c.cache != "" && h.Get("Cache-Control") != c.cache, c.kind != "" && h.Get("Content-Type") != c.kind,
			!strings.Contains(string(body), c.body), (h.Get("Content-Encoding") == "gzip") != c.zipped:
			t.Errorf("%s: %d %v %.80s", c.name, w.Code, h, body)
		}
	}
	again := httptest.NewRecorder()
	r := httptest.NewRequest("GET", "http://localhost/", nil)
	first := httptest.NewRecorder()
	s.Handler().ServeHTTP(first, r)
	r.Header.Set("If-None-Match", first.Header().Get("ETag"))
	s.Handler().ServeHTTP(again, r)
	if again.Code != http.StatusNotModified {
		t.Errorf("an unchanged page is sent again: %d", again.Code)
	}
}

func TestNoUI(t *testing.T) {
	w := httptest.NewRecorder()
	web.New(web.Config{}).Handler().ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	if w.Code != 404 || !strings.Contains(w.Body.String(), "web.ui.missing") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}
