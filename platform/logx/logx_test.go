package logx

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
	"testing/slogtest"

	"github.com/google/go-cmp/cmp"
)

func TestLines(t *testing.T) {
	ctx := Agent(Contact(t.Context(), "C1"), "A1")
	for _, c := range []struct {
		name string
		log  func(*slog.Logger)
		want string
	}{
		{"no context", func(l *slog.Logger) { l.Info("up", "x", 1) }, `level=INFO msg=up node=n1 x=1`},
		{"the context's", func(l *slog.Logger) { l.InfoContext(ctx, "rings", "x", 1) }, `level=INFO msg=rings node=n1 contact=C1 agent=A1 x=1`},
		{"a newer agent", func(l *slog.Logger) { l.InfoContext(Agent(ctx, "A2"), "rings") }, `level=INFO msg=rings node=n1 contact=C1 agent=A2`},
		{"the line's own wins", func(l *slog.Logger) { l.InfoContext(ctx, "rings", "agent", "A3") }, `level=INFO msg=rings node=n1 contact=C1 agent=A3`},
		{"groups do not hide it", func(l *slog.Logger) { l.With("a", 1).WithGroup("sip").With("b", 2).InfoContext(ctx, "rings", "c", 3) }, `level=INFO msg=rings node=n1 contact=C1 agent=A1 a=1 sip.b=2 sip.c=3`},
		{"below the level", func(l *slog.Logger) { l.DebugContext(ctx, "detail") }, ``},
	} {
		var out bytes.Buffer
		c.log(New(&out, slog.LevelInfo, false, "n1"))
		got := strings.TrimSpace(out.String())
		if at := strings.Index(got, "level="); at > 0 {
			got = got[at:]
		}
		if got != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", c.name, got, c.want)
		}
	}
}

func TestJSON(t *testing.T) {
	var out bytes.Buffer
	New(&out, slog.LevelDebug, true, "").DebugContext(Contact(context.Background(), "C1"), "rings", "x", 1)
	var got map[string]any
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	delete(got, "time")
	if diff := cmp.Diff(map[string]any{"level": "DEBUG", "msg": "rings", "contact": "C1", "x": 1.0}, got); diff != "" {
		t.Error(diff)
	}
}

func TestHandlerKeepsSlogsRules(t *testing.T) {
	var out bytes.Buffer
	slogtest.Run(t, func(*testing.T) slog.Handler {
		out.Reset()
		return New(&out, slog.LevelDebug, true, "").Handler()
	}, func(t *testing.T) map[string]any {
		var got map[string]any
		if err := json.Unmarshal(out.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		return got
	})
}
