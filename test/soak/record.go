package main

import (
	"context"
	"database/sql"
	"path/filepath"
	"time"

	_ "modernc.org/sqlite" // the house's own file, only read
)

// read opens the house's records for reading, beside the house.
func read(data string) (*sql.DB, error) {
	db, err := sql.Open("sqlite", "file:"+filepath.Join(data, "kapok.db")+"?mode=ro&_pragma=busy_timeout(10000)")
	if err == nil {
		db.SetMaxOpenConns(2)
	}
	return db, err
}

// count answers a question with one number; -1 when it cannot be asked.
func (p *plan) count(ctx context.Context, query string, args ...any) int {
	n := -1
	if err := p.db.QueryRowContext(ctx, query, args...).Scan(&n); err != nil && ctx.Err() == nil {
		p.say("%v: %s", err, query)
	}
	return n
}

// eventually asks until it is so, at most so long.
func eventually(ctx context.Context, d time.Duration, f func() bool) bool {
	for end := time.Now().Add(d); ; {
		if f() {
			return true
		}
		select {
		case <-time.After(300 * time.Millisecond):
		case <-ctx.Done():
			return false
		}
		if time.Now().After(end) {
			return false
		}
	}
}

// promised says whether a number is, or was, promised a call.
func (p *plan) promised(ctx context.Context, number string) bool {
	return eventually(ctx, 3*time.Second, func() bool {
		return p.count(ctx, `SELECT COUNT(*) FROM voice_callback WHERE number = ?`, "0"+number) > 0
	})
}

// answered says whether somebody has talked with an agent.
func (p *plan) answered(ctx context.Context, number string) bool {
	return eventually(ctx, 2*time.Second, func() bool {
		return p.count(ctx, `SELECT COUNT(*) FROM report_visit v JOIN report_contact c ON c.contact = v.contact WHERE c.sender = ? AND v.answers > 0`, "0"+number) > 0
	})
}

// ended says how the promise to somebody who called in has ended: "" when their call took its place.
func (p *plan) ended(ctx context.Context, number string) (why string) {
	eventually(ctx, 5*time.Second, func() bool {
		why = "the promise is still open"
		state := ""
		_ = p.db.QueryRowContext(ctx, `SELECT state FROM voice_callback WHERE number = ?`, "0"+number).Scan(&state) // no row: still open
		switch state {
		case "", "open":
			return false
		case "came_back":
			why = ""
		default:
			why = "was called first: " + state
		}
		return true
	})
	return why
}

// third says whether the third call of a number was put before others and answered.
func (p *plan) third(ctx context.Context, number string) (why string) {
	eventually(ctx, 5*time.Second, func() bool {
		rows, err := p.db.QueryContext(ctx, `SELECT contact, outcome FROM report_contact WHERE sender = ? ORDER BY started_at`, "0"+number)
		if err != nil {
			why = err.Error()
			return true
		}
		defer rows.Close() //nolint:errcheck // only read
		var all [][2]string
		for rows.Next() {
			var r [2]string
			if err := rows.Scan(&r[0], &r[1]); err != nil {
				why = err.Error()
				return true
			}
			all = append(all, r)
		}
		if err := rows.Err(); err != nil {
			why = err.Error()
			return true
		}
		for i, r := range all {
			switch {
			case r[1] == "" || r[1] == "open":
				why = "is still open"
				return false
			case r[1] == "failed":
				why = "met the power cut"
				return true
			case i < 2 && r[1] == "answered":
				why = "was answered sooner"
				return true
			}
		}
		if len(all) < 3 {
			why = "has not called three times"
			return false
		}
		why = all[2][1]
		if why != "answered" {
			return true
		}
		why = "answered without priority"
		if p.count(ctx, `SELECT COUNT(*) FROM ledger_fact WHERE subject = ? AND kind = 'contact.offered'
			AND json_extract(body, '$.trace.key') < json_extract(body, '$.entered_at')`, all[2][0]) > 0 {
			why = ""
		}
		return true
	})
	return why
}
