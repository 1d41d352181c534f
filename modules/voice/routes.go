package voice

import (
	"context"
	"io"
	"net/http"
	"time"

	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/core/right"
	"github.com/kapok-hotline/kapok/platform/audio"
	"github.com/kapok-hotline/kapok/platform/store"
	"github.com/kapok-hotline/kapok/platform/web"
)

// Routes registers voice's requests: recordings, prompts' sounds, trunks' health and test.
func (m *Module) Routes(api *web.API) {
	m.api = api
	m.recordRoutes(api)
	m.callbackRoutes(api)
	api.Handle("GET /api/v1/recordings/{id}/sound", PlayRecording, http.HandlerFunc(m.sound), web.Audited(), web.Stream())
	web.Get(api, "/api/v1/recordings/{id}/peaks", PlayRecording, "The waveform of a recording", m.peaks)
	web.Get(api, "/api/v1/contacts/{id}/recordings", PlayRecording, "The recordings of a contact", m.recordingsOf)
	web.Get(api, "/api/v1/voice/prompts", ManagePrompts, "Prompts and the languages they have a sound in", m.promptSounds)
	api.Handle("GET /api/v1/voice/prompts/{code}/sound", ManagePrompts, http.HandlerFunc(m.promptSound), web.Stream())
	api.Handle("PUT /api/v1/voice/prompts/{code}/sound", ManagePrompts, http.HandlerFunc(m.putPromptSound), web.MaxBody(maxUpload))
	web.Get(api, "/api/v1/voice/trunks", ManageTrunks, "How the trunks are", m.trunkStates)
	web.Post(api, "/api/v1/voice/trunks/{code}/test", ManageTrunks, "Test a trunk step by step", m.testTrunk)
	web.Get(api, "/api/v1/voice/phones", ManagePhones, "Which phones are registered", m.phoneStates)
	m.flowRoutes(api)
	m.speechRoutes(api)
	api.Handle("GET /sip", right.Own, m.sip.WebSocket(), web.Stream())
}

const maxUpload = 32 << 20

// RecordingView is a recording as lists show it. Levels are dBFS; -127 is silence.
type RecordingView struct {
	ID      string `json:"id"`
	At      int64  `json:"at"`
	Ms      int64  `json:"ms"`
	LeftDB  int    `json:"left_db"`
	RightDB int    `json:"right_db"`
	Missing string `json:"missing,omitempty" doc:"the side that was not heard: caller, agent, both"`
	Held    string `json:"held,omitempty" doc:"why it is under a legal hold"`
	Erased  int64  `json:"erased_at,omitempty" doc:"unix ms; it is gone, and the timeline has the proof"`
}

type onID struct {
	ID string `path:"id"`
}

type recordingsOut struct{ Body []RecordingView }

func (m *Module) recordingsOf(ctx context.Context, in *onID) (*recordingsOut, error) {
	all, err := m.Recordings(ctx, id.Contact(in.ID))
	return &recordingsOut{Body: all}, err
}

// Recordings gives the recordings of a contact, oldest first.
func (m *Module) Recordings(ctx context.Context, c id.Contact) ([]RecordingView, error) {
	return store.All(ctx, m.deps.DB, `SELECT id, at, ms, left_db, right_db, missing, held_why, erased_at FROM voice_recording WHERE contact = ? ORDER BY at`,
		func(r store.Scanner) (v RecordingView, err error) {
			return v, r.Scan(&v.ID, &v.At, &v.Ms, &v.LeftDB, &v.RightDB, &v.Missing, &v.Held, &v.Erased)
		}, string(c))
}

// open opens a recording the caller may hear: of a site they hold the right at.
func (m *Module) open(ctx context.Context, recording string) (*audio.Recording, io.Closer, error) {
	r, err := m.fileOf(ctx, recording)
	if err != nil {
		return nil, nil, err
	}
	if err := web.May(ctx, PlayRecording, id.Site(r.place)); err != nil {
		return nil, nil, err
	}
	if err := m.maySecret(ctx, recording, id.Site(r.place)); err != nil {
		return nil, nil, err
	}
	return m.openRow(ctx, r)
}

// sound streams a recording as WAV; any part can be asked for (Range), and every look is in the audit.
func (m *Module) sound(w http.ResponseWriter, r *http.Request) {
	rec, file, err := m.open(r.Context(), r.PathValue("id"))
	if err != nil {
		m.api.Fail(w, r, err)
		return
	}
	defer file.Close() //nolint:errcheck // only read
	w.Header().Set("Content-Type", "audio/wav")
	http.ServeContent(w, r, "", time.Time{}, rec.WAV())
}

// stream is sound for a row whose hearer's right has been asked for.
func (m *Module) stream(w http.ResponseWriter, r *http.Request, row fileRow) {
	rec, file, err := m.openRow(r.Context(), row)
	if err != nil {
		m.api.Fail(w, r, err)
		return
	}
	defer file.Close() //nolint:errcheck // only read
	w.Header().Set("Content-Type", "audio/wav")
	http.ServeContent(w, r, "", time.Time{}, rec.WAV())
}

type peaksOut struct {
	Body struct {
		StepMs int64 `json:"step_ms"`
		Left   []int `json:"left"`
		Right  []int `json:"right"`
	}
}

func (m *Module) peaks(ctx context.Context, in *onID) (*peaksOut, error) {
	rec, file, err := m.open(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	defer file.Close() //nolint:errcheck // only read
	sum := rec.Summary()
	if !sum.Complete {
		if sum, err = rec.Scan(); err != nil {
			return nil, err
		}
	}
	out := &peaksOut{}
	out.Body.StepMs, out.Body.Left, out.Body.Right = sum.Step.Milliseconds(), ints(sum.Left.Peaks), ints(sum.Right.Peaks)
	return out, nil
}

func ints(b []byte) []int {
	out := make([]int, len(b))
	for i, v := range b {
		out[i] = int(v)
	}
	return out
}

type promptsOut struct{ Body []PromptView }

// PromptView is a prompt with the languages it has a sound in; "" is a sound without words.
type PromptView struct {
	Prompt
	Sounds []string          `json:"sounds"`
	Spoken map[string]string `json:"spoken,omitempty" doc:"by language, what the speech engine speaks: ready, waiting, failed"`
}

func (m *Module) promptSounds(context.Context, *none) (*promptsOut, error) {
	out := &promptsOut{Body: []PromptView{}}
	s := m.snap.Load()
	spoken := map[id.Prompt]map[string]string{}
	for _, w := range m.maker.states() {
		if w.Prompt != "" {
			if spoken[w.Prompt] == nil {
				spoken[w.Prompt] = map[string]string{}
			}
			spoken[w.Prompt][w.Language] = w.state
		}
	}
	for _, code := range sortedKeys(s.prompts) {
		out.Body = append(out.Body, PromptView{Prompt: s.prompts[code], Sounds: m.sounds.has(code), Spoken: spoken[code]})
	}
	return out, nil
}

type none struct{}

func (m *Module) promptSound(w http.ResponseWriter, r *http.Request) {
	clip, err := m.sounds.clip(id.Prompt(r.PathValue("code")), r.URL.Query().Get("language"))
	if err != nil {
		m.api.Fail(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "audio/wav")
	if err := audio.WriteWAV(w, clip); err != nil {
		m.deps.Log.Debug("a prompt was not heard to its end", "err", err)
	}
}

// putPromptSound takes a WAV file for a prompt in a language.
func (m *Module) putPromptSound(w http.ResponseWriter, r *http.Request) {
	code, language := id.Prompt(r.PathValue("code")), r.URL.Query().Get("language")
	if _, ok := m.snap.Load().prompts[code]; !ok {
		m.api.Fail(w, r, fault.New(fault.NotFound, "voice.prompt.none", "prompt", string(code)))
		return
	}
	if !knownLanguage(language) {
		m.api.Fail(w, r, fault.New(fault.Invalid, "voice.sound.language", "language", language).At("language"))
		return
	}
	wav, err := io.ReadAll(r.Body)
	if err != nil {
		m.api.Fail(w, r, fault.New(fault.Invalid, "voice.sound.large").Because(err))
		return
	}
	if _, err := alawClip(string(code), wav); err != nil {
		m.api.Fail(w, r, fault.New(fault.Invalid, "voice.sound.format").Because(err))
		return
	}
	if err := m.keepSound(r.Context(), code, language, wav); err != nil {
		m.api.Fail(w, r, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func knownLanguage(l string) bool {
	for _, known := range languages {
		if l == known {
			return true
		}
	}
	return false
}
