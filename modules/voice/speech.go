package voice

import (
	"context"
	"reflect"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/kapok-hotline/kapok/platform/speech"
)

// A listening engine that failed so often in a row is left alone for a while: callers are asked for keys at once
// instead of waiting for it one by one.
const (
	deafAfter = 3
	deafFor   = 30 * time.Second
)

// mouth is the speech engine as it is configured, with how it has been lately. A change of the configuration replaces
// it whole; calls keep what they hold.
type mouth struct {
	Speech
	engine *speech.Engine // nil: there is none

	mu     sync.Mutex
	failed int
	until  time.Time // it is left alone
}

// loadSpeech reads the engine; the old one stays where nothing has changed.
func (m *Module) loadSpeech(ctx context.Context) error {
	all, err := speechTable.Load(ctx, m.deps.DB)
	if err != nil {
		return err
	}
	var s Speech
	if len(all) > 0 {
		s = all[0]
	}
	old := m.mouth.Load()
	if old != nil && reflect.DeepEqual(s, old.Speech) {
		return nil
	}
	next := &mouth{Speech: s}
	if s.Base != "" && (s.Speak || s.Listen) {
		if next.engine, err = speech.New(s.Base, s.Key); err != nil {
			m.deps.Log.Error("there is no speech engine", "err", err) // the check lets none such in
		}
	}
	if m.mouth.Swap(next); old != nil && old.engine != nil {
		old.engine.Close()
	}
	return nil
}

// tongue gives the language a text is spoken in: the one asked for, or the first that has a voice. What is written in
// Chinese is not given to an English voice.
func (k *mouth) tongue(lang, text string) string {
	if lang == "en" && strings.ContainsFunc(text, func(r rune) bool { return unicode.Is(unicode.Han, r) }) {
		lang = "zh"
	}
	for _, l := range append([]string{lang}, languages...) {
		if k.voice(l) != "" {
			return l
		}
	}
	return lang
}

// speaks reports whether texts can be spoken.
func (k *mouth) speaks() bool { return k != nil && k.engine != nil && k.Speak }

// listens reports whether speech can be turned into text now.
func (k *mouth) listens(now time.Time) bool {
	if k == nil || k.engine == nil || !k.Listen {
		return false
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	return now.After(k.until)
}

// noteHearing keeps how the listening engine has been; true: it is left alone from now on.
func (k *mouth) noteHearing(now time.Time, ok bool) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if ok {
		k.failed = 0
		return false
	}
	if k.failed++; k.failed < deafAfter {
		return false
	}
	k.failed, k.until = deafAfter-1, now.Add(deafFor) // one more failure after that, and it is left alone again
	return true
}
