package speech

import (
	"bytes"
	"context"
	"encoding/json"
)

// Say is a text to be spoken.
type Say struct {
	Model string
	Voice string
	Text  string
	Speed float64 // 1: as the voice is made; 0: left to the engine
}

// sayBody is the request of /audio/speech.
type sayBody struct {
	Model  string  `json:"model"`
	Input  string  `json:"input"`
	Voice  string  `json:"voice"`
	Format string  `json:"response_format"`
	Speed  float64 `json:"speed,omitempty"`
}

// Speak has a text spoken and gives a WAV file, as the engine made it.
func (e *Engine) Speak(ctx context.Context, s Say) ([]byte, error) {
	body, err := json.Marshal(sayBody{Model: s.Model, Input: s.Text, Voice: s.Voice, Format: "wav", Speed: s.Speed})
	if err != nil {
		return nil, &Error{Kind: Unknown, Cause: err}
	}
	wav, err := e.send(ctx, "/audio/speech", "application/json", "audio/wav", bytes.NewReader(body), MaxSound)
	if err == nil && (len(wav) < 12 || string(wav[:4]) != "RIFF") {
		return nil, &Error{Kind: Answer, Why: "no WAV: " + words(wav)}
	}
	return wav, err
}
