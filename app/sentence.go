package app

import (
	"fmt"
	"log/slog"
	"strings"

	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/platform/web"
)

// terminalTexts makes the sentence of a fault for the terminal, from the texts the pages use.
func terminalTexts(f *fault.Fault) string {
	t := web.NewTexts()
	for _, files := range ownTexts() {
		if err := t.Add(files); err != nil {
			return ""
		}
	}
	s := t.Say(language(), "fault."+f.Code, f.Params)
	if !t.Has(language(), "fault."+f.Code) {
		return ""
	}
	if f.Cause != nil && !strings.Contains(s, f.Cause.Error()) {
		s += fmt.Sprintf(" (%v)", f.Cause)
	}
	return s
}

// quiet is a log that says nothing: for commands whose answer is their output.
func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }
