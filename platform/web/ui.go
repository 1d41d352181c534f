package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"mime"
	"net/http"
	"net/http/httputil"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/kapok-hotline/kapok/core/fault"
)

// asset is one file of the UI, held in memory with its compressed form: a build is a few megabytes.
type asset struct {
	kind string
	etag string
	body []byte
	zip  func() []byte // nil when compressing does not pay
}

// ui serves the built pages. A path that is no file gives index.html, because the page's router knows it; a
// missing file under assets/ is a 404, so that an old page asking for an old chunk learns it.
func (s *Server) ui() http.Handler {
	if s.cfg.UIDev != nil {
		return &httputil.ReverseProxy{Rewrite: func(p *httputil.ProxyRequest) { p.SetURL(s.cfg.UIDev) }}
	}
	files := map[string]*asset{}
	if s.cfg.UI != nil {
		err := fs.WalkDir(s.cfg.UI, ".", func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			b, err := fs.ReadFile(s.cfg.UI, name)
			if err == nil {
				files[name] = newAsset(name, b)
			}
			return err
		})
		if err != nil {
			s.log.Error("the user interface cannot be read", "error", err)
		}
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			s.fail(w, r, fault.New(fault.NotFound, "web.route.unknown", "path", r.URL.Path))
			return
		}
		name := strings.TrimPrefix(path.Clean("/"+r.URL.Path), "/")
		a := files[name]
		if a == nil && !strings.HasPrefix(name, "assets/") {
			name, a = "index.html", files["index.html"]
		}
		switch {
		case a != nil:
			a.serve(w, r, name)
		case files["index.html"] == nil:
			s.fail(w, r, fault.New(fault.NotFound, "web.ui.missing"))
		default:
			s.fail(w, r, fault.New(fault.NotFound, "web.file.missing"))
		}
	})
}

func newAsset(name string, b []byte) *asset {
	sum := sha256.Sum256(b)
	a := &asset{kind: mime.TypeByExtension(path.Ext(name)), etag: hex.EncodeToString(sum[:8]), body: b}
	if a.kind == "" {
		a.kind = http.DetectContentType(b)
	}
	if len(b) > 1024 && compressible(a.kind) {
		a.zip = sync.OnceValue(func() []byte { return compress(b) })
	}
	return a
}

func (a *asset) serve(w http.ResponseWriter, r *http.Request, name string) {
	h := w.Header()
	h.Set("Content-Type", a.kind)
	if strings.HasPrefix(name, "assets/") { // Vite puts the content's hash into these names
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	} else {
		h.Set("Cache-Control", "no-cache")
	}
	body, etag := a.body, a.etag
	if a.zip != nil {
		h.Set("Vary", "Accept-Encoding")
		if acceptsGzip(r) {
			body, etag = a.zip(), a.etag+"-gz"
			h.Set("Content-Encoding", "gzip")
		}
	}
	h.Set("ETag", `"`+etag+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
}

// acceptsGzip leaves ranges alone: a range of the compressed form would be of no use.
func acceptsGzip(r *http.Request) bool {
	if r.Header.Get("Range") != "" {
		return false
	}
	for part := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		name, weight, _ := strings.Cut(strings.TrimSpace(part), ";")
		if name == "gzip" && strings.TrimSpace(weight) != "q=0" {
			return true
		}
	}
	return false
}

func compressible(kind string) bool {
	for _, p := range []string{"text/", "application/javascript", "application/json", "image/svg", "application/manifest", "application/wasm"} {
		if strings.HasPrefix(kind, p) {
			return true
		}
	}
	return false
}

func compress(b []byte) []byte {
	var out bytes.Buffer
	z, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return b
	}
	_, _ = z.Write(b) // a bytes.Buffer does not fail
	_ = z.Close()
	return out.Bytes()
}
