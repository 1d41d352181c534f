package report

import (
	"bytes"
	"context"
	"encoding/csv"
	"net/url"
	"strconv"

	"github.com/xuri/excelize/v2"

	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/modules/report/tally"
	"github.com/kapok-hotline/kapok/platform/web"
)

// sheet is a small table on its way to a file: what the screen shows, row by row, the total last.
type sheet struct {
	name string // of the file, without its ending
	head []string
	rows [][]sheetCell
}

// sheetCell is a text, a count, a rate, a time or a sum of money; a nil figure is shown as nothing to divide by.
type sheetCell struct {
	text  string
	kind  sheetKind
	value float64
	none  bool
}

type sheetKind uint8

const (
	cellText sheetKind = iota
	cellCount
	cellRate  // 0..1
	cellTime  // ms
	cellFixed // two decimals
)

func textCell(s string) sheetCell { return sheetCell{text: s} }

func countCell(n int64) sheetCell { return sheetCell{kind: cellCount, value: float64(n)} }

func timeCell(ms int64) sheetCell { return sheetCell{kind: cellTime, value: float64(ms)} }

func numberCell(kind sheetKind, v *float64) sheetCell {
	if v == nil {
		return sheetCell{kind: kind, none: true}
	}
	return sheetCell{kind: kind, value: *v}
}

// shown is the cell as the screen has it.
func (c sheetCell) shown() string {
	switch {
	case c.kind == cellText:
		return harmless(c.text)
	case c.none:
		return "–"
	case c.kind == cellCount:
		return strconv.FormatInt(int64(c.value), 10)
	case c.kind == cellRate:
		return strconv.FormatFloat(c.value*100, 'f', 1, 64) + "%"
	case c.kind == cellTime:
		s := tally.Seconds(int64(c.value))
		if s >= 3600 {
			return strconv.FormatInt(s/3600, 10) + ":" + two(s/60%60) + ":" + two(s%60)
		}
		return strconv.FormatInt(s/60, 10) + ":" + two(s%60)
	}
	return strconv.FormatFloat(c.value, 'f', 2, 64)
}

func two(n int64) string {
	if n < 10 {
		return "0" + strconv.FormatInt(n, 10)
	}
	return strconv.FormatInt(n, 10)
}

// file writes the sheet as CSV (UTF-8 with a byte order mark) or XLSX (numbers stay numbers).
func (s *sheet) file(format string) (*fileOutput, error) {
	var data []byte
	var err error
	out := &fileOutput{Type: "text/csv; charset=utf-8"}
	switch format {
	case "csv":
		data, err = s.csv()
	case "xlsx":
		out.Type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
		data, err = s.xlsx()
	default:
		err = fault.New(fault.Invalid, "report.format.unknown", "format", format).At("format")
	}
	out.Disposition, out.Body = `attachment; filename="`+url.PathEscape(s.name+"."+format)+`"`, data
	return out, err
}

func (s *sheet) csv() ([]byte, error) {
	var b bytes.Buffer
	b.WriteString("\uFEFF")
	w := csv.NewWriter(&b)
	w.UseCRLF = true
	if err := w.Write(s.head); err != nil {
		return nil, err
	}
	for _, row := range s.rows {
		line := make([]string, 0, len(row))
		for _, c := range row {
			line = append(line, c.shown())
		}
		if err := w.Write(line); err != nil {
			return nil, err
		}
	}
	w.Flush()
	return b.Bytes(), w.Error()
}

func (s *sheet) xlsx() (data []byte, err error) {
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
	fixed := "0.00"
	money, err := f.NewStyle(&excelize.Style{CustomNumFmt: &fixed})
	if err != nil {
		return nil, err
	}
	for r := range len(s.rows) + 1 {
		for c := range s.head {
			at, err := excelize.CoordinatesToCellName(c+1, r+1)
			if err != nil {
				return nil, err
			}
			if r == 0 {
				err = set(f, at, s.head[c], styles.head)
			} else {
				err = s.rows[r-1][c].put(f, at, styles, money)
			}
			if err != nil {
				return nil, err
			}
		}
	}
	buf, err := f.WriteToBuffer()
	if err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}

func set(f *excelize.File, at string, v any, style int) error {
	if err := f.SetCellValue("Sheet1", at, v); err != nil {
		return err
	}
	return f.SetCellStyle("Sheet1", at, at, style)
}

func (c sheetCell) put(f *excelize.File, at string, s sheetStyles, money int) error {
	switch {
	case c.kind == cellText:
		return f.SetCellStr("Sheet1", at, c.text)
	case c.none:
		return f.SetCellStr("Sheet1", at, "–")
	case c.kind == cellCount:
		return set(f, at, int64(c.value), s.count)
	case c.kind == cellRate:
		return set(f, at, c.value, s.rate)
	case c.kind == cellFixed:
		return set(f, at, c.value, money)
	}
	seconds, style := tally.Seconds(int64(c.value)), s.short
	if seconds >= 3600 {
		style = s.long
	}
	return set(f, at, float64(seconds)/86400, style)
}

// heads gives column heads in the reader's language.
func (m *Module) heads(ctx context.Context, keys ...string) []string {
	var out []string
	for _, k := range keys {
		out = append(out, m.texts.Say(web.Locale(ctx), "report.sheet."+k, nil))
	}
	return out
}

func (m *Module) totalName(ctx context.Context) string {
	return m.texts.Say(web.Locale(ctx), "report.export.total", nil)
}
