package report

import (
	"context"
	"strings"
	"time"

	"github.com/kapok-hotline/kapok/modules/report/tally"
	"github.com/kapok-hotline/kapok/platform/clock"
	"github.com/kapok-hotline/kapok/platform/store"
)

const (
	// markEvery is how far, in milliseconds, the newest fact time may run ahead of the table: it is only there
	// to tell late facts from others after a restart.
	markEvery = 60 * 1000
	// rollAfter is how long after midnight a day's slots are summed up to rows of the whole day.
	rollAfter = 3 * time.Hour
)

// mark notes the newest fact time and rolls the days that are over. Figures of a day are written by slot alone
// while it runs; once it is rolled, a late fact changes its slot and its day. So a live call pays for no row of
// the day, and a report over months reads none of the slots.
func (f *fold) mark(ctx context.Context, tx *store.Tx, m *memory) error {
	if m.high-m.marked < markEvery {
		return nil
	}
	m.marked = m.high
	ended := time.UnixMilli(m.high).Add(-24*time.Hour - rollAfter)
	if day, _ := clock.Local(ended.UnixMilli(), f.zone("")); day > m.rolled {
		for _, text := range f.write.rolls {
			if _, err := store.Exec(ctx, tx, text, m.rolled, day); err != nil {
				return err
			}
		}
		m.rolled = day
	}
	_, err := store.Exec(ctx, tx, `UPDATE report_mark SET high = ?, rolled = ? WHERE id = 1`, m.high, m.rolled)
	return err
}

// rolls gives the statements that sum the slots of the days after the first argument up to the second.
func (s *statements) roll() []string {
	out := []string{}
	for _, t := range s.figures {
		if t.keys[1] != "slot" {
			continue
		}
		sums := make([]string, len(t.columns))
		names := make([]string, len(t.columns))
		for i, c := range t.columns {
			names[i] = c.String()
			sums[i] = "SUM(" + names[i] + ")"
			if c == tally.MaxWaitMs {
				sums[i] = "MAX(" + names[i] + ")"
			}
		}
		out = append(out, rollText(t.name, t.keys, names, sums))
	}
	return append(out, rollText("report_time", []string{"day", "slot", "site", "agent", "state", "reason"},
		[]string{"ms", "times"}, []string{"SUM(ms)", "SUM(times)"}))
}

func rollText(table string, keys, names, sums []string) string {
	rest := strings.Join(keys[2:], ", ")
	return `INSERT INTO ` + table + ` (day, slot, ` + rest + `, ` + strings.Join(names, ", ") + `, restated_at)
		SELECT day, -1, ` + rest + `, ` + strings.Join(sums, ", ") + `, MAX(restated_at) FROM ` + table + `
		WHERE day > ? AND day <= ? AND slot >= 0 GROUP BY day, ` + rest
}
