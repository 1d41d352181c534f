package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"

	"github.com/kapok-hotline/kapok/core/right"
)

// SystemUser is who the admin socket's requests are from.
const SystemUser = "system"

// asSystem marks every request as the machine owner's: who can open the 0600 socket can read the data anyway.
func asSystem(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := Caller{System: true, Principal: right.Principal{User: SystemUser, Name: SystemUser, IP: "local"}}
		c.Locale = language(r.Header.Get("Accept-Language"))
		next.ServeHTTP(w, r.WithContext(As(r.Context(), c)))
	})
}

// Admin speaks to a running kapok through the socket in its data folder: for commands.
type Admin struct {
	client *http.Client
	Locale string // "zh" or "en": the language of error sentences
}

// NewAdmin makes a client for the data folder; nothing is opened yet.
func NewAdmin(data string) *Admin {
	name := filepath.Join(data, SocketName)
	return &Admin{client: &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "unix", name)
		},
	}}}
}

// ErrNotRunning means no kapok answers on the data folder.
var ErrNotRunning = errors.New("no kapok is running on this data folder: start it with kapok serve")

// Do sends body (nil, an io.Reader, or anything JSON can show) and decodes the answer into out (nil, an io.Writer
// for the raw bytes, or a pointer for JSON). An error answer comes back as a *Problem.
func (a *Admin) Do(ctx context.Context, method, path string, body, out any) error {
	var rd io.Reader
	kind := "application/json"
	switch b := body.(type) {
	case nil:
	case io.Reader:
		rd, kind = b, "application/octet-stream"
	default:
		j, err := json.Marshal(b)
		if err != nil {
			return err
		}
		rd = strings.NewReader(string(j))
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://kapok"+path, rd)
	if err != nil {
		return err
	}
	if rd != nil {
		req.Header.Set("Content-Type", kind)
	}
	req.Header.Set("Accept-Language", a.Locale)
	resp, err := a.client.Do(req)
	if err != nil {
		if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "dial" {
			return ErrNotRunning
		}
		return err
	}
	defer resp.Body.Close()
	return readAnswer(resp, out)
}

func readAnswer(resp *http.Response, out any) error {
	if resp.StatusCode >= 400 {
		p := &Problem{Status: resp.StatusCode}
		if err := json.NewDecoder(io.LimitReader(resp.Body, 1<<20)).Decode(p); err != nil || p.Code == "" {
			return fmt.Errorf("kapok answered %s", resp.Status)
		}
		return p
	}
	switch o := out.(type) {
	case nil:
		return nil
	case io.Writer:
		_, err := io.Copy(o, resp.Body)
		return err
	default:
		return json.NewDecoder(resp.Body).Decode(o)
	}
}
