package calendar

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/kapok-hotline/kapok/core/day"
	"github.com/kapok-hotline/kapok/platform/section"
	"github.com/kapok-hotline/kapok/platform/store"
)

// Bus is what the calendars need of platform/bus: they reload when another node changes the configuration.
type Bus interface {
	Hear(subject string, f func(subject string, data []byte)) (stop func(), err error)
}

// Config is what New needs.
type Config struct {
	DB  *store.DB
	Bus Bus // nil: only changes made here are seen
	Log *slog.Logger
}

// Calendars answers for every calendar of the house. It is safe for use by many goroutines; asking takes no
// lock and no database.
type Calendars struct {
	db   *store.DB
	log  *slog.Logger
	now  atomic.Pointer[snapshot]
	stop func()
}

type snapshot struct {
	list  []Calendar
	codes map[string]*day.Calendar
}

var calendars = store.Docs[Calendar]{Table: "calendar_calendar"}

//go:embed migrations/*.sql texts/*.json
var files embed.FS

// Migrations gives the tables, for store.DB.Migrate under the name "calendar".
func Migrations() fs.FS { return store.Folder(files, "migrations") }

// Texts gives the sentences of the package's faults and the titles of its sections.
func Texts() fs.FS { return store.Folder(files, "texts") }

// New migrates the tables, brings in the shipped holidays and reads everything. Close ends it.
func New(ctx context.Context, cfg Config) (*Calendars, error) {
	c := &Calendars{db: cfg.DB, log: cfg.Log, stop: func() {}}
	if c.log == nil {
		c.log = slog.Default()
	}
	if err := cfg.DB.Migrate(ctx, "calendar", Migrations()); err != nil {
		return nil, err
	}
	if err := cfg.DB.Tx(ctx, func(tx *store.Tx) error { return seed(ctx, tx) }); err != nil {
		return nil, err
	}
	if err := c.Reload(ctx); err != nil {
		return nil, err
	}
	if cfg.Bus != nil {
		stop, err := cfg.Bus.Hear(section.Changed, func(string, []byte) { c.refresh() })
		if err != nil {
			return nil, fmt.Errorf("calendar: %w", err)
		}
		c.stop = stop
	}
	return c, nil
}

// Close stops listening to changes.
func (c *Calendars) Close() { c.stop() }

// refresh reloads after a change; what cannot be read leaves the old calendars in force.
func (c *Calendars) refresh() {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := c.Reload(ctx); err != nil {
		c.log.Error("the calendars could not be read again; the old ones stay in force", "error", err)
	}
}

// Reload reads all calendars and holidays anew.
func (c *Calendars) Reload(ctx context.Context) error {
	years, err := loadYears(ctx, c.db)
	if err != nil {
		return err
	}
	list, err := calendars.Load(ctx, c.db)
	if err != nil {
		return err
	}
	s := &snapshot{list: list, codes: map[string]*day.Calendar{}}
	tables := holidays(years)
	for _, item := range list {
		if s.codes[item.Code], err = item.value(tables); err != nil {
			return fmt.Errorf("calendar %s: %w", item.Code, err)
		}
	}
	c.now.Store(s)
	return nil
}

func holidays(years []Year) map[string]*day.Holidays {
	out := map[string]*day.Holidays{}
	for _, y := range years {
		book, year := y.split()
		h := out[book]
		if h == nil {
			h = &day.Holidays{Days: map[string]day.Entry{}, Years: map[int]bool{}}
			out[book] = h
		}
		h.Years[year] = true
		for _, r := range y.rows() {
			h.Days[r.day] = day.Entry{Off: r.kind == off, Name: r.name}
		}
	}
	return out
}

// Get gives a calendar as it holds now; it is never changed afterwards, so that a call or a deadline may keep it.
func (c *Calendars) Get(code string) (*day.Calendar, bool) {
	cal, ok := c.now.Load().codes[code]
	return cal, ok
}

// IsOpen gives the state of a calendar at a moment, the day's name and the next opening. A calendar that does
// not exist, or none, is open: nobody is sent away for a slip in the configuration.
func (c *Calendars) IsOpen(code string, at time.Time) (day.State, string, time.Time) {
	cal, ok := c.Get(code)
	if !ok {
		return day.Open, "", time.Time{}
	}
	return cal.IsOpen(at)
}

// Working gives the working time between two moments; without a calendar all time is working time.
func (c *Calendars) Working(code string, from, to time.Time) time.Duration {
	if cal, ok := c.Get(code); ok {
		return cal.Working(from, to)
	}
	return max(to.Sub(from), 0)
}

// AddWorking gives the moment d of working time after from; see day.Calendar.AddWorking.
func (c *Calendars) AddWorking(code string, from time.Time, d time.Duration) (time.Time, bool) {
	if cal, ok := c.Get(code); ok {
		return cal.AddWorking(from, d)
	}
	return from.Add(max(d, 0)), true
}
