package bus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/kapok-hotline/kapok/core/fault"
)

const (
	askWait       = 5 * time.Second // where the asker's context has no deadline
	answersAtOnce = 256             // of one Answer in this process; more wait
	waitHeader    = "Kapok-Wait"    // milliseconds the asker still waits
	faultHeader   = "Kapok-Fault"   // the answer is a fault
)

// wireFault is a fault as it travels: without its cause, of which the log of the answering node tells.
type wireFault struct {
	Kind   fault.Kind     `json:"kind"`
	Code   string         `json:"code"`
	Field  string         `json:"field,omitempty"`
	Params map[string]any `json:"params,omitempty"`
}

// Ask puts req as JSON to one of those who Answer subject and reads the answer into resp (nil: it is dropped).
// It waits as long as ctx allows, 5 s where ctx has no deadline. The answerer's fault comes back with kind,
// code, field and parameters; nobody there is bus.subject.unanswered, nobody in time bus.answer.late, both
// Unavailable.
func (b *Bus) Ask(ctx context.Context, subject string, req, resp any) error {
	data, err := json.Marshal(req)
	if err != nil {
		return fault.New(fault.Internal, "bus.message.invalid", "subject", subject).Because(err)
	}
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, askWait)
		defer cancel()
	}
	if err := check(subject); err != nil {
		return err
	}
	m := nats.NewMsg(subject)
	m.Data = data
	if end, ok := ctx.Deadline(); ok {
		m.Header.Set(waitHeader, strconv.FormatInt(end.Sub(b.clock.Now()).Milliseconds(), 10))
	}
	answer, err := b.conn.RequestMsgWithContext(ctx, m)
	if err != nil {
		return explain(err, subject)
	}
	if answer.Header.Get(faultHeader) != "" {
		return readFault(answer.Data, subject)
	}
	if resp == nil {
		return nil
	}
	if err := json.Unmarshal(answer.Data, resp); err != nil {
		return fault.New(fault.Internal, "bus.message.invalid", "subject", subject).Because(err)
	}
	return nil
}

func readFault(data []byte, subject string) error {
	var w wireFault
	if err := json.Unmarshal(data, &w); err != nil {
		return fault.New(fault.Internal, "bus.message.invalid", "subject", subject).Because(err)
	}
	return &fault.Fault{Kind: w.Kind, Code: w.Code, Field: w.Field, Params: w.Params}
}

// Answer answers what is asked under subject. Where several processes answer the same subject each question
// goes to one of them, the asker's own where it is among them. Questions are answered side by side; f's ctx ends
// when the asker stops waiting or the bus closes. An error of f that is no fault, and a panic, reach the asker
// as the Internal fault bus.answer.failed and the log in full.
func Answer[Req, Resp any](b *Bus, subject string, f func(ctx context.Context, req Req) (Resp, error)) (stop func(), err error) {
	if err := check(subject); err != nil {
		return nil, err
	}
	room := make(chan struct{}, answersAtOnce)
	sub, err := b.conn.QueueSubscribe(subject, "answer", func(m *nats.Msg) {
		select {
		case room <- struct{}{}:
		case <-b.life.Done():
			return
		}
		b.run(func() {
			defer func() { <-room }()
			b.answer(m, func(ctx context.Context) (any, error) {
				var req Req
				if err := json.Unmarshal(m.Data, &req); err != nil {
					return nil, fault.New(fault.Invalid, "bus.message.invalid", "subject", m.Subject).Because(err)
				}
				return f(ctx, req)
			})
		})
	})
	if err != nil {
		return nil, explain(err, subject)
	}
	if err := b.conn.Flush(); err != nil {
		return nil, explain(err, subject)
	}
	return func() { _ = sub.Unsubscribe() }, nil
}

func (b *Bus) answer(m *nats.Msg, f func(context.Context) (any, error)) {
	wait := askWait
	if ms, err := strconv.ParseInt(m.Header.Get(waitHeader), 10, 64); err == nil {
		wait = time.Duration(ms) * time.Millisecond
	}
	ctx, cancel := context.WithTimeout(b.life, wait)
	defer cancel()
	reply := nats.NewMsg(m.Reply)
	v, err := guard(ctx, f)
	if err == nil {
		reply.Data, err = json.Marshal(v)
	}
	if err != nil {
		reply.Header.Set(faultHeader, "1")
		reply.Data = b.wire(err, m.Subject)
	}
	if err := b.conn.PublishMsg(reply); err != nil && b.life.Err() == nil {
		b.log.Warn("an answer is lost", slog.String("subject", m.Subject), slog.Any("error", err))
	}
}

// guard turns a panic of f into an error: one bad question must not end the calls of a whole process.
func guard(ctx context.Context, f func(context.Context) (any, error)) (v any, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return f(ctx)
}

func (b *Bus) wire(err error, subject string) []byte {
	f, ok := errors.AsType[*fault.Fault](err)
	switch {
	case ok:
	case errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded): // nobody waits any more
		f, ok = fault.New(fault.Unavailable, "bus.answer.late", "subject", subject), true
	default:
		f = fault.New(fault.Internal, "bus.answer.failed", "subject", subject)
	}
	if !ok || f.Kind == fault.Internal {
		b.log.Error("a question could not be answered", slog.String("subject", subject), slog.Any("error", err))
	}
	data, merr := json.Marshal(wireFault{f.Kind, f.Code, f.Field, f.Params})
	if merr != nil { // parameters that are no JSON
		data, _ = json.Marshal(wireFault{Kind: f.Kind, Code: f.Code, Field: f.Field})
	}
	return data
}
