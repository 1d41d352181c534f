package voice

import (
	"context"
	"net/url"
	"time"

	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/speech"
	"github.com/kapok-hotline/kapok/platform/web"
)

func (m *Module) speechRoutes(api *web.API) {
	web.Get(api, "/api/v1/voice/speech", ManagePrompts, "Which words the speech engine has spoken, and which not yet", m.speechState)
	web.Post(api, "/api/v1/voice/speech/again", ManagePrompts, "Try again what could not be spoken", m.speakAgain)
	web.Post(api, "/api/v1/voice/speech/test", ManageSpeech, "Test the speech engine step by step", m.testSpeech)
}

// SpokenView is a text the speech engine speaks: of a prompt, or of a node of a flow that has no prompts.
type SpokenView struct {
	Prompt   id.Prompt `json:"prompt,omitempty"`
	Flow     id.Flow   `json:"flow,omitempty"`
	Node     string    `json:"node,omitempty"`
	Language string    `json:"language"`
	Text     string    `json:"text"`
	State    string    `json:"state" enum:"ready,waiting,failed"`
	Why      string    `json:"why,omitempty" doc:"of what failed, in the reader's language"`
	Detail   string    `json:"detail,omitempty" doc:"in the engine's words"`
}

// SpeechView is how the speech engine and its work are.
type SpeechView struct {
	Engine  string       `json:"engine" doc:"its host; empty: there is none"`
	Speak   bool         `json:"speak"`
	Listen  bool         `json:"listen"`
	Deaf    bool         `json:"deaf" doc:"it failed several times in a row: callers are asked for keys for a while"`
	Ready   int          `json:"ready"`
	Waiting int          `json:"waiting"`
	Failed  int          `json:"failed"`
	Texts   []SpokenView `json:"texts" doc:"what failed first, then what waits, at most 500"`
}

type speechOut struct{ Body SpeechView }

const mostShown = 500

func (m *Module) speechState(ctx context.Context, _ *none) (*speechOut, error) {
	k := m.mouth.Load()
	v := SpeechView{Texts: []SpokenView{}}
	if k != nil && k.engine != nil {
		if u, err := url.Parse(k.Base); err == nil {
			v.Engine = u.Host
		}
		v.Speak, v.Listen = k.Speak, k.Listen
		v.Deaf = k.Listen && !k.listens(m.now())
	}
	by := map[string][]SpokenView{}
	for _, s := range m.maker.states() {
		one := SpokenView{Prompt: s.Prompt, Flow: s.Flow, Node: s.Node, Language: s.Language, Text: s.Text, State: s.state}
		if s.why != nil {
			one.Why, one.Detail = m.sayWhy(ctx, s.why), s.why.Error()
		}
		by[s.state] = append(by[s.state], one)
	}
	v.Ready, v.Waiting, v.Failed = len(by["ready"]), len(by["waiting"]), len(by["failed"])
	for _, state := range []string{"failed", "waiting", "ready"} {
		v.Texts = append(v.Texts, by[state]...)
	}
	v.Texts = v.Texts[:min(len(v.Texts), mostShown)]
	return &speechOut{Body: v}, nil
}

func (m *Module) sayWhy(ctx context.Context, err error) string {
	return m.api.Texts().Say(web.Locale(ctx), "fault."+whyCode(err), map[string]any{"most": longestWords})
}

func (m *Module) speakAgain(ctx context.Context, in *none) (*speechOut, error) {
	m.maker.again()
	return m.speechState(ctx, in)
}

// What a test says, by language: short, and with a word a recogniser knows.
var testWords = map[string]string{"zh": "您好,请问您要咨询什么业务?", "yue": "您好,请问您想咨询咩业务?", "en": "Hello, how may I help you?"} // never written to

const testBound = 15 * time.Second // for each step

// testSpeech has each voice say a sentence and, where the engine listens, write it down again.
func (m *Module) testSpeech(ctx context.Context, _ *none) (*stepsOut, error) {
	out := &stepsOut{Body: []StepView{}}
	say := func(key string) string { return m.api.Texts().Say(web.Locale(ctx), "voice.speech.step."+key, nil) }
	k := m.mouth.Load()
	if k == nil || k.engine == nil {
		out.Body = append(out.Body, StepView{What: say("engine"), Detail: m.api.Texts().Say(web.Locale(ctx), "fault.voice.speech.off", nil)})
		return out, nil
	}
	step := func(what string, do func(context.Context) (string, error)) bool {
		bound, stop := context.WithTimeout(ctx, testBound)
		defer stop()
		began := m.now()
		detail, err := do(bound)
		if err != nil {
			detail = m.sayWhy(ctx, err) + " (" + err.Error() + ")"
		} else {
			detail += " " + m.now().Sub(began).String()
		}
		out.Body = append(out.Body, StepView{What: what, OK: err == nil, Detail: detail})
		return err == nil
	}
	for _, v := range k.Voices {
		var wav []byte
		spoke := !k.Speak || step(say("speak")+" "+v.Language+" "+v.Voice, func(ctx context.Context) (string, error) {
			sound, err := k.engine.Speak(ctx, speech.Say{Model: k.SpeakModel, Voice: v.Voice, Text: testWords[v.Language], Speed: k.Speed})
			if err != nil {
				return "", err
			}
			clip, err := spokenClip("test", sound)
			if err != nil {
				return "", &speech.Error{Kind: speech.Answer, Cause: err}
			}
			wav = speechWAV(clip)
			return clip.Duration().String(), nil
		})
		if !spoke || !k.Listen {
			continue
		}
		if wav == nil {
			clips := m.sounds.clips(v.Language, []string{"bye"})
			if len(clips) == 0 {
				continue
			}
			wav = speechWAV(clips[0])
		}
		step(say("listen")+" "+v.Language, func(ctx context.Context) (string, error) {
			h, err := k.engine.Transcribe(ctx, speech.Listen{Model: k.ListenModel, WAV: wav, Language: k.name(v.Language)})
			return h.Text, err
		})
	}
	return out, nil
}
