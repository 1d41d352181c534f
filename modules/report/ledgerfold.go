package report

import (
	"context"
	"log/slog"

	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/modules/report/tally"
	"github.com/kapok-hotline/kapok/platform/clock"
	"github.com/kapok-hotline/kapok/platform/ledger"
	"github.com/kapok-hotline/kapok/platform/store"
)

// Name is ledger.Fold's.
func (f *fold) Name() string { return "report" }

// Apply is ledger.Fold's. A fact whose body cannot be read is left out and logged: it must not stop the figures
// of all others.
func (f *fold) Apply(ctx context.Context, tx *store.Tx, facts []ledger.Fact) error {
	if len(facts) == 0 {
		return nil
	}
	return f.apply(ctx, tx, facts[0].Seq, facts[len(facts)-1].Seq, f.read(ctx, facts))
}

func (f *fold) read(ctx context.Context, facts []ledger.Fact) []tally.Fact {
	out := make([]tally.Fact, 0, len(facts))
	for i := range facts {
		fact, ok, err := decode(&facts[i])
		if err != nil {
			f.log.ErrorContext(ctx, "a fact is left out of the reports", slog.String("fact", string(facts[i].ID)), slog.Any("error", err))
		}
		if ok {
			out = append(out, fact)
		}
	}
	return out
}

// decode reads a fact the reports count; false for others.
func decode(f *ledger.Fact) (tally.Fact, bool, error) {
	var body event.Body
	var err error
	if f.Said != nil {
		body = tally.Counted(f.Said)
	} else {
		body, err = tally.Decode(f.Kind, f.Body)
	}
	if err != nil || body == nil {
		return tally.Fact{}, false, err
	}
	return tally.Fact{
		ID: string(f.ID), At: f.At, Day: f.Day, Slot: f.Slot, Subject: f.Subject, Actor: f.Actor,
		Place: id.Site(f.Place), Body: body,
	}, true, nil
}

// tables are all the fold fills.
var tables = []string{
	"report_contact", "report_visit", "report_leg", "report_queue", "report_agent", "report_topic", "report_entry",
	"report_caller", "report_time", "report_presence",
}

// Reset is ledger.Resetter's.
func (f *fold) Reset(ctx context.Context, tx *store.Tx) error {
	for _, t := range tables {
		if _, err := store.Exec(ctx, tx, `DELETE FROM `+t); err != nil {
			return err
		}
	}
	_, err := store.Exec(ctx, tx, `UPDATE report_mark SET high = 0, rolled = '' WHERE id = 1`)
	return err
}

// openFold makes the fold; log nil: the default.
func openFold(zone tally.Zone, c clock.Clock, log *slog.Logger) *fold {
	if log == nil {
		log = slog.Default()
	}
	return &fold{zone: zone, clock: c, log: log, write: newStatements()}
}
