package calls

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/test/house"
)

// TestConnect sets sipp and baresip up by docs/connect alone: the fenced blocks are run as they stand, but for the
// address of the house. (Chromium's page is walked by test/pages.)
func TestConnect(t *testing.T) {
	for _, language := range []string{"", ".zh-CN"} {
		t.Run("trunk"+language, func(t *testing.T) { connectTrunk(t, manual(t, "trunk"+language)) })
		t.Run("phone"+language, func(t *testing.T) { connectPhone(t, manual(t, "trunk"+language), manual(t, "phone"+language)) })
	}
}

// page is a page's fenced blocks by the name behind their language.
type page map[string]string

var fence = regexp.MustCompile("(?ms)^```\\w+ ([\\w.]+)\n(.*?)^```")

func manual(t *testing.T, name string) page {
	t.Helper()
	root, err := house.Root()
	must(t, err)
	text, err := os.ReadFile(filepath.Join(root, "docs", "connect", name+".md"))
	must(t, err)
	p := page{}
	for _, m := range fence.FindAllStringSubmatch(string(text), -1) {
		p[m[1]] = m[2]
	}
	return p
}

// block gives a block with the address of this house.
func (p page) block(t *testing.T, h *house.House, name string) string {
	t.Helper()
	b, ok := p[name]
	if !ok {
		t.Fatalf("the page has no block %s", name)
	}
	return strings.ReplaceAll(b, "127.0.0.1:5060", h.SIP)
}

// fresh is a house after the first-run wizard, without hours: always open.
func fresh(t *testing.T) *scene {
	t.Helper()
	s := open(t)
	var token string
	s.eventually("the link is printed", func() bool {
		_, after, ok := strings.Cut(s.h.Log(), "/setup?token=")
		token = strings.TrimSpace(after)
		return ok
	})
	body, err := json.Marshal(map[string]any{
		"token": token, "bureau": map[string]string{"name": "测试税务局"},
		"admin":  map[string]string{"user": "admin", "name": "管理员", "password": house.Password},
		"agents": []map[string]string{{"user": "1001", "name": "坐席甲", "password": house.Password}},
	})
	must(t, err)
	resp, err := http.Post("http://"+s.h.HTTP+"/api/v1/setup", "application/json", bytes.NewReader(body)) //nolint:noctx // a test
	must(t, err)
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("the first run: %s", resp.Status)
	}
	s.leader, err = s.h.Login(s.ctx, "admin")
	must(t, err)
	return s
}

// apply does what the page says: the file under its name, the command behind it.
func apply(s *scene, p page, file string) {
	s.t.Helper()
	dir := s.t.TempDir()
	must(s.t, os.WriteFile(filepath.Join(dir, file), []byte(p.block(s.t, s.h, file)), 0o600))
	words := strings.Fields(p.block(s.t, s.h, "apply"))
	cmd := exec.CommandContext(s.ctx, s.h.Program, append(words[1:], "--data", s.h.Data)...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil || words[0] != "kapok" {
		s.t.Fatalf("%s: %v\n%s", words, err, out)
	}
}

func connectTrunk(t *testing.T, p page) {
	s := fresh(t)
	apply(s, p, "trunk.yaml")
	words := strings.Fields(p.block(t, s.h, "sipp"))
	cmd := exec.CommandContext(s.ctx, words[0], words[1:]...)
	cmd.Dir = t.TempDir()
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", words, err, tail(string(out), 30))
	}
	s.eventually("the call stands under contacts", func() bool {
		var list struct {
			Items []struct{ To string } `json:"items"`
		}
		must(t, s.leader.Get(s.ctx, "/contacts", &list))
		return len(list.Items) == 1 && list.Items[0].To == "12366"
	})
}

func connectPhone(t *testing.T, trunk, p page) {
	s := fresh(t)
	apply(s, trunk, "trunk.yaml")
	apply(s, p, "phones.yaml")
	b := runBaresip(t, p.block(t, s.h, "config"), p.block(t, s.h, "accounts"), 880)
	defer b.stop()
	s.eventually("the phone is registered", func() bool {
		var phones []struct {
			Code       string
			Registered bool
		}
		must(t, s.leader.Get(s.ctx, "/voice/phones", &phones))
		return len(phones) == 1 && phones[0].Code == "8001" && phones[0].Registered
	})
	a := &agent{s: s, user: "1001"}
	var err error
	a.Client, err = s.h.Login(s.ctx, "1001")
	must(t, err)
	must(t, a.Do(s.ctx, http.MethodPut, "/me/password", map[string]string{"old": house.Password, "new": "Eigenes-Wort-1001"}, nil))
	must(t, a.Ready(s.ctx, "8001"))
	c := s.call("12366", 440)
	time.Sleep(500 * time.Millisecond)
	a.talks()
	s.hears(c.Media, 880, "baresip")
	c.Hangup(s.ctx)
	s.ended(c.number, "answered")
}
