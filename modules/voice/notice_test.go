package voice

import (
	"testing"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/id"
)

func TestNotice(t *testing.T) {
	for _, c := range []struct {
		name     string
		settings Settings
		number   Number
		want     id.Prompt
	}{
		{"none", Settings{Recording: true}, Number{}, ""},
		{"the bureau's", Settings{Recording: true, Notice: "recorded"}, Number{}, "recorded"},
		{"the number's own", Settings{Recording: true, Notice: "recorded"}, Number{Notice: "own"}, "own"},
		{"the number's own, the bureau has none", Settings{Recording: true}, Number{Notice: "own"}, "own"},
		{"not at this number", Settings{Recording: true, Notice: "recorded"}, Number{NoNotice: true}, ""},
		{"nobody is recorded", Settings{Notice: "recorded"}, Number{Notice: "own"}, ""},
	} {
		s := &snapshot{settings: c.settings, numbers: map[id.Number]Number{"12366": c.number}}
		if got := s.notice("12366"); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// TestNoticeIsSaidFirst: a caller hears the notice whole, keys or no keys, before anybody is asked for an agent, and
// nothing has been recorded by then.
func TestNoticeIsSaidFirst(t *testing.T) {
	h := newHouse(t, func(s *Settings) { s.Notice = "recorded" })
	clips := h.sounds.clips("zh", []string{"recorded"})
	if len(clips) != 1 {
		t.Fatal("the notice has no sound in zh")
	}
	for _, lang := range []string{"yue", "en"} {
		if len(h.sounds.clips(lang, []string{"recorded"})) != 1 {
			t.Errorf("the notice has no sound in %s", lang)
		}
	}
	c := h.call("12367")
	c.press('1')
	w := h.waits(1)
	h.mu.Lock()
	var began int64
	for _, f := range h.facts {
		switch f.body.(type) {
		case event.ContactStarted:
			began = f.at.UnixMilli()
		case event.RecordingStored:
			t.Error("recorded before the notice")
		}
	}
	h.mu.Unlock()
	if waited, whole := w.At.UnixMilli()-began, clips[0].Duration().Milliseconds(); waited < whole-300 { // the last frames are on their way ahead of their time
		t.Errorf("in the queue after %d ms; the notice takes %d ms", waited, whole)
	}
	c.Request("BYE", "")
	h.ends(contact.ByCaller, contact.Abandoned)
}
