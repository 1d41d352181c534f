// Package speech speaks to a speech engine over HTTP in the form OpenAI published and many engines took over:
// POST /v1/audio/speech turns text into sound, POST /v1/audio/transcriptions turns sound into text
// (https://platform.openai.com/docs/api-reference/audio). Everything that comes back is bounded, and every error says
// which of few kinds it is. The package keeps no state but its connections.
package speech

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Bounds on what an engine may answer.
const (
	MaxSound = 32 << 20 // bytes of a spoken text: three minutes of 24 kHz PCM are 9 MB
	MaxText  = 1 << 20  // bytes of a transcription with its segments
	maxWhy   = 300      // bytes of an engine's own words in an error
)

// Kind says what went wrong, for the reader's sentence.
type Kind string

// The kinds.
const (
	Unreachable Kind = "unreachable" // no connection
	Slow        Kind = "slow"        // not within the time given
	Refused     Kind = "refused"     // 401, 403: the key
	Unknown     Kind = "unknown"     // 404, 400, 422: the address, the model or the voice
	Busy        Kind = "busy"        // 429, 5xx
	Answer      Kind = "answer"      // it answered with what is no sound or no text
)

// Error is a failed request.
type Error struct {
	Kind   Kind
	Status int    // of HTTP; 0: there was none
	Why    string // the engine's words, cut
	Cause  error
}

// Error says it in one line.
func (e *Error) Error() string {
	s := "speech: " + string(e.Kind)
	if e.Status != 0 {
		s += fmt.Sprintf(" (HTTP %d)", e.Status)
	}
	if e.Why != "" {
		s += ": " + e.Why
	}
	if e.Cause != nil {
		s += ": " + e.Cause.Error()
	}
	return s
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Cause }

// KindOf gives the kind of an error of this package; "" for others.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return ""
}

// Engine is a speech engine at an address. It may be used by many goroutines.
type Engine struct {
	base   string
	key    string
	client *http.Client
}

// New gives the engine at a base address such as https://host/v1; the key, if any, is sent as a bearer token.
func New(base, key string) (*Engine, error) {
	if err := CheckBase(base); err != nil {
		return nil, err
	}
	return &Engine{base: strings.TrimRight(base, "/"), key: key, client: &http.Client{
		Transport: &http.Transport{
			Proxy: http.ProxyFromEnvironment, DialContext: (&net.Dialer{Timeout: 3 * time.Second}).DialContext,
			TLSHandshakeTimeout: 5 * time.Second, MaxIdleConnsPerHost: 8, MaxConnsPerHost: 32, IdleConnTimeout: 30 * time.Second,
			MaxResponseHeaderBytes: 64 << 10, ForceAttemptHTTP2: true,
		},
		// A redirection would take what a caller said to where nobody configured.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// CheckBase tells whether the address can be a base: http or https, a host, no query.
func CheckBase(base string) error {
	u, err := url.Parse(base)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return fmt.Errorf("speech: %q is no address like https://host/v1", base)
	}
	return nil
}

// Close lets go of the connections nobody uses.
func (e *Engine) Close() { e.client.CloseIdleConnections() }

// send makes a request and gives what came back, at most most bytes.
func (e *Engine) send(ctx context.Context, path, contentType, accept string, body io.Reader, most int64) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, e.base+path, body)
	if err != nil {
		return nil, &Error{Kind: Unreachable, Cause: err}
	}
	r.Header.Set("Content-Type", contentType)
	r.Header.Set("Accept", accept)
	if e.key != "" {
		r.Header.Set("Authorization", "Bearer "+e.key)
	}
	res, err := e.client.Do(r)
	if err != nil {
		return nil, lost(ctx, err)
	}
	defer res.Body.Close() //nolint:errcheck // only read
	if res.StatusCode != http.StatusOK {
		why, _ := io.ReadAll(io.LimitReader(res.Body, 8<<10)) // what can be read of it
		return nil, &Error{Kind: kindOf(res.StatusCode), Status: res.StatusCode, Why: words(why)}
	}
	data, err := io.ReadAll(io.LimitReader(res.Body, most+1))
	switch {
	case err != nil:
		return nil, lost(ctx, err)
	case int64(len(data)) > most:
		return nil, &Error{Kind: Answer, Status: res.StatusCode, Why: fmt.Sprintf("more than %d bytes", most)}
	}
	return data, nil
}

func lost(ctx context.Context, err error) error {
	var slow net.Error
	if ctx.Err() != nil || errors.As(err, &slow) && slow.Timeout() {
		return &Error{Kind: Slow, Cause: err}
	}
	return &Error{Kind: Unreachable, Cause: err}
}

func kindOf(status int) Kind {
	switch {
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return Refused
	case status == http.StatusTooManyRequests || status >= 500:
		return Busy
	}
	return Unknown
}
