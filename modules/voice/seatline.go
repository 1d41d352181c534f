package voice

import (
	"context"
	"sync"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/sip"
)

// The phones of remote seats are asked whether they are there, so that a line that broke without a word is seen
// within five seconds: two questions without an answer, the second begun when the first has failed. Browsers'
// sockets are asked by the SIP server (browserPing).
const (
	lineEvery   = 1200 * time.Millisecond
	lineWithin  = 1200 * time.Millisecond
	lineTries   = 2
	browserPing = 2 * time.Second

	carrierEvery = time.Second // how often the trunks of outside phones are asked; two in a row unanswered are a break
)

// lines are the remote phones whose line is down although they are registered.
type lines struct {
	mu    sync.Mutex
	fails map[id.Phone]int
	look  chan struct{} // a trunk went or came back, or there is another configuration
}

// nudge has the outside phones looked after.
func (l *lines) nudge() {
	select {
	case l.look <- struct{}{}:
	default:
	}
}

func (l *lines) down(p id.Phone) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.fails[p] >= lineTries
}

// note takes the outcome of a question; changed says that the line went down or came back by it.
func (l *lines) note(p id.Phone, up bool) (changed bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fails == nil {
		l.fails = map[id.Phone]int{}
	}
	was := l.fails[p] >= lineTries
	if up {
		delete(l.fails, p)
		return was
	}
	l.fails[p] = min(l.fails[p]+1, lineTries)
	return !was && l.fails[p] >= lineTries
}

// watchLines asks the phones of remote seats until ctx ends. Where there are none it does nothing but look once a
// while whether there are.
func (m *Module) watchLines(ctx context.Context) {
	timer := m.deps.Clock.NewTimer(lineEvery)
	defer timer.Stop()
	var asked sync.WaitGroup
	defer asked.Wait()
	for {
		select {
		case <-timer.C():
		case <-ctx.Done():
			return
		}
		for code, p := range m.snap.Load().phones {
			if !p.Remote || p.Number != "" {
				continue
			}
			all := m.sip.Registrar().Lookup(string(code))
			if len(all) == 0 {
				m.lines.note(code, true) // it is gone in order, or by its time: the registrar has told
				continue
			}
			asked.Go(func() { m.askLine(ctx, code, all[0]) })
		}
		asked.Wait()
		timer.Reset(lineEvery / 4)
	}
}

// watchOutside tells when phones outside the house cannot be rung any more, or can again, until ctx ends: the trunks that
// lead there are asked every second (carriers), and say so at once.
func (m *Module) watchOutside(ctx context.Context) {
	told := map[id.Phone]bool{}
	for {
		select {
		case <-m.lines.look:
		case <-ctx.Done():
			return
		}
		phones := m.snap.Load().phones
		for code := range told {
			if phones[code].Number == "" {
				delete(told, code)
				m.endpointMoved(contact.Endpoint{Phone: code}, m.Registered(contact.Endpoint{Phone: code}))
			}
		}
		for code, p := range phones {
			if p.Number == "" {
				continue
			}
			up := m.outsideUp(p.Phone, "")
			if was, known := told[code]; known && was == up {
				continue
			}
			if told[code] = up; !up {
				m.deps.Log.Warn("a phone outside the house cannot be rung: no trunk leads there", "phone", code)
			}
			m.endpointMoved(contact.Endpoint{Phone: code}, up)
		}
	}
}

// carriers gives the trunks that calls to outside phones of a configuration leave by.
func (m *Module) carriers(s *snapshot) map[id.Trunk]bool {
	out := map[id.Trunk]bool{}
	for _, p := range s.phones {
		if p.Number != "" {
			for _, w := range m.waysOut(s, p.Site) {
				out[w.trunk] = true
			}
		}
	}
	return out
}

func (m *Module) askLine(ctx context.Context, code id.Phone, b sip.Binding) {
	began := m.deps.Clock.Now()
	err := m.sip.PingPhone(ctx, b, lineWithin)
	if ctx.Err() != nil {
		return
	}
	if m.lines.note(code, err == nil) {
		m.deps.Log.Warn("the line of a remote seat changed", "phone", code, "up", err == nil, "err", err)
		m.endpointChanged(b, err == nil)
	}
	if rest := lineEvery - m.deps.Clock.Now().Sub(began); err == nil && rest > 0 { // who answers is not asked at once again
		t := m.deps.Clock.NewTimer(rest)
		defer t.Stop()
		select {
		case <-t.C():
		case <-ctx.Done():
		}
	}
}
