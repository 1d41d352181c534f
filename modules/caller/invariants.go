package caller

import (
	"context"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/platform/clock"
	"github.com/kapok-hotline/kapok/platform/ledger"
	"github.com/kapok-hotline/kapok/platform/store"
)

// Invariants gives the laws of the rules about callers.
func (m *Module) Invariants() []ledger.Invariant {
	return []ledger.Invariant{
		{Name: "caller.limited", Check: m.checkLimited},
		{Name: "caller.marks", Check: m.checkMarks},
	}
}

// lawDays is how far back the doctor looks.
const lawDays = 31

// limitedCall is a call a rule held for, with what the ledger says of it besides.
type limitedCall struct {
	subject, body, started string
	at                     int64
	queued, ended          int64
	how                    string
}

// checkLimited: who was turned away came to no queue afterwards and ended as turned, so that no rate knows of them;
// who was limited for calling often had spoken with agents as often, nobody was for calls that came to nothing; and no
// rule held where people report in secret.
func (m *Module) checkLimited(ctx context.Context, db *store.DB) ([]ledger.Breach, error) {
	now := m.deps.Clock.Now().UnixMilli()
	day, _ := clock.Local(now-lawDays*dayMs, time.UTC)
	all, err := store.All(ctx, db, `SELECT l.subject, l.body, s.body, l.at,
		(SELECT COUNT(*) FROM ledger_fact q WHERE q.subject = l.subject AND q.kind = 'contact.queued' AND q.seq > l.seq),
		COALESCE((SELECT MAX(e.at) FROM ledger_fact e WHERE e.subject = l.subject AND e.kind = 'contact.ended'), 0),
		COALESCE((SELECT MAX(e.body) FROM ledger_fact e WHERE e.subject = l.subject AND e.kind = 'contact.ended'), '')
		FROM ledger_fact l JOIN ledger_fact s ON s.subject = l.subject AND s.kind = 'contact.started'
		WHERE l.day >= ? AND l.kind = 'contact.limited' ORDER BY l.seq DESC LIMIT 5000`, func(r store.Scanner) (v limitedCall, err error) {
		return v, r.Scan(&v.subject, &v.body, &v.started, &v.at, &v.queued, &v.ended, &v.how)
	}, day)
	if err != nil {
		return nil, err
	}
	var out []ledger.Breach
	often := map[string]bool{}
	for _, v := range all {
		b, s := as[event.ContactLimited](v.body), as[event.ContactStarted](v.started)
		turned := v.how == "" || as[event.ContactEnded](v.how).Outcome == contact.Turned
		if b.Do == contact.LimitMessage && (v.queued > 0 || !turned) || m.secret(s.Number, b.Queue) {
			out = append(out, ledger.Breach{Subject: v.subject})
		} else if b.By == contact.LimitOften {
			often[s.From] = true
		}
	}
	if len(often) == 0 {
		return out, nil
	}
	spoke, err := spokeWith(ctx, db, now, often)
	if err != nil {
		return nil, err
	}
	for _, v := range all {
		b, s := as[event.ContactLimited](v.body), as[event.ContactStarted](v.started)
		if b.By != contact.LimitOften {
			continue
		}
		n := map[string]bool{}
		for _, k := range spoke[s.From] {
			if k.at <= v.at && k.at >= v.at-int64(b.WithinMin)*60_000 {
				n[string(k.contact)] = true
			}
		}
		if len(n) < b.Calls {
			out = append(out, ledger.Breach{Subject: v.subject})
		}
	}
	return out, nil
}

// spokeWith reads from the ledger alone the talks of numbers with agents.
func spokeWith(ctx context.Context, db *store.DB, now int64, numbers map[string]bool) (map[string][]talk, error) {
	day, _ := clock.Local(now-(lawDays+2)*dayMs, time.UTC)
	type row struct {
		talk
		from string
	}
	out := map[string][]talk{}
	return out, store.Each(ctx, db, `SELECT e.subject, e.at, s.body FROM ledger_fact e JOIN ledger_fact s ON s.subject = e.subject AND s.kind = 'contact.started'
		WHERE e.day >= ? AND e.kind = 'contact.ended' AND EXISTS (SELECT 1 FROM ledger_fact a WHERE a.subject = e.subject AND a.kind = 'contact.answered')`,
		func(r store.Scanner) (v row, err error) {
			var body string
			err = r.Scan(&v.contact, &v.at, &body)
			v.from = as[event.ContactStarted](body).From
			return v, err
		}, func(v row) error {
			if numbers[v.from] {
				out[v.from] = append(out[v.from], v.talk)
			}
			return nil
		}, day)
}

// checkMarks: every mark has a reason and an end within a year, and was approved by another than asked for it.
func (m *Module) checkMarks(ctx context.Context, db *store.DB) ([]ledger.Breach, error) {
	marks, err := markTable.Load(ctx, db)
	var out []ledger.Breach
	for _, k := range marks {
		if k.Asked == "" || k.Asked == k.Approved || k.Approved == "" || k.Reason == "" || k.Until-k.From > longest || k.key() == "" {
			out = append(out, ledger.Breach{Subject: k.Code})
		}
	}
	return out, err
}
