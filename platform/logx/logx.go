// Package logx sets up log/slog for a process: text or JSON, with the contact, the agent and the node of the
// context in every line.
package logx

import (
	"context"
	"io"
	"log/slog"

	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/core/logkey"
)

// New gives a logger that writes to w lines of at least the level, each with the node ("" leaves it out) and
// with what its context carries: see With.
func New(w io.Writer, level slog.Leveler, json bool, node id.Node) *slog.Logger {
	options := &slog.HandlerOptions{Level: level}
	var h slog.Handler = slog.NewTextHandler(w, options)
	if json {
		h = slog.NewJSONHandler(w, options)
	}
	if node != "" {
		h = h.WithAttrs([]slog.Attr{slog.String(logkey.Node, string(node))})
	}
	return slog.New(&handler{base: h, full: h})
}

type contextKey struct{}

// With gives a context whose log lines carry the attributes, besides those it carries already; one with the
// same key takes the other's place.
func With(ctx context.Context, attrs ...slog.Attr) context.Context {
	var all []slog.Attr
	for _, a := range carried(ctx) {
		if !has(attrs, a.Key) {
			all = append(all, a)
		}
	}
	return context.WithValue(ctx, contextKey{}, append(all, attrs...))
}

// Contact gives a context whose log lines carry the contact.
func Contact(ctx context.Context, contact id.Contact) context.Context {
	return With(ctx, slog.String(logkey.Contact, string(contact)))
}

// Agent gives a context whose log lines carry the agent.
func Agent(ctx context.Context, agent id.User) context.Context {
	return With(ctx, slog.String(logkey.Agent, string(agent)))
}

func carried(ctx context.Context) []slog.Attr {
	attrs, _ := ctx.Value(contextKey{}).([]slog.Attr)
	return attrs
}

func has(attrs []slog.Attr, key string) bool {
	for _, a := range attrs {
		if a.Key == key {
			return true
		}
	}
	return false
}

// handler adds the attributes of the context at the top level, whatever groups the logger has opened: a search
// for a contact is the same in every line. full is base with the logger's own groups and attributes, which
// have to come after; steps make it again where there is something to add.
type handler struct {
	base  slog.Handler
	full  slog.Handler
	steps []func(slog.Handler) slog.Handler
}

// Enabled is slog.Handler.
func (h *handler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.base.Enabled(ctx, level)
}

// Handle is slog.Handler. What the line says itself wins over what its context says.
func (h *handler) Handle(ctx context.Context, r slog.Record) error {
	attrs := carried(ctx)
	if len(attrs) == 0 {
		return h.full.Handle(ctx, r)
	}
	own := map[string]bool{}
	r.Attrs(func(a slog.Attr) bool {
		own[a.Key] = true
		return true
	})
	add := make([]slog.Attr, 0, len(attrs))
	for _, a := range attrs {
		if !own[a.Key] {
			add = append(add, a)
		}
	}
	to := h.base.WithAttrs(add)
	for _, step := range h.steps {
		to = step(to)
	}
	return to.Handle(ctx, r)
}

// WithAttrs is slog.Handler.
func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return h.with(func(to slog.Handler) slog.Handler { return to.WithAttrs(attrs) })
}

// WithGroup is slog.Handler.
func (h *handler) WithGroup(name string) slog.Handler {
	return h.with(func(to slog.Handler) slog.Handler { return to.WithGroup(name) })
}

func (h *handler) with(step func(slog.Handler) slog.Handler) *handler {
	steps := append(h.steps[:len(h.steps):len(h.steps)], step)
	return &handler{base: h.base, full: step(h.full), steps: steps}
}
