package voice

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/platform/audio"
	"github.com/kapok-hotline/kapok/platform/speech"
)

// Bounds of what is spoken.
const (
	longestWords = 1000             // characters of one text
	mostWords    = 3000             // texts that are kept ready
	mostPassing  = 64               // texts with variables, kept in memory alone
	makeBound    = time.Minute      // for one text, when nobody waits for it
	againFirst   = 30 * time.Second // a text that failed is tried again after this, then after twice as long …
	againLast    = 15 * time.Minute // … at most
	spokenPeak   = 0.5              // of full scale: as loud as the shipped prompts
)

// wordKey names a spoken text: by whom, in which language, what.
type wordKey string

// maker has texts spoken by the speech engine and keeps the sounds, named after what they say and who says it, below
// the data folder: nothing is spoken twice, and a change of the voice speaks everything anew.
type maker struct {
	m    *Module
	wake chan struct{}

	mu      sync.Mutex
	wanted  []*wanted
	by      map[wordKey]*wanted
	clips   map[wordKey]*audio.Clip
	passing map[wordKey]*audio.Clip
	doing   map[wordKey]chan struct{}
	last    *mouth // whose texts are planned
	stop    func() // gives up what is being made for nobody in particular
}

// wanted is a text that is to be ready before a caller hears it.
type wanted struct {
	wanting
	key    wordKey
	why    error
	failed int
	next   time.Time // not before
}

func newMaker(m *Module) *maker {
	return &maker{
		m: m, wake: make(chan struct{}, 1), by: map[wordKey]*wanted{}, clips: map[wordKey]*audio.Clip{},
		passing: map[wordKey]*audio.Clip{}, doing: map[wordKey]chan struct{}{}, stop: func() {},
	}
}

// keyOf names a text as the engine of now would speak it.
func (k *mouth) keyOf(lang, text string) wordKey {
	h := sha256.New()
	for _, s := range []string{k.Base, k.SpeakModel, k.voice(lang), fmt.Sprint(k.Speed), lang, text} {
		_, _ = fmt.Fprintf(h, "%d:%s,", len(s), s)
	}
	return wordKey(hex.EncodeToString(h.Sum(nil)[:16]))
}

func (w *maker) file(k wordKey) string {
	return filepath.Join(w.m.deps.Data, "prompts", "made-"+string(k)+".wav")
}

// spoken gives the sound of a text that is ready; nil: it is not.
func (w *maker) spoken(lang, text string) *audio.Clip {
	m := w.m.mouth.Load()
	if m == nil || text == "" {
		return nil
	}
	k := m.keyOf(m.tongue(lang, text), text)
	w.mu.Lock()
	defer w.mu.Unlock()
	if c := w.clips[k]; c != nil {
		return c
	}
	return w.passing[k]
}

// speak has a text spoken now, unless somebody else is at it: then it waits for that.
func (w *maker) speak(ctx context.Context, lang, text string) (*audio.Clip, error) {
	k := w.m.mouth.Load()
	if k.speaks() {
		lang = k.tongue(lang, text)
	}
	if !k.speaks() || k.voice(lang) == "" {
		return nil, fault.New(fault.Unavailable, "voice.speech.off", "language", lang)
	}
	if utf8.RuneCountInString(text) > longestWords {
		return nil, fault.New(fault.Invalid, "voice.speech.long", "most", longestWords)
	}
	key := k.keyOf(lang, text)
	for {
		if c := w.spoken(lang, text); c != nil {
			return c, nil
		}
		done, mine := w.claim(key)
		if mine {
			defer w.release(key)
			return w.make(ctx, k, key, lang, text)
		}
		select {
		case <-done:
			if w.spoken(lang, text) == nil {
				return nil, fault.New(fault.Unavailable, "voice.speech.failed", "language", lang)
			}
		case <-ctx.Done():
			return nil, &speech.Error{Kind: speech.Slow, Cause: ctx.Err()}
		}
	}
}

func (w *maker) claim(k wordKey) (done chan struct{}, mine bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if done = w.doing[k]; done != nil {
		return done, false
	}
	w.doing[k] = make(chan struct{})
	return nil, true
}

func (w *maker) release(k wordKey) {
	w.mu.Lock()
	defer w.mu.Unlock()
	close(w.doing[k])
	delete(w.doing, k)
}

// make takes a sound from the disk, or has the engine make it. What nobody planned (words with a caller's own figures)
// goes to no disk.
func (w *maker) make(ctx context.Context, k *mouth, key wordKey, lang, text string) (*audio.Clip, error) {
	w.mu.Lock()
	planned := w.by[key] != nil
	w.mu.Unlock()
	if planned {
		if data, err := os.ReadFile(w.file(key)); err == nil {
			if clip, err := alawClip(string(key), data); err == nil {
				w.keep(key, clip, planned)
				return clip, nil
			}
		}
	}
	wav, err := k.engine.Speak(ctx, speech.Say{Model: k.SpeakModel, Voice: k.voice(lang), Text: text, Speed: k.Speed})
	if err != nil {
		return nil, err
	}
	clip, err := spokenClip(string(key), wav)
	if err != nil {
		return nil, &speech.Error{Kind: speech.Answer, Cause: err}
	}
	if planned {
		if err := w.store(key, clip); err != nil {
			return nil, err
		}
	}
	w.keep(key, clip, planned)
	return clip, nil
}

func (w *maker) keep(key wordKey, clip *audio.Clip, planned bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if planned {
		w.clips[key] = clip
		return
	}
	if len(w.passing) >= mostPassing {
		clear(w.passing)
	}
	w.passing[key] = clip
}

// store writes a sound so that it is there whole or not at all.
func (w *maker) store(key wordKey, clip *audio.Clip) error {
	var b bytes.Buffer
	if err := audio.WriteWAV(&b, clip); err != nil {
		return err
	}
	file := w.file(key)
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(file+".new", b.Bytes(), 0o600); err != nil {
		return err
	}
	return os.Rename(file+".new", file)
}

// spokenClip makes a clip of what an engine made: 8 kHz A-law, as loud as the shipped prompts.
func spokenClip(name string, wav []byte) (*audio.Clip, error) {
	s, err := audio.ReadWAV(bytes.NewReader(wav), longestSound)
	if err != nil {
		return nil, err
	}
	pcm := audio.Resample(s, audio.Rate).Samples
	peak := 1.0
	for _, v := range pcm {
		peak = math.Max(peak, math.Abs(float64(v)))
	}
	if peak < 33 { // −60 dBFS
		return nil, errors.New("there is no sound in it")
	}
	gain := math.Min(spokenPeak*32767/peak, 16)
	for i, v := range pcm {
		pcm[i] = int16(float64(v) * gain)
	}
	b := make([]byte, len(pcm))
	audio.Encode(b, pcm, audio.PCMA)
	return audio.NewClip(name, b), nil
}

// forever is a failure that trying again does not mend.
func forever(err error) bool {
	return fault.KindOf(err) == fault.Invalid || speech.KindOf(err) == speech.Refused || speech.KindOf(err) == speech.Unknown
}

// whyCode is the text of a failure.
func whyCode(err error) string {
	if k := speech.KindOf(err); k != "" {
		return "voice.speech." + string(k)
	}
	if code := fault.CodeOf(err); strings.HasPrefix(code, "voice.") {
		return code
	}
	return "voice.speech.failed"
}
