package bus_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/platform/bus"
	"github.com/kapok-hotline/kapok/platform/bus/bustest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type call struct {
	ID string `json:"id"`
	N  int    `json:"n"`
}

// next waits for a value that must come.
func next[T any](t *testing.T, c <-chan T) T {
	t.Helper()
	select {
	case v, ok := <-c:
		if !ok {
			t.Fatal("the channel ended")
		}
		return v
	case <-time.After(10 * time.Second):
		t.Fatal("nothing came in 10 s")
	}
	panic("not reached")
}

func TestPublishReachesWhoHears(t *testing.T) {
	b := bustest.New(t)
	got := make(chan string, 100)
	hear := func(pattern string) func() {
		stop, err := bus.On(b, pattern, func(subject string, c call) { got <- fmt.Sprint(pattern, " ", subject, " ", c.N) })
		if err != nil {
			t.Fatal(err)
		}
		return stop
	}
	stop := hear("fact.>")
	hear("fact.contact.*")
	publish := func(subject string, v any) {
		t.Helper()
		if err := b.Publish(subject, v); err != nil {
			t.Fatal(err)
		}
	}
	publish("fact.contact.queued", call{N: 1})
	if a := []string{next(t, got), next(t, got)}; strings.Join(a, "|") != "fact.> fact.contact.queued 1|fact.contact.* fact.contact.queued 1" &&
		strings.Join(a, "|") != "fact.contact.* fact.contact.queued 1|fact.> fact.contact.queued 1" {
		t.Error(a)
	}
	stop()
	publish("fact.agent.ready", call{N: 2})
	publish("fact.contact.ended", "not a call") // logged, left out
	publish("fact.contact.ended", call{N: 3})
	if a := next(t, got); a != "fact.contact.* fact.contact.ended 3" {
		t.Error(a)
	}
	if err := b.Publish("x", func() {}); fault.CodeOf(err) != "bus.message.invalid" {
		t.Error(err)
	}
}

func TestMessagesKeepTheirOrder(t *testing.T) {
	b := bustest.New(t)
	got := make(chan int, 10_000)
	if _, err := bus.On(b, "n", func(_ string, n int) { got <- n }); err != nil {
		t.Fatal(err)
	}
	for i := range 10_000 {
		if err := b.Publish("n", i); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 10_000 {
		if n := next(t, got); n != i {
			t.Fatalf("%d came in place of %d", n, i)
		}
	}
}

func TestAsk(t *testing.T) {
	b := bustest.New(t)
	ctx := t.Context()
	must := func(_ func(), err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(bus.Answer(b, "double", func(_ context.Context, c call) (call, error) { return call{c.ID, 2 * c.N}, nil }))
	must(bus.Answer(b, "refuse", func(context.Context, call) (call, error) {
		return call{}, fmt.Errorf("refuse: %w", fault.New(fault.Conflict, "routing.offer.gone", "agent", "7").At("agent").Because(errors.New("secret")))
	}))
	must(bus.Answer(b, "break", func(context.Context, call) (call, error) { return call{}, errors.New("disk on fire") }))
	must(bus.Answer(b, "panic", func(context.Context, call) (call, error) { panic("no") }))
	must(bus.Answer(b, "slow", func(ctx context.Context, _ call) (call, error) { <-ctx.Done(); return call{}, ctx.Err() }))

	var got call
	if err := b.Ask(ctx, "double", call{"a", 21}, &got); err != nil || got != (call{"a", 42}) {
		t.Error(got, err)
	}
	if err := b.Ask(ctx, "double", call{"a", 21}, nil); err != nil {
		t.Error(err)
	}
	for subject, want := range map[string]*fault.Fault{
		"refuse": fault.New(fault.Conflict, "routing.offer.gone", "agent", "7").At("agent"),
		"break":  fault.New(fault.Internal, "bus.answer.failed", "subject", "break"),
		"panic":  fault.New(fault.Internal, "bus.answer.failed", "subject", "panic"),
		"nobody": fault.New(fault.Unavailable, "bus.subject.unanswered", "subject", "nobody"),
		"slow":   fault.New(fault.Unavailable, "bus.answer.late", "subject", "slow"),
		"a b":    fault.New(fault.Invalid, "bus.subject.invalid", "subject", "a b"),
	} {
		short, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
		err := b.Ask(short, subject, call{}, &got)
		cancel()
		f, ok := errors.AsType[*fault.Fault](err)
		if !ok {
			t.Errorf("%s: %v", subject, err)
			continue
		}
		f.Cause = nil
		if diff := cmp.Diff(want, f); diff != "" {
			t.Errorf("%s: %s", subject, diff)
		}
	}
	if err := b.Ask(ctx, "double", "not a call", &got); fault.KindOf(err) != fault.Invalid {
		t.Error(err)
	}
}

func TestQuestionsAreAnsweredSideBySide(t *testing.T) {
	b := bustest.New(t)
	var inside atomic.Int32
	all := make(chan struct{})
	_, err := bus.Answer(b, "meet", func(ctx context.Context, _ int) (int, error) {
		if inside.Add(1) == 50 {
			close(all)
		}
		select {
		case <-all:
			return 1, nil
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			if err := b.Ask(t.Context(), "meet", 0, nil); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

func TestCloseEndsAnswersUnderWay(t *testing.T) {
	b := bustest.New(t)
	entered, left := make(chan bool, 1), make(chan error, 1)
	if _, err := bus.Answer(b, "wait", func(ctx context.Context, _ int) (int, error) {
		entered <- true
		<-ctx.Done()
		left <- ctx.Err()
		return 0, ctx.Err()
	}); err != nil {
		t.Fatal(err)
	}
	go func() { _ = b.Ask(context.Background(), "wait", 0, nil) }()
	next(t, entered)
	b.Close()
	if err := next(t, left); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if err := b.Publish("x", 1); fault.CodeOf(err) != "bus.closed" {
		t.Error(err)
	}
}
