package main

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/kapok-hotline/kapok/test/house"
	"github.com/kapok-hotline/kapok/test/ua"
)

// mishaps are what happens to agents, whatever they do at that moment: one of them about every two seconds.
var mishaps = []struct {
	what   string
	weight int
	do     func(*robot) string
}{
	{"phone's socket drops", 30, (*robot).drops},
	{"registration is lost", 30, (*robot).lost},
	{"signs out, signs in", 20, (*robot).again},
	{"desk opened elsewhere", 20, (*robot).elsewhere},
}

// mishapEvery is the mean time between two mishaps.
const mishapEvery = 2 * time.Second

func (r *robots) mishaps() {
	for {
		select {
		case <-r.ctx.Done():
			return
		case <-time.After(rand.N(2 * mishapEvery)):
		}
		n, b := rand.IntN(100), r.all[rand.IntN(len(r.all))]
		for _, m := range mishaps {
			if n -= m.weight; n < 0 {
				r.work.Go(func() { r.p.tally.note(m.what, m.do(b)) })
				break
			}
		}
	}
}

// unplug takes the phone away; nil when it is away already.
func (b *robot) unplug() *ua.Phone {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.broken {
		return nil
	}
	b.broken = true
	return b.phone
}

// drops closes the phone's socket without a word, in talk or not, and brings another up later.
func (b *robot) drops() string {
	phone := b.unplug()
	if phone == nil {
		return "was away already"
	}
	phone.Close()
	time.Sleep(500*time.Millisecond + rand.N(4*time.Second))
	for {
		err := b.plug(b.r.ctx)
		if err == nil || b.r.ctx.Err() != nil {
			return reason(err)
		}
		time.Sleep(time.Second) // the house is down
	}
}

// lost takes the registration back for a while; a call under way goes on.
func (b *robot) lost() string {
	phone := b.unplug()
	if phone == nil {
		return "was away already"
	}
	why := reason(phone.Register(b.r.ctx, 0))
	time.Sleep(500*time.Millisecond + rand.N(3*time.Second))
	for b.r.ctx.Err() == nil && phone.Register(b.r.ctx, time.Hour) != nil {
		time.Sleep(time.Second)
	}
	b.mu.Lock()
	b.broken = false
	b.mu.Unlock()
	return why
}

// again signs out; the next look at the desk signs in.
func (b *robot) again() string {
	return reason(b.desk.Post(b.r.ctx, "/desk/signout", map[string]string{}, nil))
}

// elsewhere is the same person at another desk: a session of their own, which takes the desk over.
func (b *robot) elsewhere() string {
	ctx, stop := context.WithTimeout(b.r.ctx, 10*time.Second)
	defer stop()
	c, err := b.r.p.h.Login(ctx, b.user)
	if err != nil {
		return reason(err)
	}
	if err = c.Post(ctx, "/desk/signin", map[string]any{"endpoint": b.code, "takeover": true}, nil); err == nil {
		err = c.Post(ctx, "/desk/state", map[string]string{"state": "ready"}, nil)
	}
	return reason(err)
}

// tabber is an agent at a browser, which is closed and opened again now and then, in talk too: then the call comes back
// to the new page.
type tabber struct {
	r    *robots
	n    int
	user string
	desk *house.Client
	page house.Browser
	tab  *ua.Tab
	gone time.Time // a page was closed in talk then
}

func (t *tabber) begin(ctx context.Context) (err error) {
	if t.desk, err = t.r.p.h.Login(ctx, t.user); err != nil {
		return err
	}
	return t.open(ctx)
}

// open signs in when that is needed and opens a page that registers.
func (t *tabber) open(ctx context.Context) error {
	d, err := t.desk.Desk(ctx)
	if err != nil {
		return err
	}
	if !d.SignedIn || t.page.URL == "" {
		if t.page, err = t.desk.Browser(ctx); err != nil {
			return err
		}
	}
	b := t.page
	if t.tab, err = ua.OpenTab(ctx, ua.TabConfig{URL: b.URL, Header: b.Header, User: b.User, Secret: b.Secret, Realm: b.Realm, IP: "127.0.0.1"}, 0); err != nil {
		return err
	}
	return t.desk.Post(ctx, "/desk/state", map[string]string{"state": "ready"}, nil)
}

// work answers calls and ends them from the desk; one page in three vanishes in talk, and none is open for longer than a
// registration lasts.
func (t *tabber) work() {
	const what, back = "browser closed in talk", "browser back: the call too"
	defer func() {
		if t.tab != nil {
			t.tab.Close()
		}
	}()
	old := time.NewTicker(90 * time.Second)
	defer old.Stop()
	look := time.NewTicker(1500 * time.Millisecond)
	defer look.Stop()
	for t.r.ctx.Err() == nil {
		if t.tab == nil {
			if err := t.open(t.r.ctx); err != nil {
				if t.tab != nil {
					t.tab.Close()
					t.tab = nil
				}
				t.page = house.Browser{}
				time.Sleep(time.Second)
				continue
			}
		}
		select {
		case <-t.r.ctx.Done():
			return
		case <-old.C:
			t.close()
		case <-look.C:
			if d, err := t.desk.Desk(t.r.ctx); err != nil || !d.SignedIn {
				t.close()
			} else if d.State.State == "away" {
				_ = t.desk.Post(t.r.ctx, "/desk/state", map[string]string{"state": "ready"}, nil) // said again at the next look
			}
		case <-t.tab.Talks():
			if !t.gone.IsZero() {
				t.r.p.tally.note(back, "")
				t.gone = time.Time{}
			}
			time.Sleep(time.Second + rand.N(2*time.Second))
			if rand.IntN(3) == 0 {
				t.r.p.tally.note(what, "")
				t.close()
				t.gone = time.Now()
				time.Sleep(rand.N(3 * time.Second))
				continue
			}
			t.hangUp()
		}
		if !t.gone.IsZero() && time.Since(t.gone) > 10*time.Second {
			t.r.p.tally.note(back, "the caller was gone")
			t.gone = time.Time{}
		}
	}
}

func (t *tabber) close() {
	t.tab.Close()
	t.tab = nil
}

// hangUp ends the calls of the desk.
func (t *tabber) hangUp() {
	d, err := t.desk.Desk(t.r.ctx)
	if err != nil {
		return
	}
	for _, c := range d.Calls {
		t.r.p.tally.tried("browser hangs up", t.desk.Post(t.r.ctx, "/desk/contacts/"+c.Contact+"/hangup", map[string]string{}, nil))
	}
}
