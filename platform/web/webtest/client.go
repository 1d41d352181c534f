package webtest

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"strings"
	"time"

	"github.com/coder/websocket"
	"github.com/google/go-cmp/cmp"

	"github.com/kapok-hotline/kapok/platform/clock"
	"github.com/kapok-hotline/kapok/platform/web"
)

func (b *Bench) now() time.Time { return clock.System().Now() }

// Client makes requests as one caller.
type Client struct {
	bench *Bench
	token string
	jar   http.CookieJar
	// Header is sent with every request.
	Header http.Header
}

// Browser gives a client without a token that keeps cookies: for signing in through the API.
func (b *Bench) Browser() *Client {
	jar, err := cookiejar.New(nil)
	if err != nil {
		b.T.Fatal(err)
	}
	return &Client{bench: b, jar: jar}
}

// Bearer gives a client that sends the API token.
func (b *Bench) Bearer(token string) *Client { return &Client{bench: b, token: token} }

// Answer is what came back.
type Answer struct {
	bench  *Bench
	Status int
	Header http.Header
	Body   []byte
}

// Do makes a request; body is nil, a string or bytes as they are, or anything JSON can show.
func (c *Client) Do(method, url string, body any) *Answer {
	c.bench.T.Helper()
	var rd io.Reader
	switch v := body.(type) {
	case nil:
	case string:
		rd = strings.NewReader(v)
	case []byte:
		rd = bytes.NewReader(v)
	default:
		j, err := json.Marshal(v)
		if err != nil {
			c.bench.T.Fatal(err)
		}
		rd = bytes.NewReader(j)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, c.bench.URL+url, rd)
	if err != nil {
		c.bench.T.Fatal(err)
	}
	c.dress(req.Header, rd != nil)
	hc := http.Client{Jar: c.jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := hc.Do(req)
	if err != nil {
		c.bench.T.Fatalf("%s %s: %v", method, url, err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		c.bench.T.Fatalf("%s %s: %v", method, url, err)
	}
	return &Answer{bench: c.bench, Status: resp.StatusCode, Header: resp.Header, Body: b}
}

func (c *Client) dress(h http.Header, body bool) {
	if body {
		h.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		h.Set("Authorization", "Bearer "+c.token)
	}
	for k, v := range c.Header {
		h[k] = v
	}
}

// Get is Do with GET.
func (c *Client) Get(url string) *Answer { c.bench.T.Helper(); return c.Do(http.MethodGet, url, nil) }

// Post is Do with POST.
func (c *Client) Post(url string, body any) *Answer {
	c.bench.T.Helper()
	return c.Do(http.MethodPost, url, body)
}

// Put is Do with PUT.
func (c *Client) Put(url string, body any) *Answer {
	c.bench.T.Helper()
	return c.Do(http.MethodPut, url, body)
}

// Delete is Do with DELETE.
func (c *Client) Delete(url string) *Answer {
	c.bench.T.Helper()
	return c.Do(http.MethodDelete, url, nil)
}

// OK fails the test unless the status is 2xx.
func (a *Answer) OK() *Answer {
	a.bench.T.Helper()
	if a.Status/100 != 2 {
		a.bench.T.Fatalf("answered %d: %s", a.Status, a.Body)
	}
	return a
}

// Into decodes the JSON body into v.
func (a *Answer) Into(v any) *Answer {
	a.bench.T.Helper()
	if err := json.Unmarshal(a.Body, v); err != nil {
		a.bench.T.Fatalf("%v: %s", err, a.Body)
	}
	return a
}

// Code gives the fault's code of an error answer.
func (a *Answer) Code() string {
	var p web.Problem
	_ = json.Unmarshal(a.Body, &p)
	return p.Code
}

// Fails fails the test unless the answer is the fault with the code.
func (a *Answer) Fails(status int, code string) *Answer {
	a.bench.T.Helper()
	if a.Status != status || a.Code() != code {
		a.bench.T.Fatalf("answered %d %s, want %d %s: %s", a.Status, a.Code(), status, code, a.Body)
	}
	return a
}

// Scenario is one request with what must come of it.
type Scenario struct {
	Name   string
	As     string   // role, "" for nobody
	By     *Client  // instead of As
	Opts   []Option // for As
	Method string
	URL    string
	Body   any
	Status int
	Code   string   // of the fault; with Status 0 any
	Want   []string // parts of the body
	Not    []string // what the body must not hold
	JSON   string   // the whole body, as JSON
	Check  func(a *Answer)
}

// Run plays the scenarios in order, one after another.
func (b *Bench) Run(scenarios ...Scenario) {
	b.T.Helper()
	for _, s := range scenarios {
		b.play(s)
	}
}

func (b *Bench) play(s Scenario) {
	b.T.Helper()
	c := s.By
	if c == nil {
		c = b.As(s.As, s.Opts...)
	}
	if s.Method == "" {
		s.Method = http.MethodGet
	}
	a := c.Do(s.Method, s.URL, s.Body)
	if s.Status != 0 && a.Status != s.Status || s.Code != "" && a.Code() != s.Code {
		b.T.Errorf("%s: %s %s answered %d %s, want %d %s: %s", s.Name, s.Method, s.URL, a.Status, a.Code(), s.Status, s.Code, a.Body)
	}
	for _, w := range s.Want {
		if !strings.Contains(string(a.Body), w) {
			b.T.Errorf("%s: the answer lacks %q: %s", s.Name, w, a.Body)
		}
	}
	for _, n := range s.Not {
		if strings.Contains(string(a.Body), n) {
			b.T.Errorf("%s: the answer holds %q: %s", s.Name, n, a.Body)
		}
	}
	if s.JSON != "" {
		var got, want any
		_ = json.Unmarshal(a.Body, &got)
		if err := json.Unmarshal([]byte(s.JSON), &want); err != nil {
			b.T.Fatalf("%s: %v", s.Name, err)
		}
		if d := cmp.Diff(want, got); d != "" {
			b.T.Errorf("%s: %s", s.Name, d)
		}
	}
	if s.Check != nil {
		s.Check(a)
	}
}

// Message is what a socket received.
type Message struct {
	Topic  string          `json:"topic"`
	Seq    uint64          `json:"seq"`
	Data   json.RawMessage `json:"data"`
	Reload bool            `json:"reload"`
}

// Socket is a page's socket.
type Socket struct {
	bench *Bench
	ws    *websocket.Conn
}

// Socket opens a page's socket and subscribes to the topics; the first message of each says reload. It closes
// with the test.
func (c *Client) Socket(topics ...string) *Socket {
	c.bench.T.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	h := http.Header{}
	c.dress(h, false)
	ws, _, err := websocket.Dial(ctx, c.bench.URL+"/api/v1/socket", &websocket.DialOptions{
		HTTPHeader: h, HTTPClient: &http.Client{Jar: c.jar},
	})
	if err != nil {
		c.bench.T.Fatal(err)
	}
	s := &Socket{bench: c.bench, ws: ws}
	c.bench.T.Cleanup(s.Close)
	if len(topics) > 0 {
		s.Send(map[string]any{"sub": topics})
		for range topics {
			if m := s.Next(); !m.Reload {
				c.bench.T.Fatalf("the first message of a topic is %+v", m)
			}
		}
	}
	return s
}

// Send sends a message of the page.
func (s *Socket) Send(v any) {
	s.bench.T.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		s.bench.T.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := s.ws.Write(ctx, websocket.MessageText, b); err != nil {
		s.bench.T.Fatal(err)
	}
}

// Next waits for the next message, ten seconds at most.
func (s *Socket) Next() Message {
	s.bench.T.Helper()
	m, err := s.Read(10 * time.Second)
	if err != nil {
		s.bench.T.Fatal(err)
	}
	return m
}

// Read waits for the next message or the socket's end; after an error the socket is of no more use.
func (s *Socket) Read(wait time.Duration) (m Message, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), wait)
	defer cancel()
	_, b, err := s.ws.Read(ctx)
	if err == nil {
		err = json.Unmarshal(b, &m)
	}
	return m, err
}

// Close ends the socket; twice is once.
func (s *Socket) Close() { _ = s.ws.Close(websocket.StatusNormalClosure, "") }
