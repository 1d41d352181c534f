package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/platform/web"
)

// admin speaks to a running Kapok through the socket in its data folder: never a second writer on the database.
type admin struct {
	socket string
	client *http.Client
}

// errNotRunning says that no Kapok runs on the data folder.
var errNotRunning = errors.New("no Kapok is running on this data folder")

func newAdmin(data string) *admin {
	socket := filepath.Join(data, web.SocketName)
	return &admin{socket: socket, client: &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", socket)
		},
	}}}
}

// do sends a request and reads the answer; a fault comes back as a sentence.
func (a *admin) do(ctx context.Context, method, path, contentType string, body io.Reader) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, "http://kapok"+path, body)
	if err != nil {
		return nil, err
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	req.Header.Set("Accept-Language", language())
	resp, err := a.client.Do(req)
	if err != nil {
		if errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED) {
			return nil, fmt.Errorf("%w (%s); start it with `kapok serve`, or name its folder with --data", errNotRunning, filepath.Dir(a.socket))
		}
		return nil, err
	}
	defer resp.Body.Close() //nolint:errcheck // only read
	answer, err := io.ReadAll(io.LimitReader(resp.Body, 64<<20))
	if err != nil {
		return nil, err
	}
	if resp.StatusCode < 400 {
		return answer, nil
	}
	var problem struct{ Detail, Title, Code string }
	if json.Unmarshal(answer, &problem) == nil && problem.Detail+problem.Title != "" {
		if problem.Detail == "" {
			problem.Detail = problem.Title
		}
		return nil, errors.New(problem.Detail)
	}
	return nil, fmt.Errorf("%s %s: %s", method, path, resp.Status)
}

// language is the language of the terminal.
func language() string {
	for _, v := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if l := os.Getenv(v); l != "" {
			if strings.HasPrefix(l, "zh") {
				return "zh"
			}
			return "en"
		}
	}
	return "en"
}

// Sentence makes one clear sentence of an error, for the terminal.
func Sentence(err error) string {
	var f *fault.Fault
	if errors.As(err, &f) {
		if s := terminalTexts(f); s != "" {
			return s
		}
	}
	return strings.TrimSpace(err.Error())
}
