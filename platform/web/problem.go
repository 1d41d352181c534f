package web

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"github.com/kapok-hotline/kapok/core/fault"
)

// Problem is an error as the client sees it: problem+json (RFC 9457) with the fault's code, field and parameters,
// a sentence in the reader's language, and the id to quote when asking about it.
type Problem struct {
	Type   string         `json:"type" doc:"urn:kapok:fault:<code>"`
	Title  string         `json:"title" doc:"What class of failure it is, in the reader's language"`
	Status int            `json:"status"`
	Code   string         `json:"code" doc:"Stable code, module.thing.what"`
	Field  string         `json:"field,omitempty" doc:"JSON path of the input it concerns"`
	Params map[string]any `json:"params,omitempty"`
	Detail string         `json:"detail" doc:"What happened and what to do, in the reader's language"`
	Log    string         `json:"log" doc:"Quote this when you ask about the error"`
	Errors []Flaw         `json:"errors,omitempty" doc:"Every flaw of the input, when there are several"`
}

// Flaw is one thing wrong with the input.
type Flaw struct {
	Code   string         `json:"code"`
	Field  string         `json:"field,omitempty"`
	Params map[string]any `json:"params,omitempty"`
	Detail string         `json:"detail"`
}

// Error gives the code and the sentence.
func (p *Problem) Error() string { return p.Code + ": " + p.Detail }

// GetStatus makes a Problem an error huma answers with.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType makes huma answer application/problem+json.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

// statusOf maps the kinds of fault; the only place that does.
func statusOf(k fault.Kind) int {
	switch k {
	case fault.Invalid:
		return http.StatusUnprocessableEntity
	case fault.Unauthorised:
		return http.StatusUnauthorized
	case fault.Forbidden:
		return http.StatusForbidden
	case fault.NotFound:
		return http.StatusNotFound
	case fault.Conflict:
		return http.StatusConflict
	case fault.TooMany:
		return http.StatusTooManyRequests
	case fault.Unavailable:
		return http.StatusServiceUnavailable
	case fault.Internal:
		return http.StatusInternalServerError
	}
	return http.StatusInternalServerError
}

// problem makes the answer for err and logs what the reader is not told.
func (s *Server) problem(ctx context.Context, err error) *Problem {
	if p, ok := errors.AsType[*Problem](err); ok {
		return p
	}
	var f *fault.Fault
	var tooBig *http.MaxBytesError
	switch {
	case errors.As(err, &f):
	case errors.As(err, &tooBig):
		f = fault.New(fault.Invalid, "web.body.too_large", "limit", tooBig.Limit)
	case errors.Is(err, context.Canceled):
		f = fault.New(fault.Unavailable, "web.request.cancelled").Because(err)
	case errors.Is(err, context.DeadlineExceeded):
		f = fault.New(fault.Unavailable, "web.request.slow").Because(err)
	case errors.Is(err, fs.ErrNotExist):
		f = fault.New(fault.NotFound, "web.file.missing").Because(err)
	default:
		f = fault.New(fault.Internal, "web.internal.failed").Because(err)
	}
	from := OriginOf(ctx)
	if f.Kind == fault.Internal || f.Cause != nil && f.Kind == fault.Unavailable {
		s.log.ErrorContext(ctx, "request failed", "request", from.Request, "user", string(Principal(ctx).User), "error", err)
	}
	locale := Locale(ctx)
	return &Problem{
		Type:   "urn:kapok:fault:" + f.Code,
		Title:  s.texts.Say(locale, "fault.kind."+string(f.Kind), nil),
		Status: statusOf(f.Kind),
		Code:   f.Code, Field: f.Field, Params: f.Params,
		Detail: s.texts.Say(locale, "fault."+f.Code, f.Params),
		Log:    from.Request,
	}
}

// Fail answers err as problem+json: for raw handlers registered with API.Handle.
func (a *API) Fail(w http.ResponseWriter, r *http.Request, err error) { a.srv.fail(w, r, err) }

func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	p := s.problem(r.Context(), err)
	h := w.Header()
	for _, k := range []string{"Content-Length", "Content-Encoding", "Etag", "Last-Modified"} {
		h.Del(k)
	}
	h.Set("Content-Type", "application/problem+json")
	h.Set("Cache-Control", "no-store")
	if wait, ok := p.Params["seconds"]; ok && p.Status == http.StatusTooManyRequests {
		if b, err := json.Marshal(wait); err == nil {
			h.Set("Retry-After", string(b))
		}
	}
	body, err := json.Marshal(p)
	if err != nil { // a parameter JSON cannot show
		p.Params = nil
		body, _ = json.Marshal(p)
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(p.Status)
	_, _ = w.Write(body)
}

// transform turns huma's own errors (input that breaks the schema) into Problems on their way out.
func (s *Server) transform(ctx huma.Context, _ string, v any) (any, error) {
	model, ok := v.(*huma.ErrorModel)
	if !ok {
		return v, nil
	}
	return s.flaws(ctx.Context(), model), nil
}

// flaws makes a Problem of what huma found wrong with the input.
func (s *Server) flaws(ctx context.Context, model *huma.ErrorModel) *Problem {
	locale := Locale(ctx)
	p := &Problem{Status: model.Status, Log: OriginOf(ctx).Request}
	for _, e := range model.Errors {
		if e == nil {
			continue
		}
		code, field, params := readFlaw(e.Location, e.Message)
		p.Errors = append(p.Errors, Flaw{Code: code, Field: field, Params: params, Detail: s.texts.Say(locale, "fault."+code, params)})
	}
	kind := fault.Invalid
	switch {
	case model.Status == http.StatusRequestEntityTooLarge:
		p.Code = "web.body.too_large"
	case model.Status == http.StatusRequestTimeout:
		p.Code = "web.body.slow"
	case model.Status >= 500:
		kind, p.Code, p.Errors = fault.Internal, "web.internal.failed", nil
		s.log.ErrorContext(ctx, "request failed", "request", p.Log, "error", model.Detail)
	case len(p.Errors) > 0:
		p.Code, p.Field, p.Params = p.Errors[0].Code, p.Errors[0].Field, p.Errors[0].Params
	case model.Detail == "request body is required":
		p.Code, p.Field = "web.input.required", "body"
	default:
		p.Code, p.Params = "web.input.invalid", map[string]any{"reason": model.Detail}
	}
	if len(p.Errors) == 1 {
		p.Errors = nil
	}
	p.Type = "urn:kapok:fault:" + p.Code
	p.Title = s.texts.Say(locale, "fault.kind."+string(kind), nil)
	p.Detail = s.texts.Say(locale, "fault."+p.Code, p.Params)
	return p
}
