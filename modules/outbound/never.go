package outbound

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/core/phone"
	"github.com/kapok-hotline/kapok/platform/store"
)

// NeverCalled is a number that is not called.
type NeverCalled struct {
	Number string  `json:"number" doc:"masked"`
	ID     string  `json:"id"`
	Reason string  `json:"reason"`
	Until  int64   `json:"until" doc:"unix ms; 0: for good"`
	At     int64   `json:"at"`
	By     id.User `json:"by"`
}

// never says whether a number is not to be called now.
func (m *Module) never(ctx context.Context, q store.Querier, number string, now time.Time) (bool, error) {
	n, err := store.One(ctx, q, `SELECT COUNT(*) FROM outbound_never WHERE number = ? AND (until_at = 0 OR until_at > ?)`, store.Col[int], number, now.UnixMilli())
	return n > 0, err
}

// forbid puts a number on the list of those not called; given again the later word holds.
func forbid(ctx context.Context, q store.Querier, number, reason string, until int64, by id.User, now time.Time) error {
	_, err := store.Exec(ctx, q, `INSERT INTO outbound_never (number, id, reason, until_at, at, by_user) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (number) DO UPDATE SET reason = excluded.reason, until_at = excluded.until_at, at = excluded.at, by_user = excluded.by_user`,
		number, id.New(now), reason, until, now.UnixMilli(), string(by))
	return err
}

// readNumber reads a number as people write it; the fault says what it is instead.
func (m *Module) readNumber(raw string, site id.Site) (string, error) {
	area := "020"
	if m.deps.Area != nil {
		if a := m.deps.Area(site); a != "" {
			area = a
		}
	}
	n := phone.Parse(strings.TrimSpace(raw), area)
	switch n.Kind {
	case phone.Withheld:
		return "", fault.New(fault.Invalid, "outbound.number.none")
	case phone.Mobile, phone.Fixed, phone.TollFree, phone.Foreign:
		return n.National, nil
	}
	return "", fault.New(fault.Invalid, "outbound.number.wrong", "number", raw)
}

// neverRows makes the rows of a table into numbers not to be called: number, reason, until (a day).
func (m *Module) neverRows(rows [][]string, site id.Site) ([]NeverCalled, []TableFlaw) {
	head, flaws := m.columns(rows[0])
	var out []NeverCalled
	for i, row := range rows[1:] {
		c := cells(head, row)
		if c.empty {
			continue
		}
		number, err := m.readNumber(c.number, site)
		if err != nil {
			flaws = append(flaws, flawOf(i+2, err))
			continue
		}
		n := NeverCalled{Number: number, Reason: cut(c.note, 200)}
		if c.until != "" {
			at, err := dayOf(c.until, m.zone(site))
			if err != nil {
				flaws = append(flaws, TableFlaw{Line: i + 2, Code: "outbound.until.wrong", Params: map[string]any{"text": c.until}})
				continue
			}
			n.Until = at
		}
		out = append(out, n)
	}
	return out, flaws
}

// dayOf reads 2026-12-31, or the number a spreadsheet keeps a day as, as the end of that day.
func dayOf(text string, zone *time.Location) (int64, error) {
	text = strings.NewReplacer("/", "-", ".", "-").Replace(strings.TrimSpace(text))
	day, err := time.ParseInLocation("2006-1-2", text, zone)
	if err != nil {
		n, nerr := strconv.Atoi(text)
		if nerr != nil || n < 20_000 || n > 100_000 {
			return 0, err
		}
		day = time.Date(1899, 12, 30+n, 0, 0, 0, 0, zone) // the first day of spreadsheets, ISO/IEC 29500-1 §18.17.4.1
	}
	return day.AddDate(0, 0, 1).UnixMilli(), nil
}
