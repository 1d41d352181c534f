package voice

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/kapok-hotline/kapok/core/right"
	"github.com/kapok-hotline/kapok/platform/section"
	"github.com/kapok-hotline/kapok/platform/speech"
	"github.com/kapok-hotline/kapok/platform/store"
)

// ManageSpeech is for the speech engine: what callers say goes where its holder points.
const ManageSpeech right.Right = "voice.speech.manage"

// Speech is the speech engine: any that answers POST /audio/speech and /audio/transcriptions as OpenAI published them.
// Without it everything works by recorded prompts and keys.
type Speech struct {
	Base   string `json:"base,omitempty" maxLength:"200" doc:"address of the engine: https://host/v1; empty: there is none"`
	Key    string `json:"key,omitempty" writeOnly:"true" maxLength:"400" doc:"sent as a bearer token"`
	Speak  bool   `json:"speak,omitempty" doc:"prompts and node texts without a sound are spoken by the engine when they are saved"`
	Listen bool   `json:"listen,omitempty" doc:"listen nodes take what callers say; off: they ask for keys"`

	SpeakModel string  `json:"speak_model,omitempty" maxLength:"100" doc:"of the speaking engine, such as tts-1"`
	Voices     []Voice `json:"voices,omitempty" maxItems:"3" doc:"one for each language prompts are made in"`
	Speed      float64 `json:"speed,omitempty" minimum:"0" maximum:"4" doc:"1 is as the voice is made; 0: left to the engine"`
	Anew       bool    `json:"anew,omitempty" doc:"speak the shipped prompts too; uploaded ones always stay"`

	ListenModel string  `json:"listen_model,omitempty" maxLength:"100" doc:"of the listening engine, such as whisper-1"`
	Least       float64 `json:"least,omitempty" minimum:"0" maximum:"1" doc:"an answer less sure than this is not believed, and the caller is asked for a key; 0: 0.4"`
	DeadlineMs  int     `json:"deadline_ms,omitempty" minimum:"0" maximum:"15000" doc:"longest wait for the engine within a call; 0: 4000"`
	LongestS    int     `json:"longest_s,omitempty" minimum:"0" maximum:"20" doc:"longest answer that is listened to, seconds; 0: 8"`
	PauseMs     int     `json:"pause_ms,omitempty" minimum:"0" maximum:"3000" doc:"silence that ends an answer; 0: 700"`
}

// Voice is who speaks a language.
type Voice struct {
	Language string `json:"language" enum:"zh,yue,en"`
	Voice    string `json:"voice" minLength:"1" maxLength:"100" doc:"as the engine calls it"`
	Name     string `json:"name,omitempty" maxLength:"20" doc:"of the language, for the listening engine: zh, yue; empty: its code"`
}

var speechTable = store.Docs[Speech]{Table: "voice_speech"}

func speechSection() section.Section {
	stored := func(ctx context.Context, tx *store.Tx) (Speech, error) {
		all, err := speechTable.Load(ctx, tx)
		if err != nil || len(all) == 0 {
			return Speech{}, err
		}
		return all[0], nil
	}
	return section.Of(section.Spec[Speech]{
		Key: "speech", Order: 80, Right: ManageSpeech, Single: true,
		Load: func(ctx context.Context, tx *store.Tx) ([]Speech, error) {
			s, err := stored(ctx, tx)
			s.Key = ""
			return []Speech{s}, err
		},
		Put: func(ctx context.Context, tx *store.Tx, s Speech) error {
			old, err := stored(ctx, tx)
			if err != nil {
				return err
			}
			if s.Key == "" && s.Base == old.Base { // a key is not sent to another address than it was given for
				s.Key = old.Key
			}
			return speechTable.Put(ctx, tx, "speech", s)
		},
		Secret: func(ctx context.Context, tx *store.Tx, s Speech) (bool, error) {
			old, err := stored(ctx, tx)
			return old.Key == s.Key, err
		},
		Check: checkSpeech,
	})
}

func checkSpeech(_ section.Lookup, s Speech) []section.Problem {
	var out []section.Problem
	if s.Base != "" && speech.CheckBase(s.Base) != nil || s.Base == "" && (s.Speak || s.Listen) {
		out = append(out, section.Complaint("base", "voice.speech.base", "base", s.Base))
	}
	if s.Speak && len(s.Voices) == 0 {
		out = append(out, section.Complaint("voices", "voice.speech.voices"))
	}
	for i, v := range s.Voices {
		if slices.ContainsFunc(s.Voices[:i], func(o Voice) bool { return o.Language == v.Language }) {
			out = append(out, section.Complaint("voices", "voice.speech.voice_twice", "language", v.Language))
		}
	}
	return out
}

// voice gives who speaks a language; "": nobody.
func (s Speech) voice(lang string) string {
	for _, v := range s.Voices {
		if v.Language == lang {
			return v.Voice
		}
	}
	return ""
}

// name gives what the listening engine calls a language.
func (s Speech) name(lang string) string {
	for _, v := range s.Voices {
		if v.Language == lang && v.Name != "" {
			return v.Name
		}
	}
	return lang
}

func (s Speech) least() float64 { return cmp.Or(s.Least, 0.4) }

func (s Speech) deadline() time.Duration {
	return time.Duration(cmp.Or(s.DeadlineMs, 4000)) * time.Millisecond
}

func (s Speech) longest() time.Duration { return time.Duration(cmp.Or(s.LongestS, 8)) * time.Second }

func (s Speech) pause() time.Duration {
	return time.Duration(cmp.Or(s.PauseMs, 700)) * time.Millisecond
}
