// Package fault is the one shape of an error that a person may read. Modules return faults; platform/web
// maps each Kind to an HTTP status once and makes the sentence from the Code in the reader's language.
package fault

import (
	"errors"
	"fmt"
)

// Kind says what class of failure it is, and so what the asker can do about it.
type Kind string

// The kinds, with the HTTP status each is mapped to.
const (
	Invalid      Kind = "invalid"      // 422: the input breaks a rule; correct it
	Unauthorised Kind = "unauthorised" // 401: sign in
	Forbidden    Kind = "forbidden"    // 403: ask for the right
	NotFound     Kind = "not_found"    // 404
	Conflict     Kind = "conflict"     // 409: somebody else changed it, or the state does not allow it
	TooMany      Kind = "too_many"     // 429: wait and try again
	Unavailable  Kind = "unavailable"  // 503: a part is not running; try again
	Internal     Kind = "internal"     // 500: our mistake; quote the log id
)

// Fault is an error with a stable code (`<module>.<thing>.<what>`), the field it concerns (a JSON path, may be
// empty) and parameters for the sentence. Cause is for the log, never for the reader.
type Fault struct {
	Kind   Kind
	Code   string
	Field  string
	Params map[string]any
	Cause  error
}

// Error gives the code and the cause: for logs.
func (f *Fault) Error() string {
	s := f.Code
	if f.Field != "" {
		s += " (" + f.Field + ")"
	}
	if len(f.Params) > 0 {
		s += fmt.Sprintf(" %v", f.Params)
	}
	if f.Cause != nil {
		s += ": " + f.Cause.Error()
	}
	return s
}

// Unwrap gives the cause.
func (f *Fault) Unwrap() error { return f.Cause }

// New makes a fault of the kind with the code; params come as name, value pairs.
func New(kind Kind, code string, params ...any) *Fault {
	f := &Fault{Kind: kind, Code: code}
	for i := 0; i+1 < len(params); i += 2 {
		if f.Params == nil {
			f.Params = map[string]any{}
		}
		f.Params[fmt.Sprint(params[i])] = params[i+1]
	}
	return f
}

// At names the field the fault concerns.
func (f *Fault) At(field string) *Fault {
	f.Field = field
	return f
}

// Because attaches the cause.
func (f *Fault) Because(err error) *Fault {
	f.Cause = err
	return f
}

// KindOf returns the kind of the first fault in err's chain, Internal when there is none and "" for nil.
func KindOf(err error) Kind {
	if err == nil {
		return ""
	}
	if f, ok := errors.AsType[*Fault](err); ok {
		return f.Kind
	}
	return Internal
}

// CodeOf returns the code of the first fault in err's chain, "" when there is none.
func CodeOf(err error) string {
	if f, ok := errors.AsType[*Fault](err); ok {
		return f.Code
	}
	return ""
}
