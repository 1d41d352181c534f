package voice

import (
	"bytes"
	"embed"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/engine/flow"
	"github.com/kapok-hotline/kapok/platform/audio"
)

//go:embed sound
var shipped embed.FS

// longestSound is the longest prompt taken in.
const longestSound = 10 * time.Minute

// Languages a prompt is spoken in; the first is what is played when another is missing.
var languages = []string{"zh", "yue", "en"}

// sounds are the prompts as they are played: shipped ones, replaced by uploads. A sound without a language
// (music, tones) lies at the top.
type sounds struct {
	mu     sync.RWMutex
	loaded map[string]*audio.Clip // "zh/welcome", "music"
	kept   map[string]bool        // of them, those somebody uploaded
	words  map[string]string      // what the shipped ones say
	bound  map[string]wordKey     // prompts the speech engine speaks
	made   func(wordKey) *audio.Clip
}

// loadSounds reads the shipped sounds.
func loadSounds() (*sounds, error) {
	s := &sounds{loaded: map[string]*audio.Clip{}, kept: map[string]bool{}, words: map[string]string{}}
	if err := s.readWords(); err != nil {
		return nil, err
	}
	err := fs.WalkDir(shipped, "sound", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || path.Ext(name) != ".wav" {
			return err
		}
		data, err := shipped.ReadFile(name)
		if err != nil {
			return err
		}
		clip, err := alawClip(name, data)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		key := strings.TrimSuffix(strings.TrimPrefix(name, "sound/"), ".wav")
		s.loaded[key] = clip
		return nil
	})
	return s, err
}

// replace puts an uploaded sound (A-law WAV) in the place of a shipped one.
func (s *sounds) replace(prompt id.Prompt, language, file string) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	clip, err := alawClip(file, data)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.loaded[language+"/"+string(prompt)] = clip
	s.kept[language+"/"+string(prompt)] = true
	return nil
}

// readWords reads what the shipped prompts say: a line each, the code, then the words by language.
func (s *sounds) readWords() error {
	data, err := shipped.ReadFile("sound/texts.tsv")
	if err != nil {
		return err
	}
	for _, line := range strings.Split(string(data), "\n")[1:] {
		f := strings.Split(line, "\t")
		for i, l := range languages {
			if len(f) > i+1 {
				s.words[l+"/"+f[0]] = f[i+1]
			}
		}
	}
	return nil
}

// bind says which prompts the speech engine speaks; made gives a sound that is ready.
func (s *sounds) bind(bound map[string]wordKey, made func(wordKey) *audio.Clip) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bound, s.made = bound, made
}

// wants reports whether a prompt is to be spoken by the engine: nobody has uploaded it, and no shipped sound says the
// same, or the shipped ones are to be spoken anew.
func (s *sounds) wants(prompt id.Prompt, lang, text string, anew bool) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	key := lang + "/" + string(prompt)
	return !s.kept[key] && (anew || s.loaded[key] == nil || s.words[key] != text)
}

// one gives the sound of a prompt in a language: an uploaded one, else a spoken one, else the shipped one.
func (s *sounds) one(key string) *audio.Clip {
	if k, ok := s.bound[key]; ok && !s.kept[key] {
		if c := s.made(k); c != nil {
			return c
		}
	}
	return s.loaded[key]
}

// alawClip takes a WAV file of any shape the audio package can read.
func alawClip(name string, wav []byte) (*audio.Clip, error) {
	return audio.ImportClip(name, bytes.NewReader(wav), longestSound)
}

// clips gives the sounds of prompts in a language; one that is missing is taken from the first language that has
// it, and left out when none has.
func (s *sounds) clips(lang string, prompts []string) []*audio.Clip {
	s.mu.RLock()
	defer s.mu.RUnlock()
	out := make([]*audio.Clip, 0, len(prompts))
	for _, p := range prompts {
		if c := s.find(lang, p); c != nil {
			out = append(out, c)
		}
	}
	return out
}

func (s *sounds) find(lang, prompt string) *audio.Clip {
	if c := s.one(lang + "/" + prompt); c != nil {
		return c
	}
	for _, l := range languages {
		if c := s.one(l + "/" + prompt); c != nil {
			return c
		}
	}
	return s.loaded[prompt]
}

// has says in which languages a prompt has a sound.
func (s *sounds) has(prompt id.Prompt) []string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	out := []string{}
	for _, l := range languages {
		if s.one(l+"/"+string(prompt)) != nil {
			out = append(out, l)
		}
	}
	if s.loaded[string(prompt)] != nil {
		out = append(out, "")
	}
	return out
}

// clip gives one sound for playing it in the page.
func (s *sounds) clip(prompt id.Prompt, language string) (*audio.Clip, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	key := string(prompt)
	if language != "" {
		key = language + "/" + key
	}
	if c := s.one(key); c != nil {
		return c, nil
	}
	return nil, fault.New(fault.NotFound, "voice.sound.none", "prompt", string(prompt), "language", language)
}

// spoken says a value with the shipped digits. Numbers and durations are spoken digit by digit: what is understood
// in every language without a grammar of its own.
func (s *sounds) spoken(lang string, say flow.Say) []*audio.Clip {
	value := say.Value
	if say.What == flow.Duration { // whole minutes, at least one
		if sec, err := strconv.Atoi(value); err == nil {
			value = strconv.Itoa(max((sec+59)/60, 1))
		}
	}
	var prompts []string
	for _, r := range value {
		if r >= '0' && r <= '9' {
			prompts = append(prompts, "digit_"+string(r))
		}
	}
	return s.clips(lang, prompts)
}
