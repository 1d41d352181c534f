package bus

import (
	"context"
	"errors"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/kapok-hotline/kapok/core/fault"
)

// Sentinels, to be found with errors.Is.
var (
	ErrMissing = error(fault.New(fault.NotFound, "bus.key.missing")) // no such key, or it has expired
	ErrChanged = error(fault.New(fault.Conflict, "bus.key.changed")) // somebody else has written the key
	ErrHeld    = error(fault.New(fault.Conflict, "bus.lease.held"))  // somebody else has the lease
)

// told is an error of the server behind a sentinel: errors.Is finds both.
type told struct {
	sentinel error
	cause    error
}

func (t *told) Error() string   { return t.sentinel.Error() + ": " + t.cause.Error() }
func (t *told) Unwrap() []error { return []error{t.sentinel, t.cause} }

// explain maps an error of NATS to a fault; what names the subject, bucket or key it is about.
func explain(err error, what string) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, context.Canceled):
		return err
	case errors.Is(err, nats.ErrNoResponders):
		return fault.New(fault.Unavailable, "bus.subject.unanswered", "subject", what).Because(err)
	case errors.Is(err, context.DeadlineExceeded) || errors.Is(err, nats.ErrTimeout):
		return fault.New(fault.Unavailable, "bus.answer.late", "subject", what).Because(err)
	case errors.Is(err, nats.ErrMaxPayload):
		return fault.New(fault.Invalid, "bus.message.large", "subject", what).Because(err)
	case errors.Is(err, nats.ErrBadSubject) || errors.Is(err, jetstream.ErrInvalidKey):
		return fault.New(fault.Invalid, "bus.subject.invalid", "subject", what).Because(err)
	case errors.Is(err, jetstream.ErrKeyNotFound) || errors.Is(err, jetstream.ErrKeyDeleted):
		return &told{ErrMissing, err}
	case errors.Is(err, jetstream.ErrKeyExists) || errors.Is(err, jetstream.ErrKeyRevisionMismatch) || wrongSequence(err):
		return &told{ErrChanged, err}
	}
	return fault.New(fault.Unavailable, "bus.closed", "subject", what).Because(err)
}

// wrongSequence tells a compare-and-set that lost, whose code differs between one server and a cluster.
func wrongSequence(err error) bool {
	e, ok := errors.AsType[*jetstream.APIError](err)
	return ok && (e.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence ||
		e.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequenceConstant)
}

// check refuses a subject the server would misread: its protocol is made of words and lines.
func check(subject string) error {
	if subject == "" || strings.ContainsAny(subject, " \t\r\n") || strings.HasPrefix(subject, ".") ||
		strings.HasSuffix(subject, ".") || strings.Contains(subject, "..") {
		return fault.New(fault.Invalid, "bus.subject.invalid", "subject", subject)
	}
	return nil
}
