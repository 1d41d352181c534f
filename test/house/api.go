package house

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"time"
)

// Client is a person's browser: the API with their session.
type Client struct {
	h    *House
	User string
	http *http.Client
}

// Login signs a person in.
func (h *House) Login(ctx context.Context, user string) (*Client, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	c := &Client{h: h, User: user, http: &http.Client{Jar: jar, Timeout: 30 * time.Second}}
	return c, c.Post(ctx, "/login", map[string]string{"user": user, "password": Password}, nil)
}

// Problem is an answer that says why not.
type Problem struct {
	Status int
	Code   string `json:"code"`
	Detail string `json:"detail"`
	path   string
}

func (p *Problem) Error() string {
	return fmt.Sprintf("%s: %d %s: %s", p.path, p.Status, p.Code, p.Detail)
}

// Get reads path under /api/v1 into out.
func (c *Client) Get(ctx context.Context, path string, out any) error {
	return c.Do(ctx, http.MethodGet, path, nil, out)
}

// Post sends in to path under /api/v1 and reads the answer into out; either may be nil.
func (c *Client) Post(ctx context.Context, path string, in, out any) error {
	return c.Do(ctx, http.MethodPost, path, in, out)
}

// Do sends a request; an answer of 400 or above is a *Problem.
func (c *Client) Do(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(b)
	}
	b, err := c.Raw(ctx, method, path, body)
	if err != nil || out == nil {
		return err
	}
	return json.Unmarshal(b, out)
}

// Raw sends a request and gives the bytes of the answer.
func (c *Client) Raw(ctx context.Context, method, path string, body io.Reader) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, "http://"+c.h.HTTP+"/api/v1"+path, body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close() //nolint:errcheck // only read
	b, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode < 400 {
		return b, err
	}
	p := &Problem{Status: resp.StatusCode, path: method + " " + path}
	_ = json.Unmarshal(b, p) // without one the status says it
	return nil, p
}

// Desk is an agent's desk as the API gives it, as far as tests look.
type Desk struct {
	SignedIn bool `json:"signed_in"`
	State    struct {
		State  string `json:"state"`
		Reason string `json:"reason"`
		Since  int64  `json:"since"`
	} `json:"state"`
	Endpoint struct {
		Registered bool `json:"registered"`
	} `json:"endpoint"`
	Calls []struct {
		Contact string `json:"contact"`
		Queue   string `json:"queue"`
		Phase   string `json:"phase"`
		Unasked string `json:"unasked"` // why the last one asked did not answer
		Consult *struct {
			With string `json:"with"`
		} `json:"consult"`
		Parties []struct {
			Leg   string `json:"leg"`
			Code  string `json:"code"`
			Muted bool   `json:"muted"`
		} `json:"parties"` // those who talk with caller and agent
	} `json:"calls"`
	Wrapup *struct {
		Contact string `json:"contact"`
	} `json:"wrapup"`
}

// Desk reads the agent's desk.
func (c *Client) Desk(ctx context.Context) (d Desk, err error) { return d, c.Get(ctx, "/desk", &d) }

// Ready signs the agent in at a phone, when they are not, and says ready.
func (c *Client) Ready(ctx context.Context, phone string) error {
	d, err := c.Desk(ctx)
	if err != nil {
		return err
	}
	if !d.SignedIn {
		if err := c.Post(ctx, "/desk/signin", map[string]string{"endpoint": phone}, nil); err != nil {
			return err
		}
	}
	return c.Post(ctx, "/desk/state", map[string]string{"state": "ready"}, nil)
}

// WrapUp ends the wrap-up with a topic and is ready again.
func (c *Client) WrapUp(ctx context.Context, contact, topic string) error {
	return c.Post(ctx, "/desk/contacts/"+contact+"/wrapup/done",
		map[string]any{"state": "ready", "wrapup": map[string]string{"topic": topic}}, nil)
}
