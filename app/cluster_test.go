package app

import (
	"bytes"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/clock"
	"github.com/kapok-hotline/kapok/platform/conf"
	"github.com/kapok-hotline/kapok/platform/store/storetest"
)

func TestFit(t *testing.T) {
	three := []string{"127.0.0.1:2", "127.0.0.1:3"}
	all := []string{"control", "voice", "channel"}
	for name, x := range map[string]struct {
		c    conf.Config
		says string
	}{
		"alone":                     {conf.Config{Part: all}, ""},
		"three":                     {conf.Config{Cluster: "127.0.0.1:1", Join: three, Part: all}, ""},
		"voice alone":               {conf.Config{Cluster: "127.0.0.1:1", Join: three, Part: []string{"voice"}}, ""},
		"the pages and the brain":   {conf.Config{Cluster: "127.0.0.1:1", Join: three, Part: []string{"control", "channel"}}, ""},
		"two":                       {conf.Config{Cluster: "127.0.0.1:1", Join: three[:1], Part: all}, "three or more"},
		"control without a channel": {conf.Config{Cluster: "127.0.0.1:1", Join: three, Part: []string{"control", "voice"}}, "not divided"},
		"a city":                    {conf.Config{Part: []string{"city"}}, "city"},
	} {
		err := fit(x.c)
		if (err == nil) != (x.says == "") || err != nil && !strings.Contains(err.Error(), x.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if alone(conf.Config{Cluster: "127.0.0.1:1"}) == nil {
		t.Error("a demo of several processes")
	}
}

// All processes of a house have one set of keys; the secret they know each other by opens it.
func TestSharedKeys(t *testing.T) {
	db := storetest.SQLite(t)
	process := func(secret string) *House {
		return &House{db: db, o: Options{Data: t.TempDir(), Cluster: Cluster{Secret: secret}}}
	}
	key := func(h *House) []byte {
		b, err := os.ReadFile(filepath.Join(h.o.Data, "keys", "recording.key"))
		if err != nil {
			t.Error(err)
		}
		return b
	}
	one, two := process("a secret of some length"), process("a secret of some length")
	if _, err := openKeys(one.o.Data); err != nil { // it was alone before
		t.Fatal(err)
	}
	for _, h := range []*House{one, two, one, two} {
		if err := h.shareKeys(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if a, b := key(one), key(two); len(a) != keyLength || !bytes.Equal(a, b) {
		t.Errorf("keys of %d and %d bytes differ", len(a), len(b))
	}
	if err := process("another secret, not theirs").shareKeys(t.Context()); err == nil || !strings.Contains(err.Error(), "KAPOK_CLUSTER_SECRET") {
		t.Error(err)
	}
	three := process("a secret of some length")
	if _, err := openKeys(three.o.Data); err != nil { // it has a history of its own
		t.Fatal(err)
	}
	if err := three.shareKeys(t.Context()); err == nil || !strings.Contains(err.Error(), "empty data folder") {
		t.Error(err)
	}
}

// A call from one process to an endpoint of another proves that the house's own asks, and asks now.
func TestRelayProof(t *testing.T) {
	now := clock.NewManual(time.Unix(1_795_460_873, 0))
	process := func(node id.Node, secret string) *peers {
		return newPeers(&House{clock: now, o: Options{Node: node, Advertise: netip.MustParseAddr("127.0.0.1"), Cluster: Cluster{Secret: secret}}})
	}
	asks, has, stranger := process("one", "secret"), process("two", "secret"), process("three", "guess")
	browser, phone := contact.Endpoint{Agent: "1001"}, contact.Endpoint{Agent: "1002", Phone: "8002"}
	for _, p := range []*peers{asks, stranger} {
		p.place(keyOfEndpoint(browser), placed{Node: "two", Endpoint: browser, Relay: "sip:relay@127.0.0.1:5070", revision: 1})
		p.place(keyOfEndpoint(phone), placed{Node: "two", Endpoint: phone, URI: "sip:8002@127.0.0.9:5060", revision: 2})
	}
	if w, ok := asks.Way(phone, "c1"); !ok || w.URI.Host != "127.0.0.9" || len(w.Headers) != 0 {
		t.Errorf("a phone is not reached straight: %v %v", w, ok)
	}
	if _, ok := asks.Way(contact.Endpoint{Agent: "1003"}, "c1"); ok {
		t.Error("who is nowhere has a way")
	}
	reads := func(p *peers) (contact.Endpoint, id.Contact, bool) {
		w, ok := p.Way(browser, "c1")
		if !ok || w.URI.Port != 5070 {
			t.Errorf("way %v %v", w, ok)
		}
		return has.Relay(func(name string) (all []string) {
			for _, h := range w.Headers {
				if h.Name == name {
					all = append(all, h.Value)
				}
			}
			return all
		})
	}
	if at, c, ok := reads(asks); !ok || at != browser || c != "c1" {
		t.Errorf("%v %v %v", at, c, ok)
	}
	if _, _, ok := reads(stranger); ok {
		t.Error("a stranger is believed")
	}
	w, _ := asks.Way(browser, "c1")
	now.Advance(time.Minute)
	old := func(name string) []string {
		for _, h := range w.Headers {
			if h.Name == name {
				return []string{h.Value}
			}
		}
		return nil
	}
	if _, _, ok := has.Relay(old); ok {
		t.Error("an old proof is believed")
	}
	if _, _, ok := has.Relay(func(string) []string { return []string{"zz"} }); ok {
		t.Error("nonsense is believed")
	}
}
