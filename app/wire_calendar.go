package app

import (
	"context"
	"io/fs"

	"github.com/kapok-hotline/kapok/core/right"
	"github.com/kapok-hotline/kapok/platform/calendar"
)

// calendarPart gives the calendars the shape of a module: they are a technical service with pages of their own.
type calendarPart struct{ *calendar.Calendars }

// Name is "calendar".
func (calendarPart) Name() string { return "calendar" }

// Texts gives the calendars' sentences.
func (calendarPart) Texts() fs.FS { return calendar.Texts() }

// Rights gives the rights the calendars declare.
func (calendarPart) Rights() []right.Right { return calendar.Rights() }

func (h *House) newCalendar(ctx context.Context) (calendarPart, error) {
	c, err := calendar.New(ctx, calendar.Config{DB: h.db, Bus: h.bus, Log: h.log})
	return calendarPart{c}, err
}
