package callers

import (
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"
)

// TestShare: the day's curve begins at the peak, skips lunch and night, and is never dead.
func TestShare(t *testing.T) {
	const ten = 10 * time.Hour
	for after, want := range map[time.Duration]float64{
		0: 1, 29 * time.Minute: 1, 31 * time.Minute: .094 / .102, 2*time.Hour + time.Minute: .068 / .102,
		5*time.Hour + 10*time.Minute: 1.0 / 3, 5*time.Hour + 31*time.Minute: .085 / .102, 7 * time.Hour: 1,
	} {
		if got := share(ten, after); got < want-1e-9 || got > want+1e-9 {
			t.Errorf("after %v: %.3f, want %.3f", after, got, want)
		}
	}
}

func TestWishes(t *testing.T) {
	sum := 0.0
	for _, w := range wishes {
		sum += w.share
	}
	if sum < .99 || sum > 1.01 {
		t.Errorf("the shares add up to %.3f", sum)
	}
}

func TestLognormal(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	sum := time.Duration(0)
	const n = 20000
	for range n {
		sum += lognormal(r, meanTalk, talkCV)
	}
	if mean := sum / n; mean < meanTalk*95/100 || mean > meanTalk*105/100 {
		t.Errorf("mean %v, want %v", mean, meanTalk)
	}
}

func TestRegistry(t *testing.T) {
	g := newRegistry()
	m := g.come("13800001234", true)
	g.meet("13800001234", met)
	g.meet("13800001234", met) // told once
	g.meet("13800009999", met) // nobody
	if n := <-m.news; n != met || len(m.news) != 0 || !m.talking() {
		t.Errorf("%v and %d more", n, len(m.news))
	}
	g.meet("13800001234", given)
	if n := <-m.news; n != given || m.talking() {
		t.Errorf("%v", n)
	}
	if !g.onLine("13800001234") {
		t.Error("it is forgotten which number was dialled")
	}
	g.leave("13800001234", m)
	if g.onLine("13800001234") {
		t.Error("who has left is on the line")
	}
	if len(g.waiting) != 0 {
		t.Error("a caller stays in the book")
	}
}

func TestNewRefuses(t *testing.T) {
	good := Config{SIP: netip.MustParseAddrPort("127.0.0.1:5060"), People: []Person{{Number: "13800001234"}}}
	if _, err := New(good); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*Config){
		"not loopback": func(c *Config) { c.SIP = netip.MustParseAddrPort("192.0.2.1:5060") },
		"nobody":       func(c *Config) { c.People = nil },
		"too fast":     func(c *Config) { c.Speed = 1000 },
	} {
		c := good
		spoil(&c)
		if _, err := New(c); err == nil {
			t.Error(name, "was taken")
		}
	}
}
