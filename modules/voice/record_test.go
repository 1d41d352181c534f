package voice

import (
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/store"
	"github.com/kapok-hotline/kapok/platform/web/webtest"
)

// recorded makes one recorded talk at a phone and gives its row.
func (h *house) recorded(agent *line) (id.Contact, fileRow) {
	h.t.Helper()
	caller := h.call("12367")
	h.waits(1)
	done := h.offer(h.t.Context(), "8001", "a1")
	agent.lift()
	must(h.t, <-done)
	h.until("they talk", func() bool { return caller.loud() && agent.loud() })
	time.Sleep(500 * time.Millisecond)
	caller.Request("BYE", "")
	h.has("recording.stored", 1)
	h.ends(contact.ByCaller, contact.Answered)
	h.mu.Lock()
	h.entered, h.queue = nil, nil
	h.mu.Unlock()
	c := h.contact()
	rows, err := h.files(h.t.Context(), `contact = ?`, 2, string(c))
	if err != nil || len(rows) != 1 {
		h.t.Fatalf("%d rows, %v", len(rows), err)
	}
	return c, rows[0]
}

// said gives the bodies of a kind, of all contacts.
func said[T event.Body](h *house) (out []T) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, f := range h.facts {
		if b, ok := f.body.(T); ok {
			out = append(out, b)
		}
	}
	return out
}

// lawful checks the law of files; that of proofs needs the ledger and is held by the house's own tests.
func (h *house) lawful() {
	h.t.Helper()
	breaches, err := h.checkFiles(h.t.Context(), h.deps.DB)
	if err != nil || len(breaches) > 0 {
		h.t.Errorf("files: %v, %v", breaches, err)
	}
}

// TestRowP4: master keys rotate while older recordings stay readable, and are put under the newest on demand; classes
// say how long a recording is kept, and what they will take can be asked before; a legal hold stops every rule; what
// is erased leaves a proof with its hash and cannot be heard again; every playback is in the audit.
func TestRowP4(t *testing.T) {
	h := newHouse(t)
	b := webtest.New(t, h.Module)
	boss := b.As("manager")
	phone := h.phone("8001")
	first, old := h.recorded(phone)
	if old.queue != "vat" || old.key != "1" {
		t.Errorf("the row is %+v", old)
	}

	var keys []KeyView
	boss.Post("/api/v1/recording-keys", nil).OK().Into(&keys)
	if len(keys) != 2 || keys[0].Recordings != 1 || !keys[1].Newest || keys[1].ID != "2" {
		t.Errorf("the ring after a rotation: %+v", keys)
	}
	_, young := h.recorded(phone)
	if young.key != "2" {
		t.Errorf("a new recording is under key %q", young.key)
	}
	plays := func(r fileRow, status int) {
		t.Helper()
		heard := len(b.Audit())
		if s := b.As("quality").Get("/api/v1/recordings/" + r.id + "/sound").Status; s != status {
			t.Errorf("%s is played with %d, want %d", r.id, s, status)
		}
		if len(b.Audit()) != heard+1 {
			t.Error("a playback is not in the audit")
		}
	}
	plays(old, http.StatusOK)
	plays(young, http.StatusOK)
	var wrapped struct{ Done, Left int64 }
	boss.Post("/api/v1/recording-keys/rewrap", nil).OK().Into(&wrapped)
	if wrapped.Done != 1 || wrapped.Left != 0 || keyOf(h.vault.path(old.file)) != "2" {
		t.Errorf("put under the newest: %+v, the file is under %q", wrapped, keyOf(h.vault.path(old.file)))
	}
	plays(old, http.StatusOK)
	h.lawful()

	// Keeping: 30 days for everything, 90 for what was answered in vat.
	for _, r := range []Retention{{Code: "all", Name: "everything", Days: 30}, {Code: "vat", Name: "VAT", Queue: "vat", Outcome: "answered", Days: 90}} {
		must(t, retentionTable.Put(t.Context(), h.deps.DB, r.Code, r))
	}
	aged := func(r fileRow, days int) {
		t.Helper()
		_, err := store.Exec(t.Context(), h.deps.DB, `UPDATE voice_recording SET at = ? WHERE id = ?`, time.Now().Add(-time.Duration(days)*aDay).UnixMilli(), r.id)
		must(t, err)
	}
	dry := func() *Due {
		t.Helper()
		d := &Due{}
		boss.Get("/api/v1/recordings-due").OK().Into(d)
		return d
	}
	aged(old, 60)
	aged(young, 10)
	if d := dry(); d.Classes[0].Code != "vat" || d.Classes[0].Held != 2 || d.Classes[0].Due != 0 || d.Classes[0].Soon != 1 || d.Classes[1].Held != 0 || d.Forever != 0 {
		t.Errorf("after 60 days: %+v", d)
	}
	must(t, h.sweep(t.Context()))
	plays(old, http.StatusOK) // the class that says more holds
	aged(old, 91)
	boss.Post("/api/v1/recordings/"+old.id+"/hold", map[string]any{"on": true, "reason": "court 12"}).OK()
	if d := dry(); d.Classes[0].Due != 0 || d.Classes[0].Locked != 1 {
		t.Errorf("held: %+v", d)
	}
	must(t, h.sweep(t.Context()))
	plays(old, http.StatusOK)
	if s := boss.Post("/api/v1/recordings/"+old.id+"/erase", map[string]any{"reason": "asked to"}).Status; s != http.StatusConflict {
		t.Errorf("erasing what is held: %d", s)
	}
	boss.Post("/api/v1/recordings/"+old.id+"/hold", map[string]any{"on": false, "reason": "settled"}).OK()
	if d := dry(); d.Classes[0].Due != 1 || len(d.First) != 1 || d.First[0].ID != old.id || d.First[0].Contact != first {
		t.Errorf("due: %+v", d)
	}
	sum, size, err := hashFile(h.vault.path(old.file))
	must(t, err)
	must(t, h.sweep(t.Context()))
	must(t, h.sweep(t.Context())) // twice is once
	proofs := said[event.RecordingErased](h)
	if len(proofs) != 1 || proofs[0].SHA256 != sum || proofs[0].Bytes != size || size == 0 || proofs[0].By != "retention" || proofs[0].Class != "vat" {
		t.Errorf("the proof is %+v, want the hash %s", proofs, sum)
	}
	if _, err := os.Stat(h.vault.path(old.file)); !os.IsNotExist(err) {
		t.Errorf("the file is still there: %v", err)
	}
	plays(old, http.StatusNotFound)
	h.lawful()

	// By a person, for a reason; not by who may only listen.
	if s := b.As("quality").Post("/api/v1/recordings/"+young.id+"/erase", map[string]any{"reason": "asked to"}).Status; s != http.StatusForbidden {
		t.Errorf("without the right: %d", s)
	}
	var left []RecordingView
	boss.Post("/api/v1/recordings/"+young.id+"/erase", map[string]any{"reason": "the caller asked for it"}).OK().Into(&left)
	if len(left) != 1 || left[0].Erased == 0 {
		t.Errorf("after the erasure: %+v", left)
	}
	if p := said[event.RecordingErased](h); len(p) != 2 || p[1].By != "person" || p[1].Why != "the caller asked for it" || p[1].SHA256 == "" {
		t.Errorf("proofs %+v", p)
	}
	h.lawful()

	// Nothing is under the second key any more; a third makes it useless, and it goes.
	if _, err := h.rotate(t.Context(), "boss"); err != nil {
		t.Fatal(err)
	}
	_, err = store.Exec(t.Context(), h.deps.DB, `UPDATE voice_key SET at = at - ?`, 2*retireAfter.Milliseconds())
	must(t, err)
	must(t, h.sweep(t.Context()))
	if _, ok := h.vault.find("2"); ok || len(said[event.RecordingRetired](h)) != 1 {
		t.Error("a key nothing is under has not been destroyed")
	}
}

// TestRowP4CutOff: what was begun and not ended is ended: a file whose process died is entered, an erasure that a
// power cut stopped is finished, and a file that goes by itself is a breach.
func TestRowP4CutOff(t *testing.T) {
	h := newHouse(t)
	c, r := h.recorded(h.phone("8001"))
	_, err := store.Exec(t.Context(), h.deps.DB, `DELETE FROM voice_recording`)
	must(t, err)
	if b, err := h.checkFiles(t.Context(), h.deps.DB); err != nil || len(b) != 1 {
		t.Errorf("a file without a row: %v, %v", b, err)
	}
	h.adopt(t.Context())
	h.lawful()
	all, err := h.Recordings(t.Context(), c)
	if err != nil || len(all) != 1 || all[0].ID != r.id || all[0].Missing != "" {
		t.Fatalf("entered as %+v, %v", all, err)
	}
	_, err = store.Exec(t.Context(), h.deps.DB, `UPDATE voice_recording SET erased_at = 1`)
	must(t, err)
	must(t, h.finishErasures(t.Context()))
	h.lawful()
	_, err = store.Exec(t.Context(), h.deps.DB, `UPDATE voice_recording SET erased_at = 0, shredded = 0`)
	must(t, err)
	if b, err := h.checkFiles(t.Context(), h.deps.DB); err != nil || len(b) != 1 || b[0].Subject != r.id {
		t.Errorf("a file that is gone: %v, %v", b, err)
	}
}

// TestPain12: both channels are checked for sound after each call, so that a voice lost on the way is seen the same
// day: here the agent's line sends nothing.
func TestPain12(t *testing.T) {
	h := newHouse(t)
	caller, agent, _ := h.talk()
	agent.mu.Lock()
	agent.to = nil
	agent.mu.Unlock()
	time.Sleep(900 * time.Millisecond)
	caller.Request("BYE", "")
	h.has("recording.stored", 1)
	h.ends(contact.ByCaller, contact.Answered)
	got := said[event.RecordingStored](h)
	if len(got) != 1 || got[0].Missing != "agent" || got[0].RightDB > -60 {
		t.Errorf("stored %+v", got)
	}
	if all, err := h.Recordings(t.Context(), h.contact()); err != nil || len(all) != 1 || all[0].Missing != "agent" {
		t.Errorf("the list says %+v, %v", all, err)
	}
	if d, err := h.due(t.Context()); err != nil || d.Silent != 1 {
		t.Errorf("silent: %+v, %v", d, err)
	}
}

// TestRowP4Pause: the agent alone can have the recording stand still; nothing of it is heard, it goes on when the talk
// moves, and the whole is as long as the talk.
func TestRowP4Pause(t *testing.T) {
	h := newHouse(t)
	caller, agent, _ := h.talk()
	h.until("they talk", func() bool { return caller.loud() && agent.loud() })
	ctx, c := t.Context(), h.contact()
	if err := h.PauseRecording(ctx, c, "a2", true); fault.CodeOf(err) != "voice.call.not_yours" {
		t.Errorf("another agent: %v", err)
	}
	must(t, h.PauseRecording(ctx, c, "a1", true))
	must(t, h.PauseRecording(ctx, c, "a1", true)) // twice is once
	time.Sleep(300 * time.Millisecond)
	must(t, h.PauseRecording(ctx, c, "a1", false))
	must(t, h.PauseRecording(ctx, c, "a1", true))
	must(t, h.Transfer(ctx, c, "a1", contact.Target{Kind: contact.ToQueue, Code: "iit"}))
	caller.Request("BYE", "")
	h.ends(contact.ByCaller, contact.Answered)
	h.has("recording.stored", 1)
	if s := h.story(); strings.Count(s, "recording.paused") != 2 || strings.Count(s, "recording.resumed") != 2 {
		t.Error(s)
	}
	if r := said[event.RecordingResumed](h); len(r) != 2 || r[0].Why != "desk" || r[0].Ms < 250 || r[1].Why != "moved" {
		b, _ := json.Marshal(r)
		t.Errorf("resumed %s", b)
	}
}
