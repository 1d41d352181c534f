package voice

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/core/span"
	"github.com/kapok-hotline/kapok/engine/flow"
	"github.com/kapok-hotline/kapok/platform/audio"
	"github.com/kapok-hotline/kapok/platform/section"
	"github.com/kapok-hotline/kapok/platform/speech"
	"github.com/kapok-hotline/kapok/platform/store"
	"github.com/kapok-hotline/kapok/platform/web/webtest"
)

// mimic is a speech engine: each voice is a tone, and tones are what it understands.
type mimic struct {
	*httptest.Server
	mu     sync.Mutex
	spoken []string // voice: text
	heard  []string // language: what was made of it
	hang   bool     // it takes requests and answers none
	speaks bool     // also while it hangs
	sure   float64
}

var (
	mimicVoices = map[string]float64{"xiaoxiao": 500, "hiugaai": 700, "sonia": 900}
	mimicWords  = map[float64]string{400: "我想问一下发票。", 1200: "电脑登录不上,提交报错", 2000: "嗯。"}
)

func newMimic(t *testing.T) *mimic {
	t.Helper()
	e := &mimic{sure: 0.9}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/audio/speech", e.speak)
	mux.HandleFunc("POST /v1/audio/transcriptions", e.transcribe)
	e.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer sesame" {
			http.Error(w, `{"error":{"message":"who are you?"}}`, http.StatusUnauthorized)
			return
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(func() { e.CloseClientConnections(); e.Close() })
	return e
}

func (e *mimic) set(f func()) { e.mu.Lock(); defer e.mu.Unlock(); f() }

func (e *mimic) hangs(w http.ResponseWriter, r *http.Request, unless bool) bool {
	e.mu.Lock()
	hang := e.hang && !unless
	e.mu.Unlock()
	if hang {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	}
	return hang
}

// tone24 is what a voice makes of a text: 24 kHz PCM in a WAV whose header was written before its length was known.
func tone24(voice, text string) []byte {
	n := 24000 * max(40*len([]rune(text)), 400) / 1000
	b := audio.WaveHeader(audio.WavePCM16, 1, 24000, 0xFFFFFFFF-36)
	binary.LittleEndian.PutUint32(b[40:], 0xFFFFFFFF)
	for i := range n {
		b = binary.LittleEndian.AppendUint16(b, uint16(int16(3000*math.Sin(2*math.Pi*mimicVoices[voice]*float64(i)/24000))))
	}
	return b
}

func (e *mimic) speak(w http.ResponseWriter, r *http.Request) {
	e.mu.Lock()
	speaks := e.speaks
	e.mu.Unlock()
	if e.hangs(w, r, speaks) {
		return
	}
	var in struct{ Model, Voice, Input, Response_format string } //nolint:revive // as it is published
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil || in.Model != "tts-1" || in.Response_format != "wav" || mimicVoices[in.Voice] == 0 {
		http.Error(w, `{"error":{"message":"no such voice"}}`, http.StatusBadRequest)
		return
	}
	e.set(func() { e.spoken = append(e.spoken, in.Voice+": "+in.Input) })
	w.Header().Set("Content-Type", "audio/wav")
	_, _ = w.Write(tone24(in.Voice, in.Input))
}

func (e *mimic) transcribe(w http.ResponseWriter, r *http.Request) {
	if e.hangs(w, r, false) {
		return
	}
	f, _, err := r.FormFile("file")
	if err != nil || r.FormValue("model") != "whisper-1" {
		http.Error(w, "no file", http.StatusBadRequest)
		return
	}
	s, err := audio.ReadWAV(f, time.Minute)
	if err != nil || s.Rate != 16000 {
		http.Error(w, fmt.Sprint("no sound at 16 kHz: ", s.Rate, err), http.StatusBadRequest)
		return
	}
	text, best := "", 0.0
	for hz, word := range mimicWords {
		if p := toneIn(s, hz); p > best {
			text, best = word, p
		}
	}
	e.mu.Lock()
	e.heard = append(e.heard, r.FormValue("language")+": "+text)
	sure := e.sure
	e.mu.Unlock()
	_ = json.NewEncoder(w).Encode(map[string]any{
		"task": "transcribe", "text": text,
		"segments": []map[string]any{{"start": 0, "end": 1, "avg_logprob": math.Log(sure), "no_speech_prob": 0}},
	})
}

// toneIn is how much of a tone is in a sound (Goertzel).
func toneIn(s audio.Sound, hz float64) float64 {
	k := 2 * math.Cos(2*math.Pi*hz/float64(s.Rate))
	a, b := 0.0, 0.0
	for _, v := range s.Samples {
		a, b = float64(v)+k*a-b, a
	}
	return a*a + b*b - k*a*b
}

// talkative is a house with a speech engine and the number 12364: say or press.
func talkative(t *testing.T, e *mimic, change func(*Speech), settings ...func(*Settings)) *house {
	t.Helper()
	h := newHouse(t, settings...)
	ctx, db := t.Context(), h.deps.DB
	s := Speech{
		Key: "sesame", Speak: true, Listen: true, SpeakModel: "tts-1", ListenModel: "whisper-1", DeadlineMs: 1500,
		Voices: []Voice{{Language: "zh", Voice: "xiaoxiao"}, {Language: "yue", Voice: "hiugaai", Name: "zh-HK"}},
	}
	if e != nil {
		s.Base = e.URL + "/v1"
	}
	if change != nil {
		change(&s)
	}
	must(t, speechTable.Put(ctx, db, "speech", s))
	for _, p := range []Prompt{
		{Code: "ask", Name: "ask", Text: map[string]string{"zh": "请说出您要办的事", "yue": "请讲出您要办嘅事"}},
		{Code: "keys", Name: "keys", Text: map[string]string{"zh": "发票请按一", "yue": "发票请撳一"}},
	} {
		must(t, promptTable.Put(ctx, db, string(p.Code), p))
	}
	none := 0
	h.flow("talk", "12364", flow.Graph{Code: "talk", Start: "ask", Nodes: []flow.Node{
		{
			ID: "ask", Kind: flow.ListenKind, Prompts: []string{"ask"}, KeysPrompt: "keys", First: span.Span(6 * time.Second), Retries: &none, Timeout: "end", Invalid: "end",
			Keys: []flow.Key{{Key: "1", Words: []string{"发票"}, To: "vat"}, {Key: "2", Words: []string{"个税"}, To: "iit"}},
		},
		{ID: "vat", Kind: flow.QueueKind, Queue: "vat"},
		{ID: "iit", Kind: flow.QueueKind, Queue: "iit"},
		{ID: "end", Kind: flow.HangupKind},
	}})
	return h
}

// flow publishes a graph under a number.
func (h *house) flow(code id.Flow, number id.Number, g flow.Graph) {
	h.t.Helper()
	body, err := json.Marshal(g)
	must(h.t, err)
	ctx := h.t.Context()
	_, err = store.Exec(ctx, h.deps.DB, `INSERT INTO voice_flow (code, version, at, body)
		SELECT ?, COALESCE(MAX(version), 0) + 1, 0, ? FROM voice_flow WHERE code = ?`, string(code), string(body), string(code))
	must(h.t, err)
	must(h.t, numberTable.Put(ctx, h.deps.DB, string(number), Number{Code: number, Site: "gz", Flow: code}))
	must(h.t, h.reload(ctx))
}

// made waits until every text is spoken.
func (h *house) made() {
	h.t.Helper()
	h.until("every text is spoken", func() bool {
		for _, s := range h.maker.states() {
			if s.state != "ready" {
				return false
			}
		}
		return true
	})
}

// earful is a caller who keeps all they hear, and is silent until they say something.
type earful struct {
	*line
	mu   sync.Mutex
	all  []byte
	from int // what has been looked at
}

func (h *house) earful(number string, headers ...string) *earful {
	h.t.Helper()
	e := &earful{line: h.line()}
	e.line.mu.Lock() // its listener runs already
	e.tone = -1
	e.ear = func(a []byte) { e.mu.Lock(); defer e.mu.Unlock(); e.all = append(e.all, a...) }
	e.line.mu.Unlock()
	e.Call = e.NewCall("sip:" + number + "@" + h.sip.Addr("udp").String())
	e.Establish(e.sdp(), headers...)
	e.connect(e.Answer_.Body)
	return e
}

// hears waits for the very samples of sounds, one after the other.
func (e *earful) hears(h *house, what string, clips ...*audio.Clip) {
	h.t.Helper()
	for _, c := range clips {
		sound := bytes.Trim(c.Bytes(), string([]byte{audio.SilenceA}))
		h.until("hearing "+what, func() bool {
			e.mu.Lock()
			defer e.mu.Unlock()
			i := bytes.Index(e.all[e.from:], sound)
			if i >= 0 {
				e.from += i + len(sound)
			}
			return i >= 0
		})
	}
}

// says speaks a tone for a while.
func (e *earful) says(hz float64) {
	set := func(hz float64) { e.line.mu.Lock(); e.tone = hz; e.line.mu.Unlock() }
	time.Sleep(300 * time.Millisecond)
	set(hz)
	time.Sleep(800 * time.Millisecond)
	set(-1)
}

func made(t *testing.T, voice, text string) *audio.Clip {
	t.Helper()
	c, err := spokenClip("want", tone24(voice, text))
	must(t, err)
	return c
}

// Row C4: a caller hears the prompts the engine made, sample by sample, in Mandarin and in Cantonese; what they say
// leads on, or makes the house ask for keys; without the engine everything goes by keys.
func TestRowC4SayOrPress(t *testing.T) {
	ask := map[string]string{"zh": "请说出您要办的事", "yue": "请讲出您要办嘅事"}
	keys := map[string]string{"zh": "发票请按一", "yue": "发票请撳一"}
	voice := map[string]string{"zh": "xiaoxiao", "yue": "hiugaai"}
	for _, x := range []struct {
		name  string
		lang  string
		off   bool    // there is no engine
		hang  bool    // it answers nothing, once the prompts are made
		sure  float64 // 0: 0.9
		says  float64 // 0: nothing
		press byte    // 0: nothing; after what they said
		want  id.Queue
		why   string // of the step that asks for keys
		heard string
	}{
		{name: "said in Mandarin", lang: "zh", says: 400, want: "vat", heard: "zh: 我想问一下发票。"},
		{name: "said in Cantonese", lang: "yue", says: 400, want: "vat", heard: "zh-HK: 我想问一下发票。"},
		{name: "pressed instead", lang: "zh", press: '2', want: "iit"},
		{name: "not understood", lang: "zh", says: 1200, press: '2', want: "iit", why: flow.Unheard, heard: "zh: 电脑登录不上,提交报错"},
		{name: "not sure", lang: "zh", says: 400, sure: 0.2, press: '1', want: "vat", why: flow.Unheard, heard: "zh: 我想问一下发票。"},
		{name: "an engine that hangs", lang: "yue", says: 400, hang: true, press: '1', want: "vat", why: flow.Deaf},
		{name: "no engine", lang: "zh", off: true, press: '1', want: "vat"},
	} {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			e := newMimic(t)
			if x.sure != 0 {
				e.sure = x.sure
			}
			h := talkative(t, e, func(s *Speech) {
				if x.off {
					s.Base = ""
				}
			}, func(s *Settings) { s.Language = x.lang })
			h.made()
			e.set(func() { e.hang = x.hang })
			c := h.earful("12364")
			asked, byKeys := []*audio.Clip{made(t, voice[x.lang], ask[x.lang])}, []*audio.Clip{made(t, voice[x.lang], keys[x.lang])}
			if x.off { // prompts with words and no sound: the shipped ones say which keys there are
				byKeys = h.sounds.clips("zh", []string{promptPressKey, "digit_1", "digit_2"})
				asked = byKeys
			}
			c.hears(h, "the question", asked...)
			if x.says != 0 {
				c.says(x.says)
			}
			if x.why != "" {
				c.hears(h, "the keys", byKeys...)
			}
			if x.press != 0 {
				c.press(x.press)
			}
			h.waits(1)
			if h.queued() != x.want {
				t.Errorf("came to %s, want %s\n%s", h.queued(), x.want, h.story())
			}
			why, said := "", false
			h.mu.Lock()
			for _, f := range h.facts {
				if s, ok := f.body.(event.ContactStepped); ok {
					why, said = why+s.Why, said || s.Said
				}
			}
			h.mu.Unlock()
			if why != x.why || said != (x.press == 0) {
				t.Errorf("steps: %q, said %v", why, said)
			}
			e.set(func() {
				if strings.Join(e.heard, "|") != x.heard {
					t.Errorf("the engine heard %v, want %s", e.heard, x.heard)
				}
			})
			c.Request("BYE", "")
			h.ends(contact.ByCaller, contact.Abandoned)
		})
	}
}

// Row C4 and A6: what a caller says who says none of the words goes to the line, which sorts it.
func TestRowC4WhatWasSaidIsScreened(t *testing.T) {
	e := newMimic(t)
	h := &etax{house: talkative(t, e, nil)}
	h.deps.Queues, h.deps.Callers = h, h
	must(t, screeningTable.Put(t.Context(), h.deps.DB, "etax", Screening{Queue: "etax", Fault: "etax-fault", Operation: "etax-operation", Policy: "etax-policy"}))
	h.flow("talk", "12364", flow.Graph{Code: "talk", Start: "ask", Nodes: []flow.Node{
		{
			ID: "ask", Kind: flow.ListenKind, Prompts: []string{"ask"}, KeysPrompt: "keys", Timeout: "q", Invalid: "q", Heard: "q",
			Keys: []flow.Key{{Key: "1", Words: []string{"发票"}, To: "vat"}},
		},
		{ID: "vat", Kind: flow.QueueKind, Queue: "vat"},
		{ID: "q", Kind: flow.QueueKind, Queue: "etax"},
	}})
	h.made()
	c := h.earful("12364")
	c.hears(h.house, "the question", made(t, "xiaoxiao", "请说出您要办的事"))
	c.says(1200)
	h.waits(1)
	f := newest[event.ContactScreened](h.house)
	if h.queued() != "etax-fault" || len(f.Reasons) == 0 || f.Reasons[0].From == "menu" {
		t.Errorf("came to %s: %+v", h.queued(), f)
	}
	c.Request("BYE", "")
	h.ends(contact.ByCaller, contact.Abandoned)
}

// Row C4: words of a node without prompts are spoken when it is published; what is filled in is spoken when it is
// known; with the engine hanging, or gone, a shipped prompt is heard and the call goes on. Nothing is spoken twice, not
// even by the next process.
func TestRowC4WordsWithoutSound(t *testing.T) {
	e := newMimic(t)
	h := talkative(t, e, nil)
	h.flow("words", "12363", flow.Graph{Code: "words", Start: "a", Nodes: []flow.Node{
		{ID: "a", Kind: flow.PlayKind, Text: "征期到十五日", TextEn: "until the fifteenth", Next: "b"},
		{ID: "b", Kind: flow.PlayKind, Text: "您的号码是{caller}", Next: "q"},
		{ID: "q", Kind: flow.QueueKind, Queue: "vat"},
	}})
	h.made()
	count := func() (n int) { e.set(func() { n = len(e.spoken) }); return n }
	if n := count(); n != 6 { // two prompts and a node, two voices
		e.set(func() { t.Errorf("spoken %d: %v", n, e.spoken) })
	}
	called := func() *earful { return h.earful("12363", "P-Asserted-Identity: <sip:13900000137@carrier.example>") }
	c := called()
	c.hears(h, "the words", made(t, "xiaoxiao", "征期到十五日"), made(t, "xiaoxiao", "您的号码是13900000137"))
	h.waits(1)
	c.Request("BYE", "")
	if files, _ := filepath.Glob(filepath.Join(h.deps.Data, "prompts", "*")); len(files) != 6 {
		t.Errorf("on the disk: %v; what has a caller's number in it stays off it", files)
	}
	e.set(func() { e.hang = true })
	must(t, speechTable.Put(t.Context(), h.deps.DB, "speech", func() Speech { s := h.mouth.Load().Speech; s.Speed = 1.1; return s }()))
	must(t, h.reload(t.Context())) // another speed: other sounds, and the engine hangs
	c = called()
	c.hears(h, "the replacement", h.sounds.clips("zh", []string{promptUnspoken})...)
	h.has("contact.stepped b", 1)
	c.Request("BYE", "")
	must(t, speechTable.Put(t.Context(), h.deps.DB, "speech", func() Speech { s := h.mouth.Load().Speech; s.Speed = 0; return s }()))
	n := count()
	h.maker.mu.Lock()
	clear(h.maker.clips) // as after a restart
	h.maker.mu.Unlock()
	must(t, h.reload(t.Context()))
	h.made()
	if count() != n {
		e.set(func() { t.Errorf("spoken again: %v", e.spoken[n:]) })
	}
}

// What an engine cannot do is said, with what to do about it, and tried again when asked; a caller of a broken engine
// is asked for keys at once.
func TestRowC4StateTestAndSecret(t *testing.T) {
	e := newMimic(t)
	h := talkative(t, e, func(s *Speech) { s.Key = "wrong" })
	book, err := section.New(t.Context(), section.Config{DB: h.deps.DB}, h.Sections()...)
	must(t, err)
	h.deps.Publish = book
	b := webtest.New(t, h.Module)
	must(t, b.Server.Texts().Add(section.Texts()))
	h.until("a refusal", func() bool {
		for _, s := range h.maker.states() {
			if s.state == "failed" {
				return true
			}
		}
		return false
	})
	b.Run(
		webtest.Scenario{Name: "an agent sees none of it", As: "agent", Method: "GET", URL: "/api/v1/voice/speech", Status: 403},
		webtest.Scenario{Name: "why", As: "admin", Method: "GET", URL: "/api/v1/voice/speech", Status: 200, Want: []string{`"failed":`, `"state":"failed"`, "密钥", "who are you?", `"prompt":"ask"`}},
		webtest.Scenario{Name: "a test says so", As: "admin", Method: "POST", URL: "/api/v1/voice/speech/test", Status: 200, Want: []string{`"ok":false`, "密钥"}},
	)
	put := func(body string) {
		t.Helper()
		res, err := book.Put(t.Context(), "speech", "speech", json.RawMessage(body), section.Options{By: "admin"})
		if err != nil || len(res.Problems) > 0 {
			t.Fatal(err, res.Problems)
		}
		must(t, h.reload(t.Context()))
	}
	all := `"speak":true,"listen":true,"speak_model":"tts-1","listen_model":"whisper-1","voices":[{"language":"zh","voice":"xiaoxiao"}]`
	put(`{"base":"` + e.URL + `/v1","key":"sesame",` + all + `}`)
	h.made()
	b.Run(
		webtest.Scenario{Name: "now it works", As: "admin", Method: "POST", URL: "/api/v1/voice/speech/test", Status: 200, Want: []string{`"ok":true`, "xiaoxiao"}},
		webtest.Scenario{Name: "again", As: "admin", Method: "POST", URL: "/api/v1/voice/speech/again", Status: 200, Want: []string{`"failed":0`, `"speak":true`}},
		webtest.Scenario{Name: "the list of prompts", As: "manager", Method: "GET", URL: "/api/v1/voice/prompts", Status: 200, Want: []string{`"code":"ask"`, `"sounds":["zh"]`, `"spoken":`}},
	)
	if file, err := book.Export(t.Context()); err != nil || strings.Contains(string(file), "sesame") {
		t.Errorf("the key is in the export, or %v", err)
	}
	put(`{"base":"` + e.URL + `/v1",` + all + `,"speed":1}`)
	if h.mouth.Load().Key != "sesame" {
		t.Error("a key that is not given again is lost")
	}
	put(`{"base":"http://127.0.0.1:1/v1",` + all + `}`)
	if h.mouth.Load().Key != "" {
		t.Error("the key goes to another address than it was given for")
	}
	for body, want := range map[string]string{
		`{"speak":true,"voices":[{"language":"zh","voice":"x"}]}`: "voice.speech.base",
		`{"base":"ftp://x"}`:                  "voice.speech.base",
		`{"base":"http://x/v1","speak":true}`: "voice.speech.voices",
		`{"base":"http://x/v1","voices":[{"language":"zh","voice":"x"},{"language":"zh","voice":"y"}]}`: "voice.speech.voice_twice",
	} {
		if res, err := book.Put(t.Context(), "speech", "speech", json.RawMessage(body), section.Options{By: "admin"}); err != nil || len(res.Problems) == 0 || res.Problems[0].Code != want {
			t.Errorf("%s: %v %+v", body, err, res.Problems)
		}
	}
}

// An engine that fails time after time is left alone: the next callers are asked for keys without waiting for it.
func TestRowC4BrokenEngineIsLeftAlone(t *testing.T) {
	k := &mouth{}
	now := time.Now()
	for i := range deafAfter {
		if k.noteHearing(now, false) != (i == deafAfter-1) {
			t.Errorf("after %d failures", i+1)
		}
	}
	k.Listen, k.engine = true, &speech.Engine{}
	if k.listens(now) || !k.listens(now.Add(deafFor+time.Second)) {
		t.Error("not left alone for a while")
	}
	if !k.noteHearing(now, false) || k.noteHearing(now, true) || k.noteHearing(now, false) {
		t.Error("one more failure is enough, one success mends it")
	}
}

// Row C4: everything the house itself says is shipped in Mandarin, Cantonese and English.
func TestRowC4ShippedInThreeLanguages(t *testing.T) {
	s, err := loadSounds()
	must(t, err)
	data, err := os.ReadFile("sound/texts.tsv")
	must(t, err)
	lines := strings.Split(strings.TrimSpace(string(data)), "\n")[1:]
	for _, line := range lines {
		code := strings.Split(line, "\t")[0]
		for _, l := range languages {
			c := s.loaded[l+"/"+code]
			if s.words[l+"/"+code] == "" || c == nil || c.Duration() < 300*time.Millisecond || audio.Level(c.Bytes()) < -35 {
				t.Errorf("%s is not spoken in %s", code, l)
			}
		}
	}
	if len(lines) < 40 {
		t.Errorf("%d prompts", len(lines))
	}
}
