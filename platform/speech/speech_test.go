package speech

import (
	"context"
	"encoding/json"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func engine(t *testing.T, f http.HandlerFunc) *Engine {
	t.Helper()
	s := httptest.NewServer(f)
	e, err := New(s.URL+"/v1/", "sesame")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close(); s.CloseClientConnections(); s.Close() })
	return e
}

// Row C4: the requests are those of the published interface, word by word.
func TestRowC4RequestsAreAsPublished(t *testing.T) {
	e := engine(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method != "POST" || r.Header.Get("Authorization") != "Bearer sesame" {
			w.WriteHeader(401)
			return
		}
		switch r.URL.Path {
		case "/v1/audio/speech":
			var b map[string]any
			if json.NewDecoder(r.Body).Decode(&b) != nil || r.Header.Get("Content-Type") != "application/json" ||
				b["model"] != "tts-1" || b["voice"] != "xiaoxiao" || b["input"] != "您好" || b["response_format"] != "wav" || b["speed"] != nil {
				t.Errorf("asked for speech with %v", b)
			}
			_, _ = io.WriteString(w, "RIFF....WAVE")
		case "/v1/audio/transcriptions":
			f, head, err := r.FormFile("file")
			if err != nil {
				t.Error(err)
				return
			}
			data, _ := io.ReadAll(f)
			if string(data) != "RIFFsound" || head.Filename != "speech.wav" || r.FormValue("model") != "whisper-1" || r.FormValue("language") != "yue" ||
				r.FormValue("response_format") != "verbose_json" || r.FormValue("prompt") != "发票 个税" {
				t.Errorf("asked for text with %v and %q", r.MultipartForm.Value, data)
			}
			_, _ = io.WriteString(w, `{"task":"transcribe","language":"cantonese","duration":1.2,"text":" 我想問發票 ","segments":[{"id":0,"start":0,"end":1,"text":"x","avg_logprob":-0.105,"no_speech_prob":0.1},{"start":1,"end":1.5,"avg_logprob":0,"no_speech_prob":0}]}`)
		default:
			t.Errorf("asked %s", r.URL.Path)
		}
	})
	wav, err := e.Speak(t.Context(), Say{Model: "tts-1", Voice: "xiaoxiao", Text: "您好"})
	if err != nil || string(wav) != "RIFF....WAVE" {
		t.Errorf("%q %v", wav, err)
	}
	h, err := e.Transcribe(t.Context(), Listen{Model: "whisper-1", WAV: []byte("RIFFsound"), Language: "yue", Hint: "发票 个税"})
	if want := (0.9*0.9 + 0.5) / 1.5; err != nil || h.Text != "我想問發票" || math.Abs(h.Sure-want) > 0.001 {
		t.Errorf("%+v %v, want %.3f", h, err, want)
	}
}

// Every failure is of one of the kinds, within its time, and quotes the engine.
func TestRowC4FailuresAreNamed(t *testing.T) {
	for _, x := range []struct {
		name   string
		status int
		body   string
		hang   bool
		want   Kind
		why    string
	}{
		{name: "a wrong key", status: 401, body: `{"error":{"message":"Incorrect API key"}}`, want: Refused, why: "Incorrect API key"},
		{name: "no such voice", status: 400, body: `{"error":{"message":"unknown voice"}}`, want: Unknown, why: "unknown voice"},
		{name: "a wrong address", status: 404, body: "404 page not found", want: Unknown, why: "404 page not found"},
		{name: "a redirection is not followed", status: 302, want: Unknown},
		{name: "too much", status: 429, want: Busy},
		{name: "broken", status: 502, body: strings.Repeat("字", 9000), want: Busy},
		{name: "no sound", status: 200, body: `{"text":"?"}`, want: Answer},
		{name: "no answer", hang: true, want: Slow},
	} {
		t.Run(x.name, func(t *testing.T) {
			e := engine(t, func(w http.ResponseWriter, r *http.Request) {
				if x.hang {
					_, _ = io.Copy(io.Discard, r.Body)
					<-r.Context().Done()
					return
				}
				if x.status == 302 {
					w.Header().Set("Location", "http://127.0.0.1:1/")
				}
				w.WriteHeader(x.status)
				_, _ = io.WriteString(w, x.body)
			})
			limit := 5 * time.Second
			if x.hang {
				limit = 50 * time.Millisecond
			}
			ctx, cancel := context.WithTimeout(t.Context(), limit)
			defer cancel()
			_, err := e.Speak(ctx, Say{Text: "您好"})
			if KindOf(err) != x.want || !strings.Contains(err.Error(), x.why) || len(err.Error()) > 500 {
				t.Errorf("%v, want %s", err, x.want)
			}
		})
	}
	e, err := New("http://127.0.0.1:1", "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.Transcribe(t.Context(), Listen{}); KindOf(err) != Unreachable {
		t.Errorf("%v", err)
	}
	for _, base := range []string{"", "host/v1", "ftp://host", "http://", "https://u:p@host", "https://host/v1?x=1"} {
		if _, err := New(base, ""); err == nil {
			t.Errorf("%q was taken", base)
		}
	}
}

func TestAnEndlessSoundIsCutOff(t *testing.T) {
	e := engine(t, func(w http.ResponseWriter, r *http.Request) {
		chunk := make([]byte, 1<<20)
		for range 2 * MaxSound >> 20 {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	})
	if _, err := e.Speak(t.Context(), Say{}); KindOf(err) != Answer {
		t.Error(err)
	}
}

func TestHowSure(t *testing.T) {
	for body, want := range map[string]Heard{
		`{"text":"a"}`: {"a", -1},
		`{"text":"a","segments":[{"avg_logprob":null}]}`:          {"a", -1},
		`{"text":"a","logprobs":[{"logprob":0},{"logprob":-99}]}`: {"a", 0.5},
		`{"text":""}`: {"", -1},
	} {
		if h, err := parseHeard([]byte(body)); err != nil || h.Text != want.Text || math.Abs(h.Sure-want.Sure) > 1e-6 {
			t.Errorf("%s: %+v %v", body, h, err)
		}
	}
}

func FuzzHeard(f *testing.F) {
	f.Add([]byte(`{"text":"a","segments":[{"start":1,"end":0,"avg_logprob":1e308,"no_speech_prob":-5}]}`))
	f.Add([]byte(`{"text":"\xff","logprobs":[{"logprob":-1}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		h, err := parseHeard(data)
		if err == nil && (len(h.Text) > 4096 || h.Sure > 1 || (h.Sure < 0 && h.Sure != -1)) {
			t.Errorf("%+v", h)
		}
		if err != nil && len(words(data)) > maxWhy {
			t.Error("a long story")
		}
	})
}
