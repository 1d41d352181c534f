package callers

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"time"
)

// client is one login at the hotline's API.
type client struct {
	base string
	user string
	http *http.Client
}

const apiBound = 10 * time.Second

func newClient(base, user string, transport http.RoundTripper) (*client, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	return &client{base: base, user: user, http: &http.Client{Jar: jar, Timeout: apiBound, Transport: transport}}, nil
}

// apiError is an answer that refuses.
type apiError struct {
	status int
	code   string
}

func (e *apiError) Error() string { return fmt.Sprintf("callers: %d %s", e.status, e.code) }

// do sends a request and reads the answer; a session that has ended is opened again, once.
func (c *client) do(ctx context.Context, method, path string, in, out any) error {
	err := c.once(ctx, method, path, in, out)
	if e, ok := err.(*apiError); ok && e.status == http.StatusUnauthorized { //nolint:errorlint // ours, not wrapped
		if err := c.login(ctx); err != nil {
			return err
		}
		err = c.once(ctx, method, path, in, out)
	}
	return err
}

// login signs in by the demonstration's one-click login.
func (c *client) login(ctx context.Context) error {
	return c.once(ctx, http.MethodPost, "/api/v1/demo/login", map[string]string{"user": c.user}, nil)
}

func (c *client) once(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, body)
	if err != nil {
		return err
	}
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close() //nolint:errcheck // only read
	answer, err := io.ReadAll(io.LimitReader(resp.Body, 4<<20))
	if err != nil {
		return err
	}
	if resp.StatusCode >= 400 {
		var p struct{ Code string }
		_ = json.Unmarshal(answer, &p) // whatever it is, the status tells enough
		return &apiError{resp.StatusCode, p.Code}
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(answer, out)
}

// watcher looks contacts up by the caller's number, in national form as the hotline keeps it, and says whether the
// newest is open and has an agent.
func (c *client) watcher(ctx context.Context, number string) bool {
	var list struct {
		Items []struct {
			Agent   string `json:"agent"`
			Outcome string `json:"outcome"`
		} `json:"items"`
	}
	q := url.Values{"number": {"0" + strings.TrimPrefix(number, "0")}, "limit": {"1"}}
	if err := c.do(ctx, http.MethodGet, "/api/v1/contacts?"+q.Encode(), nil, &list); err != nil || len(list.Items) == 0 {
		return false
	}
	return list.Items[0].Agent != "" && list.Items[0].Outcome == "open"
}
