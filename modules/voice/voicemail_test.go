package voice

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/span"
	"github.com/kapok-hotline/kapok/engine/flow"
	"github.com/kapok-hotline/kapok/platform/store"
	"github.com/kapok-hotline/kapok/platform/web/webtest"
)

// mailbox gives the house a number 12370 that takes a message, ended by silence of 2 s, and says goodbye.
func mailbox(h *house) {
	h.t.Helper()
	body, err := json.Marshal(flow.Graph{Code: "mail", Start: "msg", Nodes: []flow.Node{
		{ID: "msg", Kind: flow.VoicemailKind, Prompts: []string{"beep"}, Silence: span.Span(2 * time.Second), Next: "bye"},
		{ID: "bye", Kind: flow.PlayKind, Prompts: []string{"beep"}, Next: "end"},
		{ID: "end", Kind: flow.HangupKind, Outcome: contact.Turned},
	}})
	must(h.t, err)
	_, err = store.Exec(h.t.Context(), h.deps.DB, `INSERT INTO voice_flow (code, version, at, body) VALUES ('mail', 1, 0, ?)`, string(body))
	must(h.t, err)
	must(h.t, numberTable.Put(h.t.Context(), h.deps.DB, "12370", Number{Code: "12370", Site: "gz", Flow: "mail"}))
	must(h.t, h.reload(h.t.Context()))
}

// leaving waits until a message is being recorded, and what is said arrives.
func (h *house) leaving() *call {
	h.t.Helper()
	c := h.find(h.contact())
	h.until("a message is being recorded", func() bool {
		heard := false
		c.ask(h.t.Context(), func() { heard = c.message != nil && c.message.loud.Load() > 0 })
		return heard
	})
	time.Sleep(600 * time.Millisecond) // it is long enough to be one
	return c
}

// A message ends by the key, by silence, at its limit and when the person hangs up; it is stored as recordings are, told
// once, and can be heard. Of silence nothing is kept.
func TestVoicemail(t *testing.T) {
	ways := []struct {
		how  string
		talk func(h *house, l *line)
	}{
		{"key", func(h *house, l *line) { h.leaving(); l.press('#') }},
		{"silence", func(h *house, l *line) {
			h.leaving()
			l.mu.Lock()
			l.tone = -1
			l.mu.Unlock()
		}},
		{"hangup", func(h *house, l *line) { h.leaving(); l.Request("BYE", "") }},
		{"limit", func(h *house, _ *line) {
			c := h.leaving()
			c.ask(h.t.Context(), func() { c.message.ask.Limit = span.Span(time.Second) })
		}},
	}
	h := newHouse(t)
	mailbox(h)
	b := webtest.New(t, h.Module)
	for _, w := range ways {
		l := h.call("12370")
		w.talk(h, l)
		h.has("voicemail.left", 1)
		all := said[event.VoicemailLeft](h)
		v := all[len(all)-1]
		if v.Ended != w.how || v.Ms < 500 {
			t.Errorf("%s: %+v", w.how, v)
		}
		h.has("contact.ended", 1)
		r, err := h.fileOf(t.Context(), v.Recording)
		must(t, err)
		if r.contact != h.contact() {
			t.Errorf("%s: the recording is of %s", w.how, r.contact)
		}
		rec := httptest.NewRecorder()
		req := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		h.ServeMessage(rec, req, v.Recording)
		if rec.Code != 200 || rec.Body.Len() < 4000 || rec.Body.String()[:4] != "RIFF" {
			t.Errorf("%s: heard with %d, %d bytes", w.how, rec.Code, rec.Body.Len())
		}
	}
	for _, s := range said[event.RecordingStored](h) {
		if s.Missing != "" || s.LeftDB < -40 {
			t.Errorf("stored %+v", s)
		}
	}
	h.lawful()
	if s := b.As("agent").Get("/api/v1/recordings/" + said[event.VoicemailLeft](h)[0].Recording + "/sound").Status; s != 403 {
		t.Errorf("whoever may not hear recordings hears one by its own door: %d", s)
	}
}

// Nothing was said: no file, no row, no word of it; the person goes on all the same.
func TestVoicemailOfSilence(t *testing.T) {
	h := newHouse(t)
	mailbox(h)
	l := h.line()
	l.tone = -1
	l.Call = l.NewCall("sip:12370@" + h.sip.Addr("udp").String())
	l.Establish(l.sdp())
	l.connect(l.Answer_.Body)
	h.ends(contact.BySystem, contact.Turned)
	h.until("the file is gone", func() bool {
		found := 0
		_ = filepath.WalkDir(filepath.Join(h.deps.Data, "recordings"), func(_ string, d os.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				found++
			}
			return nil
		})
		return found == 0
	})
	if n := len(said[event.VoicemailLeft](h)) + len(said[event.RecordingStored](h)); n != 0 {
		t.Errorf("%d facts of silence", n)
	}
	h.lawful()
}

// A talk is not served as a message.
func TestServeMessageServesMessagesAlone(t *testing.T) {
	h := newHouse(t)
	webtest.New(t, h.Module)
	_, talk := h.recorded(h.phone("8001"))
	rec := httptest.NewRecorder()
	h.ServeMessage(rec, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil), talk.id)
	if rec.Code != 404 {
		t.Errorf("served with %d", rec.Code)
	}
}
