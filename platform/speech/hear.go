package speech

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
	"mime/multipart"
	"net/textproto"
	"strings"
	"unicode/utf8"
)

// Listen is a piece of sound to be written down.
type Listen struct {
	Model    string
	WAV      []byte
	Language string // ISO 639-1, or what the engine calls it (yue); "": it finds out
	Hint     string // words that are likely
}

// Heard is what was made of it.
type Heard struct {
	Text string
	Sure float64 // 0–1; -1: the engine does not say
}

// Transcribe has a piece of sound written down.
func (e *Engine) Transcribe(ctx context.Context, l Listen) (Heard, error) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	fields := [][2]string{{"model", l.Model}, {"language", l.Language}, {"prompt", l.Hint}, {"response_format", "verbose_json"}, {"temperature", "0"}}
	for _, f := range fields {
		if f[1] != "" {
			_ = w.WriteField(f[0], f[1]) // into memory
		}
	}
	part, _ := w.CreatePart(textproto.MIMEHeader{
		"Content-Disposition": {`form-data; name="file"; filename="speech.wav"`}, "Content-Type": {"audio/wav"},
	})
	_, _ = part.Write(l.WAV)
	_ = w.Close()
	data, err := e.send(ctx, "/audio/transcriptions", w.FormDataContentType(), "application/json", &b, MaxText)
	if err != nil {
		return Heard{}, err
	}
	return parseHeard(data)
}

// answer is the verbose_json of /audio/transcriptions; the plain json has the text alone, and of newer models logprobs.
type answer struct {
	Text     *string `json:"text"`
	Segments []struct {
		Start        float64  `json:"start"`
		End          float64  `json:"end"`
		AvgLogprob   *float64 `json:"avg_logprob"`
		NoSpeechProb float64  `json:"no_speech_prob"`
	} `json:"segments"`
	Logprobs []struct {
		Logprob float64 `json:"logprob"`
	} `json:"logprobs"`
}

// parseHeard reads an answer. How sure it is: the mean probability of its tokens, each segment by its length and less
// the probability that it is no speech at all.
func parseHeard(data []byte) (Heard, error) {
	var a answer
	if err := json.Unmarshal(data, &a); err != nil {
		return Heard{}, &Error{Kind: Answer, Why: words(data), Cause: err}
	}
	if a.Text == nil {
		return Heard{}, &Error{Kind: Answer, Why: "no text: " + words(data)}
	}
	h := Heard{Text: cut(strings.ToValidUTF8(strings.TrimSpace(*a.Text), ""), 4096), Sure: -1}
	sum, length := 0.0, 0.0
	for _, s := range a.Segments {
		if s.AvgLogprob == nil {
			continue
		}
		l := math.Max(s.End-s.Start, 0.01)
		sum += l * math.Exp(math.Min(*s.AvgLogprob, 0)) * (1 - math.Min(math.Max(s.NoSpeechProb, 0), 1))
		length += l
	}
	for _, p := range a.Logprobs {
		if length == 0 || len(a.Segments) == 0 {
			sum += math.Exp(math.Min(p.Logprob, 0))
			length++
		}
	}
	if length > 0 {
		h.Sure = sum / length
	}
	if math.IsNaN(h.Sure) || math.IsInf(h.Sure, 0) {
		h.Sure = -1
	}
	return h, nil
}

// words makes an engine's own words fit for a line of log: the message of {"error":{"message":…}}, else the beginning.
func words(body []byte) string {
	var e struct {
		Error struct {
			Message string `json:"message"`
		} `json:"error"`
		Detail string `json:"detail"`
	}
	s := string(body)
	if json.Unmarshal(body, &e) == nil && e.Error.Message+e.Detail != "" {
		s = e.Error.Message + e.Detail
	}
	return cut(strings.Join(strings.Fields(strings.ToValidUTF8(s, "")), " "), maxWhy)
}

// cut shortens s to at most n bytes without breaking a character.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
