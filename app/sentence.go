package app

import (
	"fmt"
	"log/slog"
	"strings"

	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/platform/web"
)

// say gives a text for the terminal, from those the pages use; "" when there is none.
func say(key string, params map[string]any) string {
	t := web.NewTexts()
	for _, files := range ownTexts() {
		if err := t.Add(files); err != nil {
			return ""
		}
	}
	if !t.Has(language(), key) {
		return ""
	}
	return t.Say(language(), key, params)
}

// terminalTexts makes the sentence of a fault for the terminal.
func terminalTexts(f *fault.Fault) string {
	s := say("fault."+f.Code, f.Params)
	if s == "" {
		return ""
	}
	if f.Cause != nil && !strings.Contains(s, f.Cause.Error()) {
		s += fmt.Sprintf(" (%v)", f.Cause)
	}
	return s
}

// quiet is a log that says nothing: for commands whose answer is their output.
func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }
