package outbound

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/section"
	"github.com/kapok-hotline/kapok/platform/store"
)

// Bounds of a table of people; platform/section bounds rows and bytes.
const (
	maxOwn  = 12
	maxText = 200
	maxNote = 500
)

// TableFlaw is one thing wrong with a table, at a line counted from 1. Say is the sentence in the caller's language.
type TableFlaw struct {
	Line   int            `json:"line"`
	Code   string         `json:"code"`
	Params map[string]any `json:"params,omitempty"`
	Say    string         `json:"say"`
}

func flawOf(line int, err error) TableFlaw {
	f := TableFlaw{Line: line, Code: fault.CodeOf(err)}
	if x, ok := errors.AsType[*fault.Fault](err); ok {
		f.Params = x.Params
	}
	return f
}

// The columns a table is understood by, as people title them; all others are the list's own.
var known = map[string]string{
	"number": "number", "phone": "number", "telephone": "number", "号码": "number", "电话": "number", "电话号码": "number", "手机": "number", "手机号": "number", "联系电话": "number",
	"name": "name", "姓名": "name", "名称": "name", "联系人": "name", "纳税人名称": "name",
	"note": "note", "reason": "note", "备注": "note", "说明": "note", "原因": "note",
	"until": "until", "截止": "until", "截止日期": "until", "有效期至": "until",
}

// columns finds what each column of a table is: one of the known, or an own title; "" for none.
func (m *Module) columns(header []string) (head []string, flaws []TableFlaw) {
	numbers, own := 0, 0
	for _, title := range header {
		title = strings.TrimSpace(title)
		name := known[strings.ToLower(title)]
		switch {
		case name == "number":
			numbers++
		case name == "" && title != "":
			own++
			name = "=" + cut(title, 40)
		}
		head = append(head, name)
	}
	switch {
	case numbers != 1:
		flaws = append(flaws, TableFlaw{Line: 1, Code: "outbound.table.number"})
	case own > maxOwn:
		flaws = append(flaws, TableFlaw{Line: 1, Code: "outbound.table.wide", Params: map[string]any{"most": maxOwn}})
	}
	return head, flaws
}

// line is what a row says.
type line struct {
	number, name, note, until string
	more                      []OwnCell
	empty                     bool
}

func cells(head, row []string) (l line) {
	l.empty = true
	for i, cell := range row {
		if cell = strings.TrimSpace(cell); cell == "" || i >= len(head) {
			continue
		}
		l.empty = false
		switch head[i] {
		case "":
		case "number":
			l.number = cell
		case "name":
			l.name = cut(cell, maxText)
		case "note":
			l.note = cut(cell, maxNote)
		case "until":
			l.until = cell
		default:
			l.more = append(l.more, OwnCell{Title: head[i][1:], Text: cut(cell, maxText)})
		}
	}
	return l
}

// cut shortens a text to so many characters.
func cut(s string, most int) string {
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most])
}

// table reads people out of a table. Every bad row is told; then nobody is taken.
func (m *Module) table(file []byte, l List) ([]person, []TableFlaw, error) {
	rows, err := section.Rows(file)
	if err != nil {
		return nil, nil, err
	}
	head, flaws := m.columns(rows[0])
	if len(flaws) > 0 {
		return nil, flaws, nil
	}
	var out []person
	seen := map[string]int{}
	for i, row := range rows[1:] {
		c := cells(head, row)
		if c.empty {
			continue
		}
		number, err := m.readNumber(c.number, l.Site)
		switch {
		case err != nil:
			flaws = append(flaws, flawOf(i+2, err))
		case seen[number] > 0:
			flaws = append(flaws, TableFlaw{Line: i + 2, Code: "outbound.number.double", Params: map[string]any{"line": seen[number]}})
		default:
			seen[number] = i + 2
			out = append(out, person{list: l.Code, number: number, name: c.name, note: c.note, more: c.more})
		}
	}
	return out, flaws, nil
}

// PeopleTaken says what became of people brought in.
type PeopleTaken struct {
	Added  int         `json:"added"`
	Known  int         `json:"known" doc:"on the list already: left as they are"`
	Never  int         `json:"never" doc:"numbers not to be called: left out"`
	Flaws  []TableFlaw `json:"flaws" doc:"with any, nobody was taken"`
	DryRun bool        `json:"dry_run"`
}

// add puts people on a list, all or none; those on it already and those not to be called are left out. A dry run only
// counts.
func (m *Module) add(ctx context.Context, l List, all []person, dry bool) (out PeopleTaken, err error) {
	now := m.now()
	out.Flaws, out.DryRun = []TableFlaw{}, dry
	here, err := m.known(ctx, l, all)
	if err != nil {
		return out, err
	}
	never, err := set(ctx, m.deps.DB, `SELECT number FROM outbound_never WHERE until_at = 0 OR until_at > ?`, now.UnixMilli())
	if err != nil {
		return out, err
	}
	var fresh []person
	for _, p := range all {
		switch {
		case here[p.number] != nil && !again(here[p.number], &p):
			out.Known++
		case never[p.number]:
			out.Never++
		default:
			here[p.number] = &p
			fresh = append(fresh, p)
		}
	}
	out.Added = len(fresh)
	if dry || len(fresh) == 0 {
		return out, nil
	}
	err = m.deps.DB.Tx(ctx, func(tx *store.Tx) error {
		first := now.UnixMilli() - int64(len(fresh)) // all are due, in the order they came in
		for i, p := range fresh {
			if p.more == nil {
				p.more = []OwnCell{}
			}
			if _, err := store.Exec(ctx, tx, `INSERT INTO outbound_person (`+personColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'pending', ?, ?, 0, '', '', '', ?)
				ON CONFLICT (list, number) DO UPDATE SET name = excluded.name, note = excluded.note, more = excluded.more, source = excluded.source, added_at = excluded.added_at,
				from_missed = excluded.from_missed, state = excluded.state, since = excluded.since, due_at = excluded.due_at, tries = 0, agent = '', how = '' WHERE outbound_person.state = 'closed' AND excluded.from_missed = 1`,
				id.New(time.UnixMilli(first+int64(i))), l.Code, p.number, p.name, p.note, store.JSON(&p.more), string(p.source), now.UnixMilli(), now.UnixMilli(), first+int64(i), p.missed); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		m.count(ctx)
		m.nudge()
	}
	return out, err
}

// known gives who of all is on a list, by number.
func (m *Module) known(ctx context.Context, l List, all []person) (map[string]*person, error) {
	out := map[string]*person{}
	for part := range slices.Chunk(all, 500) {
		args := []any{l.Code}
		for i := range part {
			args = append(args, part[i].number)
		}
		err := store.Each(ctx, m.deps.DB, `SELECT number, state, since FROM outbound_person WHERE list = ? AND number IN (`+store.In(len(part))+`)`,
			func(r store.Scanner) (p person, err error) { return p, r.Scan(&p.number, &p.state, &p.since) },
			func(p person) error { out[p.number] = &p; return nil }, args...)
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// again says whether somebody on a list who is done with comes onto it anew: a missed caller who has called since.
func again(was, now *person) bool {
	return was.state == Closed && now.missed == 1 && now.addedAt > was.since
}

// set reads a column as a set.
func set(ctx context.Context, q store.Querier, text string, args ...any) (map[string]bool, error) {
	out := map[string]bool{}
	err := store.Each(ctx, q, text, store.Col[string], func(s string) error { out[s] = true; return nil }, args...)
	return out, err
}
