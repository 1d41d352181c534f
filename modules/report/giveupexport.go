package report

import (
	"bytes"
	"context"
	"encoding/csv"
	"strconv"

	"github.com/xuri/excelize/v2"

	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/modules/report/tally"
	"github.com/kapok-hotline/kapok/platform/web"
)

// giveUpColumns are the figures of a line, by the key of their head.
func giveUpColumns(l *GiveUpLine) []struct {
	key   string
	value int64
	time  bool
} {
	return []struct {
		key   string
		value int64
		time  bool
	}{
		{"gave_up", l.GaveUp, false},
		{"wait", l.WaitMs, true},
		{"median", l.MedianMs, true},
		{"longest", l.LongestMs, true},
		{"back_soon", l.BackSoon, false},
		{"back_day", l.BackDay, false},
		{"back_week", l.BackWeek, false},
		{"back_no", l.BackNo, false},
		{"met_came", l.MetCame, false},
		{"met_called", l.MetCalled, false},
		{"met_no", l.MetNo, false},
		{"unknown", l.Unknown, false},
		{"young", l.Young, false},
	}
}

// giveUpHead gives the heads: of the group, of the figures, of the classes of waits.
func (m *Module) giveUpHead(ctx context.Context, by string, r *GiveUpReport) []string {
	say := func(key string, params map[string]any) string { return m.texts.Say(web.Locale(ctx), key, params) }
	head := []string{say("report.give_up.by_"+by, nil), say("report.export.name", nil)}
	for _, c := range giveUpColumns(&r.Total) {
		head = append(head, say("report.give_up."+c.key, nil))
	}
	for _, e := range r.Edges {
		head = append(head, say("report.give_up.up_to", map[string]any{"s": e / 1000}))
	}
	return append(head, say("report.give_up.above", map[string]any{"s": r.Edges[len(r.Edges)-1] / 1000}))
}

// exportGiveUps writes the report as the screen shows it, then the total.
func (m *Module) exportGiveUps(ctx context.Context, by string, q GiveUpQuery, r *GiveUpReport, format string) (*File, error) {
	name := "kapok-give-ups-" + by + "-" + q.From + "-" + q.To
	total := r.Total
	total.Key, total.Name = m.texts.Say(web.Locale(ctx), "report.export.total", nil), ""
	lines := append(r.Rows[:len(r.Rows):len(r.Rows)], total)
	head := m.giveUpHead(ctx, by, r)
	switch format {
	case "csv":
		body, err := giveUpCSV(head, lines)
		return &File{name + ".csv", "text/csv; charset=utf-8", body}, err
	case "xlsx":
		body, err := giveUpXLSX(head, lines)
		return &File{name + ".xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", body}, err
	}
	return nil, fault.New(fault.Invalid, "report.format.unknown", "format", format).At("format")
}

func giveUpCSV(head []string, lines []GiveUpLine) ([]byte, error) {
	var b bytes.Buffer
	b.WriteString("\uFEFF")
	w := csv.NewWriter(&b)
	w.UseCRLF = true
	if err := w.Write(head); err != nil {
		return nil, err
	}
	for i := range lines {
		l := &lines[i]
		row := []string{harmless(l.Key), harmless(l.Name)}
		for _, c := range giveUpColumns(l) {
			if c.time {
				row = append(row, tally.Duration(c.value))
			} else {
				row = append(row, strconv.FormatInt(c.value, 10))
			}
		}
		for _, n := range l.Waits {
			row = append(row, strconv.FormatInt(n, 10))
		}
		if err := w.Write(row); err != nil {
			return nil, err
		}
	}
	w.Flush()
	return b.Bytes(), w.Error()
}

func giveUpXLSX(head []string, lines []GiveUpLine) (body []byte, err error) {
	f := excelize.NewFile()
	defer func() {
		if cerr := f.Close(); err == nil {
			err = cerr
		}
	}()
	styles, err := newStyles(f)
	if err != nil {
		return nil, err
	}
	w, err := f.NewStreamWriter("Sheet1")
	if err != nil {
		return nil, err
	}
	var first []any
	for _, h := range head {
		first = append(first, excelize.Cell{StyleID: styles.head, Value: h})
	}
	if err := w.SetRow("A1", first); err != nil {
		return nil, err
	}
	for i := range lines {
		row := []any{lines[i].Key, lines[i].Name}
		for _, c := range giveUpColumns(&lines[i]) {
			cell := excelize.Cell{StyleID: styles.count, Value: c.value}
			if c.time {
				cell = excelize.Cell{StyleID: styles.long, Value: float64(tally.Seconds(c.value)) / 86400}
			}
			row = append(row, cell)
		}
		for _, n := range lines[i].Waits {
			row = append(row, excelize.Cell{StyleID: styles.count, Value: n})
		}
		at, err := excelize.CoordinatesToCellName(1, i+2)
		if err != nil {
			return nil, err
		}
		if err := w.SetRow(at, row); err != nil {
			return nil, err
		}
	}
	if err := w.Flush(); err != nil {
		return nil, err
	}
	buf, err := f.WriteToBuffer()
	if err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}
