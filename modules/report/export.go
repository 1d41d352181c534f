package report

import (
	"bytes"
	"context"
	"encoding/csv"
	"strings"

	"github.com/xuri/excelize/v2"

	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/modules/report/tally"
	"github.com/kapok-hotline/kapok/platform/web"
)

// File is an exported report.
type File struct {
	Name string
	Type string // media type
	Body []byte
}

// Export writes the report as the screen shows it: the same rows, columns and figures to the digit, then the
// total. Format is "csv" (UTF-8 with a byte order mark, as spreadsheets want it) or "xlsx" (numbers stay numbers).
func (m *Module) Export(ctx context.Context, t *Table, format string) (*File, error) {
	name := "kapok-" + string(t.By) + "-" + t.From + "-" + t.To
	switch format {
	case "csv":
		body, err := m.csv(ctx, t)
		return &File{name + ".csv", "text/csv; charset=utf-8", body}, err
	case "xlsx":
		body, err := m.xlsx(ctx, t)
		return &File{name + ".xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", body}, err
	}
	return nil, fault.New(fault.Invalid, "report.format.unknown", "format", format).At("format")
}

// header gives the column heads in the caller's language.
func (m *Module) header(ctx context.Context, t *Table) []string {
	lang := web.Locale(ctx)
	head := []string{
		m.texts.Say(lang, "report.export.slot", nil), m.texts.Say(lang, "report.export.key", nil),
		m.texts.Say(lang, "report.export.name", nil), m.texts.Say(lang, "report.export.restated", nil),
	}
	for _, id := range t.columns() {
		head = append(head, m.texts.Say(lang, "report.measure."+id, nil))
	}
	return head
}

// leads is the number of columns before the measures.
const leads = 4

// lead gives the texts of a row before its measures.
func (m *Module) lead(ctx context.Context, t *Table, r *Row, total bool) []string {
	lang := web.Locale(ctx)
	out := []string{shownSlot(r.Slot), r.Key, m.rowName(ctx, t, r), ""}
	if total {
		out[0] = m.texts.Say(lang, "report.export.total", nil)
		out[2] = ""
	}
	if r.Restated != 0 {
		out[3] = m.texts.Say(lang, "report.export.yes", nil)
	}
	return out
}

// rowName names what the row is about, in the caller's language.
func (m *Module) rowName(ctx context.Context, t *Table, r *Row) string {
	if t.By == ByAll {
		return ""
	}
	if r.Key == "" {
		return m.texts.Say(web.Locale(ctx), "report.row.none", nil)
	}
	return m.spoken(ctx, Kind(t.By), r.Key)
}

func shownSlot(slot string) string { return strings.Replace(slot, "T", " ", 1) }

func (m *Module) csv(ctx context.Context, t *Table) ([]byte, error) {
	var b bytes.Buffer
	b.WriteString("\uFEFF")
	w := csv.NewWriter(&b)
	w.UseCRLF = true
	if err := w.Write(m.header(ctx, t)); err != nil {
		return nil, err
	}
	for i := range len(t.Rows) + 1 {
		r, total := &t.Total, i == len(t.Rows)
		if !total {
			r = &t.Rows[i]
		}
		line := m.lead(ctx, t, r, total)
		for k := range line {
			line[k] = harmless(line[k])
		}
		for _, id := range t.columns() {
			line = append(line, m.shown(id, &r.Sums))
		}
		if err := w.Write(line); err != nil {
			return nil, err
		}
	}
	w.Flush()
	return b.Bytes(), w.Error()
}

// harmless keeps a spreadsheet from taking a name for a formula (OWASP, CSV injection).
func harmless(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}

// sheetStyles are the number formats of a workbook.
type sheetStyles struct{ head, rate, short, long, count int }

func (m *Module) xlsx(ctx context.Context, t *Table) (body []byte, err error) {
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
	const sheet = "Sheet1"
	w, err := f.NewStreamWriter(sheet)
	if err != nil {
		return nil, err
	}
	if err := w.SetPanes(&excelize.Panes{Freeze: true, XSplit: 3, YSplit: 1, TopLeftCell: "D2", ActivePane: "bottomRight"}); err != nil {
		return nil, err
	}
	var head []any
	for _, h := range m.header(ctx, t) {
		head = append(head, excelize.Cell{StyleID: styles.head, Value: h})
	}
	if err := w.SetRow("A1", head); err != nil {
		return nil, err
	}
	for i := range len(t.Rows) + 1 {
		r, total := &t.Total, i == len(t.Rows)
		if !total {
			r = &t.Rows[i]
		}
		var line []any
		for _, s := range m.lead(ctx, t, r, total) {
			line = append(line, s)
		}
		for _, id := range t.columns() {
			line = append(line, m.cell(id, r, styles))
		}
		at, err := excelize.CoordinatesToCellName(1, i+2)
		if err != nil {
			return nil, err
		}
		if err := w.SetRow(at, line); err != nil {
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

// cell gives a measure as a number whose format shows what the screen shows.
func (m *Module) cell(id string, r *Row, s sheetStyles) excelize.Cell {
	measure := m.measures[id]
	v, ok := measure.Value(&r.Sums)
	switch {
	case !ok:
		return excelize.Cell{Value: measure.Format(v, ok)}
	case measure.Unit == tally.Rate:
		return excelize.Cell{StyleID: s.rate, Value: v}
	case measure.Unit == tally.Count:
		return excelize.Cell{StyleID: s.count, Value: int64(v)}
	}
	seconds := tally.Seconds(int64(v))
	style := s.short
	if seconds >= 3600 {
		style = s.long
	}
	return excelize.Cell{StyleID: style, Value: float64(seconds) / 86400}
}

func newStyles(f *excelize.File) (s sheetStyles, err error) {
	for _, want := range []struct {
		id     *int
		format string
	}{{&s.rate, "0.0%"}, {&s.short, "[m]:ss"}, {&s.long, "[h]:mm:ss"}, {&s.count, "0"}} {
		if *want.id, err = f.NewStyle(&excelize.Style{CustomNumFmt: &want.format}); err != nil {
			return s, err
		}
	}
	s.head, err = f.NewStyle(&excelize.Style{Font: &excelize.Font{Bold: true}})
	return s, err
}
