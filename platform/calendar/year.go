package calendar

import (
	"context"
	_ "embed"
	"encoding/csv"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/kapok-hotline/kapok/core/day"
	"github.com/kapok-hotline/kapok/platform/store"
)

// Year is an item of the section `holidays`: what a year's notice gives off and has worked. A year without an
// item is not published yet.
type Year struct {
	Code string  `json:"code" pattern:"^[a-z]{2,16}-[0-9]{4}$" minLength:"1" doc:"table and year, cn-2026"`
	Off  []Range `json:"off" maxItems:"60" doc:"days given off, weekends among them included"`
	Work []Range `json:"work,omitempty" maxItems:"60" doc:"weekend days worked instead"`
}

// Range is a run of days, both ends included.
type Range struct {
	From string `json:"from" minLength:"10" maxLength:"10"`
	To   string `json:"to,omitempty" doc:"empty: that day alone"`
	Name string `json:"name" minLength:"1" maxLength:"64"`
}

// longestRange is how many days a range may run.
const longestRange = 31

// split gives table and year of the code; the section's pattern has been checked.
func (y Year) split() (book string, year int) {
	book, text, _ := strings.Cut(y.Code, "-")
	year, _ = strconv.Atoi(text)
	return book, year
}

// dates lists the days of a range, nil when it is none.
func (r Range) dates() []string {
	from, err := time.Parse(day.Layout, r.From)
	if err != nil {
		return nil
	}
	to := from
	if r.To != "" {
		if to, err = time.Parse(day.Layout, r.To); err != nil || to.Before(from) || to.Sub(from) > longestRange*24*time.Hour {
			return nil
		}
	}
	var out []string
	for d := from; !d.After(to); d = d.AddDate(0, 0, 1) {
		out = append(out, d.Format(day.Layout))
	}
	return out
}

const (
	off  = "off"
	work = "work"
)

// row is a day of a table.
type row struct {
	book, day, kind, name string
	year                  int
}

func scanRow(r store.Scanner) (v row, err error) {
	return v, r.Scan(&v.book, &v.day, &v.year, &v.kind, &v.name)
}

func (y Year) rows() []row {
	book, year := y.split()
	var out []row
	for _, part := range []struct {
		kind string
		list []Range
	}{{off, y.Off}, {work, y.Work}} {
		for _, r := range part.list {
			for _, d := range r.dates() {
				out = append(out, row{book, d, part.kind, r.Name, year})
			}
		}
	}
	return out
}

// years makes items of rows in the order of their days: neighbouring days of one name are one range.
func years(published []Year, rows []row) []Year {
	place := map[string]int{}
	for i, y := range published {
		place[y.Code] = i
	}
	for _, r := range rows {
		i, there := place[code(r.book, r.year)]
		if !there {
			continue
		}
		list := &published[i].Off
		if r.kind == work {
			list = &published[i].Work
		}
		*list = extend(*list, r.day, r.name)
	}
	return published
}

func extend(list []Range, date, name string) []Range {
	if n := len(list); n > 0 && list[n-1].Name == name {
		last := &list[n-1]
		end := last.To
		if end == "" {
			end = last.From
		}
		if t, err := time.Parse(day.Layout, end); err == nil && t.AddDate(0, 0, 1).Format(day.Layout) == date {
			last.To = date
			return list
		}
	}
	return append(list, Range{From: date, Name: name})
}

func code(book string, year int) string { return fmt.Sprintf("%s-%04d", book, year) }

//go:embed holidays_cn.csv
var holidaysCSV string

// Shipped gives the public holidays the program brings along: mainland China, 2012 to 2026. The slices in the
// years must not be changed.
func Shipped() []Year { return slices.Clone(shippedYears()) }

// shippedYears reads the file once; it never changes.
var shippedYears = sync.OnceValue(func() []Year {
	r := csv.NewReader(strings.NewReader(holidaysCSV))
	r.Comment = '#'
	lines, err := r.ReadAll()
	if err != nil {
		panic("calendar: holidays_cn.csv is part of the program and broken: " + err.Error())
	}
	var out []Year
	for _, l := range lines[1:] {
		c := "cn-" + l[0]
		if len(out) == 0 || out[len(out)-1].Code != c {
			out = append(out, Year{Code: c})
		}
		y, r := &out[len(out)-1], Range{From: l[3], Name: l[2]}
		if l[4] != l[3] {
			r.To = l[4]
		}
		if l[1] == off {
			y.Off = append(y.Off, r)
		} else {
			y.Work = append(y.Work, r)
		}
	}
	return out
})

// shipped reports whether the year is just as the program brings it.
func shipped(y Year) bool {
	return slices.ContainsFunc(shippedYears(), func(s Year) bool {
		return s.Code == y.Code && slices.Equal(s.Off, y.Off) && slices.Equal(s.Work, y.Work)
	})
}

// loadYears reads all published years.
func loadYears(ctx context.Context, q store.Querier) ([]Year, error) {
	list, err := store.All(ctx, q, `SELECT book, year FROM calendar_year ORDER BY book, year`, func(r store.Scanner) (y Year, err error) {
		var book string
		var year int
		err = r.Scan(&book, &year)
		return Year{Code: code(book, year)}, err
	})
	if err != nil {
		return nil, err
	}
	rows, err := store.All(ctx, q, `SELECT book, day, year, kind, name FROM calendar_day ORDER BY book, year, day`, scanRow)
	return years(list, rows), err
}

// putYear replaces a year.
func putYear(ctx context.Context, tx *store.Tx, y Year, edited bool) error {
	book, year := y.split()
	if err := dropYear(ctx, tx, y.Code); err != nil {
		return err
	}
	mark := 0
	if edited {
		mark = 1
	}
	if _, err := store.Exec(ctx, tx, `INSERT INTO calendar_year (book, year, edited) VALUES (?, ?, ?)`, book, year, mark); err != nil {
		return err
	}
	for _, r := range y.rows() {
		_, err := store.Exec(ctx, tx, `INSERT INTO calendar_day (book, day, year, kind, name) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT (book, day) DO UPDATE SET year = excluded.year, kind = excluded.kind, name = excluded.name`,
			r.book, r.day, r.year, r.kind, r.name)
		if err != nil {
			return err
		}
	}
	return nil
}

func dropYear(ctx context.Context, tx *store.Tx, c string) error {
	book, year := Year{Code: c}.split()
	if _, err := store.Exec(ctx, tx, `DELETE FROM calendar_day WHERE book = ? AND year = ?`, book, year); err != nil {
		return err
	}
	_, err := store.Exec(ctx, tx, `DELETE FROM calendar_year WHERE book = ? AND year = ?`, book, year)
	return err
}

// seed brings in the shipped years nobody has edited.
func seed(ctx context.Context, tx *store.Tx) error {
	if err := tx.Lock(ctx, "calendar"); err != nil {
		return err
	}
	edited, err := store.All(ctx, tx, `SELECT book, year FROM calendar_year WHERE edited = 1`, func(r store.Scanner) (string, error) {
		var book string
		var year int
		err := r.Scan(&book, &year)
		return code(book, year), err
	})
	if err != nil {
		return err
	}
	now, err := loadYears(ctx, tx)
	if err != nil {
		return err
	}
	have := map[string]bool{}
	for _, y := range now {
		have[y.Code] = shipped(y)
	}
	for _, y := range Shipped() {
		if !slices.Contains(edited, y.Code) && !have[y.Code] {
			if err := putYear(ctx, tx, y, false); err != nil {
				return err
			}
		}
	}
	return nil
}
