package caller

import (
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/ledger/ledgertest"
	"github.com/kapok-hotline/kapok/platform/store"
	"github.com/kapok-hotline/kapok/platform/store/storetest"
)

// thrice lets two talks an hour pass.
func thrice() Rules {
	return Rules{
		Calls: 2, WithinMin: 60, ShortS: 15, Do: contact.LimitLast, Exempt: []string{"0208333"},
		Queues: []id.Queue{"emergency"}, Numbers: []id.Number{"12345"},
	}
}

const spoke = 3 * time.Minute

// Row B8, the other way round: people redial because nobody answers them. Only talks count, however often they try.
func TestRowB8RedialsAreNeverPunished(t *testing.T) {
	for _, x := range []struct {
		name string
		do   func(h *house)
		want int // talks counted
	}{
		{"twenty redials nobody answered", func(h *house) {
			for range 20 {
				h.call(ann, "vat", 0)
			}
		}, 0},
		{"answered once between redials", func(h *house) {
			h.call(ann, "vat", 0)
			h.call(ann, "vat", spoke)
			h.call(ann, "vat", 0)
		}, 1},
		{"answered twice", func(h *house) { h.call(ann, "vat", spoke); h.call(ann, "iit", spoke) }, 2},
		{"the line broke after three seconds", func(h *house) { h.call(ann, "vat", spoke); h.call(ann, "vat", 3*time.Second) }, 1},
		{"given to another agent: one talk", func(h *house) {
			c := string(h.call(ann, "vat", spoke))
			h.fact(c, "1002", event.ContactAnswered{Queue: "iit", Agent: "1002", EnteredAt: 2})
		}, 1},
		{"somebody else", func(h *house) { h.call(bob, "vat", spoke); h.call(bob, "vat", spoke) }, 0},
		{"a tip-off leaves no trace", func(h *house) { h.call(ann, "tipoff", spoke); h.call(ann, "tipoff", spoke) }, 0},
		{"called by us", func(h *house) {
			c := id.New(h.clock.Now())
			h.fact(c, "1001", event.ContactStarted{Medium: contact.Phone, Direction: contact.Out, From: ann, To: ann}, event.ContactAnswered{Agent: "1001"})
			h.clock.Advance(spoke)
			h.fact(c, "", event.ContactEnded{Outcome: contact.Answered})
		}, 0},
	} {
		t.Run(x.name, func(t *testing.T) {
			h := newHouse(t, storetest.SQLite(t), thrice())
			h.run()
			h.call(fixd, "vat", spoke) // so that what follows is known to be counted
			h.counted(fixd, 1)
			x.do(h)
			h.call(fixd, "vat", spoke)
			h.counted(fixd, 2)
			if n := h.talks.since(ann, 0); n != x.want {
				t.Errorf("%d talks are counted, want %d", n, x.want)
			}
			_, held := h.Judge(ann, "12366", "vat", h.clock.Now())
			if held != (x.want >= 2) {
				t.Errorf("limited: %v", held)
			}
		})
	}
}

// The rule about calling often: for whom, where, and how long.
func TestOften(t *testing.T) {
	h := newHouse(t, storetest.SQLite(t), thrice())
	at := morning
	for i, n := range []string{ann, ann, fixd, fixd, fixd} {
		h.talks.add(n, talk2(i, at), 0)
	}
	for _, x := range []struct {
		name   string
		caller string
		number id.Number
		queue  id.Queue
		after  time.Duration
		want   bool
	}{
		{"beyond two talks", ann, "12366", "vat", time.Minute, true},
		{"within the hour", ann, "12366", "vat", 59 * time.Minute, true},
		{"when the hour is over", ann, "12366", "vat", 61 * time.Minute, false},
		{"a switchboard is exempt", fixd, "12366", "vat", time.Minute, false},
		{"an emergency queue is", ann, "12366", "emergency", time.Minute, false},
		{"a number of ours is", ann, "12345", "vat", time.Minute, false},
		{"withheld numbers are nobody's", "", "12366", "vat", time.Minute, false},
		{"who has not spoken with anybody", bob, "12366", "vat", time.Minute, false},
	} {
		l, ok := h.Judge(x.caller, x.number, x.queue, at.Add(x.after))
		if ok != x.want || ok && (l.By != contact.LimitOften || l.Do != contact.LimitLast || l.Calls != 2 || l.Within != 60) {
			t.Errorf("%s: %v %+v", x.name, ok, l)
		}
	}
	h.rule(defaultRules())
	if _, ok := h.Judge(ann, "12366", "vat", at); ok {
		t.Error("there is no rule, and it holds")
	}
}

func talk2(i int, at time.Time) talk { return talk{id.Contact(string(rune(97 + i))), at.UnixMilli()} }

// Marks: whom they are about, from when to when, and which of several holds.
func TestMarks(t *testing.T) {
	day := 24 * time.Hour
	mark := func(code, number, do string, begins bool) Mark {
		return Mark{Code: code, Number: number, Begins: begins, Do: do, Reason: "辱骂", From: morning.UnixMilli(), Until: morning.Add(30 * day).UnixMilli(), Asked: "1001", Approved: "leader1"}
	}
	b := bookOf(thrice(), []Mark{
		mark("a", "13900000137", contact.LimitNotice, false),
		mark("b", "139-0000", contact.LimitLast, true),
		mark("c", "020 8333 0000", contact.LimitMessage, false),
		mark("d", "00852", contact.LimitNotice, true),
	})
	h := &Module{}
	h.rules.Store(b)
	for _, x := range []struct {
		name, caller string
		queue        id.Queue
		after        time.Duration
		want         string
	}{
		{"of two the one that limits more", ann, "vat", time.Hour, "b"},
		{"by its beginning", bob, "vat", time.Hour, "b"},
		{"another beginning", "013911110000", "vat", time.Hour, ""},
		{"a fixed number", fixd, "vat", time.Hour, "c"},
		{"from abroad", "0085221234567", "vat", time.Hour, "d"},
		{"where nobody is limited", ann, "emergency", time.Hour, ""},
		{"before it begins", ann, "vat", -time.Hour, ""},
		{"when it is over", ann, "vat", 30 * day, ""},
		{"withheld", "", "vat", time.Hour, ""},
	} {
		l, ok := h.Judge(x.caller, "12366", x.queue, morning.Add(x.after))
		if ok != (x.want != "") || l.Mark != x.want || ok && l.By != contact.LimitMark {
			t.Errorf("%s: %v %+v", x.name, ok, l)
		}
	}
}

// A call nobody has a rule for costs a read of a pointer, and one with rules no memory.
func TestAPlainCallCostsNothing(t *testing.T) {
	m := New(Deps{})
	if n := testing.AllocsPerRun(100, func() { m.Judge(ann, "12366", "vat", morning) }); n != 0 {
		t.Errorf("%v allocations without a rule", n)
	}
	m.rules.Store(bookOf(thrice(), []Mark{{Code: "a", Number: bob, Until: 1}, {Code: "b", Number: "0139111", Begins: true, Until: 1}}))
	if n := testing.AllocsPerRun(100, func() { m.Judge(ann, "12366", "vat", morning) }); n != 0 {
		t.Errorf("%v allocations with rules", n)
	}
}

// The talks of the rule's time are known again after a restart; secret ones are not.
func TestTalksOutliveTheProcess(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := newHouse(t, db, thrice())
		h.call(ann, "vat", spoke)
		h.clock.Advance(2 * time.Hour)
		h.call(ann, "vat", spoke)
		h.call(ann, "iit", spoke)
		h.call(ann, "tipoff", spoke)
		h.call(ann, "vat", time.Second)
		h.call(ann, "vat", 0)
		h.run()
		h.counted(ann, 2)
		l, ok := h.Judge(ann, "12366", "vat", h.clock.Now())
		if !ok || l.Calls != 2 {
			t.Fatalf("%v %+v", ok, l)
		}
		c := id.New(h.clock.Now())
		h.fact(c, "", event.ContactStarted{Medium: contact.Phone, Direction: contact.In, From: ann, Number: "12366"},
			event.ContactLimited{By: l.By, Do: contact.LimitMessage, Queue: "vat", Calls: l.Calls, WithinMin: l.Within}, event.ContactEnded{Outcome: contact.Turned})
		ledgertest.Holds(t, h.l)
	})
}
