package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// settle waits, with the agents still there, until no contact is open, nobody is to be called back and no call lives.
func (p *plan) settle(ctx context.Context) error {
	left := ""
	if !eventually(ctx, settling, func() bool {
		open, err := p.stillOpen(ctx)
		left = ""
		if err != nil {
			left += err.Error()
		}
		if open > 0 {
			left += fmt.Sprintf("%d contacts are still open; ", open)
		}
		for meter, what := range map[string]string{"kapok_calls": "calls live", "kapok_media_legs": "media legs are open", "kapok_callbacks_open": "people are to be called back"} {
			if n, err := p.h.Meter(meter); err != nil {
				left += err.Error()
			} else if n > 0 {
				left += fmt.Sprintf("%.0f %s; ", n, what)
			}
		}
		return left == ""
	}) {
		return fmt.Errorf("%v after the last caller: %s", settling, left)
	}
	return nil
}

// stillOpen counts the contacts that have not ended.
func (p *plan) stillOpen(ctx context.Context) (int, error) {
	var list struct {
		Items []struct{ ID string } `json:"items"`
	}
	err := p.leader.Get(ctx, "/contacts?outcome=open&limit=500", &list)
	return len(list.Items), err
}

// clean is what must be so at the end: a question to the records and the only good answer.
var clean = []struct {
	what, query string
}{
	{"open contacts", `SELECT COUNT(*) FROM report_contact WHERE ended_at = 0`},
	{"promises without their end", `SELECT (SELECT COUNT(*) FROM ledger_fact WHERE kind = 'callback.asked') - (SELECT COUNT(*) FROM ledger_fact WHERE kind = 'callback.ended')`},
	{"promises kept twice", `SELECT COUNT(*) FROM (SELECT subject FROM ledger_fact WHERE kind = 'callback.reached' GROUP BY json_extract(body, '$.callback') HAVING COUNT(*) > 1)`},
	{"promises in the book", `SELECT COUNT(*) FROM voice_callback WHERE state = 'open'`},
	{"recordings of no contact", `SELECT COUNT(*) FROM voice_recording WHERE contact NOT IN (SELECT contact FROM report_contact)`},
}

// happened is what the mix has to bring about, seen in the records.
var happened = []struct {
	what, query string
}{
	{"taken by a ring around the queue", `SELECT COUNT(*) FROM ledger_fact WHERE kind = 'contact.answered' AND json_extract(body, '$.queue') = 'th'`},
	{"turned away by a full queue", `SELECT COUNT(*) FROM ledger_fact WHERE kind = 'contact.exited' AND json_extract(body, '$.why') = 'full'`},
	{"called back and reached", `SELECT COUNT(*) FROM ledger_fact WHERE kind = 'callback.reached'`},
	{"lost in the power cut", `SELECT COUNT(*) FROM ledger_fact WHERE kind = 'contact.lost'`},
	{"reminded of a hold", `SELECT COUNT(*) FROM ledger_fact WHERE kind = 'leg.recalled'`},
	{"recorded", `SELECT COUNT(*) FROM voice_recording`},
}

// verdict looks at what is left when all have gone home, and asks the doctor.
func (p *plan) verdict(ctx context.Context, s *street, w *people, r *robots, began time.Time) error {
	var wrong []string
	for _, c := range clean {
		if n := p.count(ctx, c.query); n != 0 {
			wrong = append(wrong, fmt.Sprintf("%d %s", n, c.what))
		}
	}
	var seen []string
	for _, h := range happened {
		n := p.count(ctx, h.query)
		seen = append(seen, fmt.Sprintf("%s %d", h.what, n))
		if n <= 0 && (p.kill || h.what != "lost in the power cut") {
			wrong = append(wrong, "nobody was "+h.what)
		}
	}
	if err := r.leave(ctx); err != nil {
		wrong = append(wrong, err.Error())
	}
	if n := p.tally.idle(); len(n) > 0 {
		wrong = append(wrong, "never done: "+strings.Join(n, ", "))
	}
	if n := w.extra.Load(); n > 0 {
		wrong = append(wrong, fmt.Sprintf("%d people were called back twice at once", n))
	}
	wrong = append(wrong, p.leaks(ctx)...)
	out, err := p.h.Run(ctx, nil, "doctor")
	var table strings.Builder
	p.tally.print(&table)
	p.say("%s", table.String())
	p.say("sipp: %s", s)
	p.say("in the records: %s", strings.Join(seen, ", "))
	p.say("at rest: %s", p.picture(ctx))
	p.say("%d calls at %d/s in %.0f s; doctor: %s", p.calls, p.rate, time.Since(began).Seconds(), out)
	if err != nil {
		wrong = append(wrong, err.Error())
	}
	if len(wrong) > 0 {
		return errors.New(strings.Join(wrong, "\n"))
	}
	return nil
}

// leaks compares what the process holds with what it held before the first call; connections close in their own time.
func (p *plan) leaks(ctx context.Context) (wrong []string) {
	const slack = 2*128 + 2*240 + 100 // two crews keep 128 goroutines each, 240 pairs of media ports stay warm; connections of these robots
	var n float64
	if !eventually(ctx, time.Minute, func() bool {
		var err error
		n, err = p.h.Meter("kapok_goroutines")
		return err == nil && n <= p.base+slack
	}) {
		wrong = append(wrong, fmt.Sprintf("%.0f goroutines at rest, %.0f before the first call", n, p.base))
	}
	return wrong
}
