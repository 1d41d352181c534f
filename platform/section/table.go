package section

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/platform/store"
)

// Bounds of a table.
const (
	maxTable   = 8 << 20
	maxRows    = 20_000
	maxColumns = 100
	maxUnzip   = 64 << 20
)

// Titles gives the field a column title stands for ("姓名" → "name"), "" when it stands for none.
type Titles func(title string) string

// Import brings in a table, XLSX or CSV (UTF-8, or GB18030 as Chinese spreadsheets write it): the first row
// names the fields, by name or by title, each further row is an item. A row changes only the fields that have
// a column; an empty cell of a new item is not given, of an old one it leaves the field as it is. Lists are
// written `a;b`, maps `a:1;b:2`.
func (b *Book) Import(ctx context.Context, key string, file []byte, titles Titles, o Options) (Result, error) {
	s, ok := b.section(key)
	if !ok {
		return Result{}, fault.New(fault.NotFound, "section.section.unknown", "key", key)
	}
	if s.single {
		return Result{}, fault.New(fault.Invalid, "section.table.single")
	}
	rows, err := readTable(file)
	if err != nil {
		return Result{}, err
	}
	fields, problems := columns(s, rows[0], titles)
	if len(problems) > 0 {
		return Result{Changes: []Change{}, Problems: problems}, nil
	}
	now, err := b.bodies(ctx, s)
	if err != nil {
		return Result{}, err
	}
	r := &reader{}
	all := &tree{kind: list}
	for i, row := range rows[1:] {
		if t := r.row(s, fields, row, i+2, now); t != nil {
			all.items = append(all.items, t)
		}
	}
	items, broken := r.items(s, all)
	return b.make(ctx, edit{items: items, broken: broken, table: true}, r.problems, o)
}

// bodies gives the items there are, as JSON by code.
func (b *Book) bodies(ctx context.Context, s Section) (map[string][]byte, error) {
	out := map[string][]byte{}
	err := b.cfg.DB.Tx(ctx, func(tx *store.Tx) error {
		list, err := s.load(ctx, tx)
		for _, it := range list {
			out[it.code] = it.body
		}
		return err
	})
	return out, err
}

// columns finds the field of each column; "" for a column without a title.
func columns(s Section, header []string, titles Titles) ([]string, []Problem) {
	r := &reader{}
	at := &tree{line: 1}
	out := make([]string, len(header))
	for i, title := range header {
		title = strings.TrimSpace(title)
		name := title
		if s.schema.Properties[name] == nil && titles != nil && titles(title) != "" {
			name = titles(title)
		}
		switch {
		case title == "":
		case s.schema.Properties[name] == nil:
			if near := Nearest(title, s.schema.Order); near != "" {
				r.refuse(at, s.key, "key.near", "key", title, "near", near)
			} else {
				r.refuse(at, s.key, "key.unknown", "key", title, "keys", strings.Join(s.schema.Order, ", "))
			}
		case slices.Contains(out[:i], name):
			r.refuse(at, s.key, "table.double", "name", title)
		default:
			out[i] = name
		}
	}
	if !slices.Contains(out, s.idField) && len(r.problems) == 0 {
		r.refuse(at, s.key, "value.missing", "field", s.idField)
	}
	return out, r.problems
}

// row makes a tree of a row, over what the item holds already; nil for an empty row.
func (r *reader) row(s Section, fields, row []string, line int, now map[string][]byte) *tree {
	cells := &tree{kind: mapping, line: line}
	for i, cell := range row {
		if cell = strings.TrimSpace(cell); i < len(fields) && fields[i] != "" && cell != "" {
			cells.set(fields[i], line, r.cell(s.schema.Properties[fields[i]], fields[i], cell, line))
		}
	}
	if len(cells.keys) == 0 {
		return nil
	}
	code := cells.get(s.idField)
	if code == nil {
		return cells // said as a missing code
	}
	old, err := fromJSON(now[code.text])
	if err != nil { // there is none
		return cells
	}
	old.line = line
	for _, e := range cells.keys {
		old.set(e.name, line, e.value)
	}
	return old
}

func (r *reader) cell(s *Schema, name, text string, line int) *tree {
	switch {
	case s.Type == "boolean":
		return &tree{kind: scalar, line: line, text: truth(text)}
	case s.Type == "array" && s.Items.Type != "object" && s.Items.Type != "array":
		t := &tree{kind: list, line: line}
		for _, part := range split(text) {
			t.items = append(t.items, &tree{kind: scalar, line: line, text: part})
		}
		return t
	case s.Type == "object" && s.Values != nil:
		t := &tree{kind: mapping, line: line}
		for _, part := range split(text) {
			k, v, ok := strings.Cut(strings.ReplaceAll(part, "：", ":"), ":")
			if !ok {
				r.refuse(t, name, "table.cell", "value", part, "field", name)
				continue
			}
			t.set(strings.TrimSpace(k), line, &tree{kind: scalar, line: line, text: strings.TrimSpace(v)})
		}
		return t
	case s.Type == "object" || s.Type == "array":
		t, err := fromJSON([]byte(text))
		if err != nil {
			r.refuse(&tree{line: line}, name, "table.cell", "value", text, "field", name)
			return &tree{kind: null, line: line}
		}
		t.line = line
		return t
	}
	return &tree{kind: scalar, line: line, text: text}
}

// truth reads what people tick a box with.
func truth(s string) string {
	switch strings.ToLower(s) {
	case "是", "true", "yes", "y", "1", "√", "✓", "启用":
		return "true"
	case "否", "false", "no", "n", "0", "×", "停用":
		return "false"
	}
	return s
}

func split(text string) []string {
	parts := strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(";；,，、\n", r) })
	out := parts[:0]
	for _, p := range parts {
		if p = strings.TrimSpace(p); p != "" {
			out = append(out, p)
		}
	}
	return out
}

// readTable reads the rows of the first sheet, at least the header and one more.
func readTable(file []byte) ([][]string, error) {
	if len(file) > maxTable {
		return nil, fault.New(fault.Invalid, "section.table.size", "rows", maxRows, "columns", maxColumns)
	}
	read := readCSV
	if bytes.HasPrefix(file, []byte("PK\x03\x04")) {
		read = readXLSX
	}
	rows, err := read(file)
	switch {
	case fault.CodeOf(err) != "":
		return nil, err
	case err != nil:
		return nil, fault.New(fault.Invalid, "section.table.format", "reason", err.Error()).Because(err)
	case len(rows) < 2:
		return nil, fault.New(fault.Invalid, "section.table.empty")
	}
	return rows, nil
}

func tooLarge(rows, columns int) error {
	if rows > maxRows || columns > maxColumns {
		return fault.New(fault.Invalid, "section.table.size", "rows", maxRows, "columns", maxColumns)
	}
	return nil
}

func readCSV(file []byte) ([][]string, error) {
	file = bytes.TrimPrefix(file, []byte("\xef\xbb\xbf"))
	if !utf8.Valid(file) {
		out, err := simplifiedchinese.GB18030.NewDecoder().Bytes(file)
		if err != nil {
			return nil, err
		}
		file = out
	}
	r := csv.NewReader(bytes.NewReader(file))
	r.FieldsPerRecord = -1
	if first, _, _ := bytes.Cut(file, []byte("\n")); !bytes.ContainsRune(first, ',') && bytes.ContainsRune(first, '\t') {
		r.Comma = '\t'
	}
	var rows [][]string
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err == nil {
			err = tooLarge(len(rows)+1, len(row))
		}
		if err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
}

func readXLSX(file []byte) (rows [][]string, err error) {
	f, err := excelize.OpenReader(bytes.NewReader(file), excelize.Options{UnzipSizeLimit: maxUnzip, UnzipXMLSizeLimit: maxUnzip})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	sheets := f.GetSheetList()
	if len(sheets) == 0 {
		return nil, errors.New("no sheet")
	}
	it, err := f.Rows(sheets[0])
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, it.Close()) }()
	for it.Next() {
		row, err := it.Columns(excelize.Options{RawCellValue: true})
		if err == nil {
			err = tooLarge(len(rows)+1, len(row))
		}
		if err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	return rows, it.Error()
}

// one reads a single item, for a request.
func (b *Book) one(s Section, code string, body []byte) (edit, []Problem, error) {
	t, err := fromJSON(body)
	if err != nil {
		return edit{}, nil, err
	}
	if t.kind == mapping && !s.single && t.get(s.idField) == nil {
		t.set(s.idField, 0, &tree{kind: scalar, text: code, quoted: true})
	}
	r := &reader{}
	g, ok := r.item(s, t, s.path(code))
	if !ok {
		return edit{}, r.problems, nil
	}
	if g.item.code != code {
		return edit{}, nil, fault.New(fault.Invalid, "section.code.differs", "path", code, "code", g.item.code).At(s.idField)
	}
	return edit{items: []given{g}}, nil, nil
}

// Put creates or replaces one item given as JSON.
func (b *Book) Put(ctx context.Context, key, code string, body json.RawMessage, o Options) (Result, error) {
	s, ok := b.section(key)
	if !ok {
		return Result{}, fault.New(fault.NotFound, "section.section.unknown", "key", key)
	}
	e, problems, err := b.one(s, code, body)
	if err != nil || len(problems) > 0 {
		return Result{Problems: problems}, err
	}
	return b.make(ctx, e, nil, o)
}

// Drop removes one item; what still needs it stands in the problems.
func (b *Book) Drop(ctx context.Context, key, code string, o Options) (Result, error) {
	if _, ok := b.section(key); !ok {
		return Result{}, fault.New(fault.NotFound, "section.section.unknown", "key", key)
	}
	return b.make(ctx, edit{drops: []ref{{key, code}}}, nil, o)
}
