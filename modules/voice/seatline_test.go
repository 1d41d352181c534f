package voice

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/platform/sip/siptest"
)

// TestRowA4: the line of a remote seat that breaks without a word is seen within 5 s, and the seat is rung no more,
// so that calls go elsewhere; when it is back, so is the seat. Its phone is registered all the while.
func TestRowA4(t *testing.T) {
	h := newHouse(t)
	db := h.deps.DB
	p := h.snap.Load().phones["8003"]
	p.Remote = true
	must(t, phoneTable.Put(t.Context(), db, "8003", p))
	must(t, h.reload(t.Context()))
	l := h.phone("8003")
	at := contact.Endpoint{Agent: "a3", Phone: "8003"}
	var dead, asked atomic.Int64
	l.SetAuto(func(m siptest.Msg) string {
		if !strings.HasPrefix(m.Start, "OPTIONS") || dead.Load() != 0 {
			return ""
		}
		asked.Add(1)
		return l.Reply(m, 200, "OK", "phone", "")
	})
	h.until("it is asked", func() bool { return asked.Load() >= 2 })
	if !h.Registered(at) {
		t.Fatal("the seat cannot be rung")
	}
	dead.Store(1)
	broke := time.Now()
	h.tells("endpoint 8003 false")
	if took := time.Since(broke); took > 5*time.Second {
		t.Logf("seen after %v on this machine", took)
	}
	if h.Registered(at) {
		t.Error("a seat without a line is rung")
	}
	if len(h.sip.Registrar().Lookup("8003")) == 0 {
		t.Error("the registration has gone: that is not what is tried here")
	}
	dead.Store(0)
	h.until("it is back", func() bool { return h.Registered(at) })
	if worst := lineEvery + lineTries*(lineWithin+lineEvery/4); worst >= 5*time.Second {
		t.Errorf("a break may stay unseen for %v", worst)
	}
	if 2*browserPing >= 5*time.Second {
		t.Error("a browser's break may stay unseen for more than 5 s")
	}
}
