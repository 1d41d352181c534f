package customer

import (
	"context"
	"errors"
	"fmt"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/taxid"
	"github.com/kapok-hotline/kapok/platform/ledger"
	"github.com/kapok-hotline/kapok/platform/store"
)

// fold turns the facts of contacts into people and their history. Its state is its tables alone; a person's id
// is the id of the fact they were first known by, so that a rebuild gives the same people.
type fold struct{}

// Name is ledger.Fold's.
func (fold) Name() string { return "customer" }

// Reset is ledger.Resetter's.
func (fold) Reset(ctx context.Context, tx *store.Tx) error {
	for _, text := range []string{`DELETE FROM customer_gram`, `DELETE FROM customer_city`, `DELETE FROM customer_identifier`, `DELETE FROM customer_person`, `DELETE FROM customer_contact`} {
		if _, err := store.Exec(ctx, tx, text); err != nil {
			return err
		}
	}
	return nil
}

// Apply is ledger.Fold's.
func (fold) Apply(ctx context.Context, tx *store.Tx, facts []ledger.Fact) error {
	for _, f := range facts {
		if err := apply(ctx, tx, f); err != nil {
			return fmt.Errorf("%s %s of %s: %w", f.Kind, f.ID, f.Subject, err)
		}
	}
	return nil
}

func apply(ctx context.Context, tx *store.Tx, f ledger.Fact) error {
	switch f.Kind {
	case "contact.started":
		return withBody(f, func(b event.ContactStarted) error { return started(ctx, tx, f, b) })
	case "contact.answered":
		return withBody(f, func(b event.ContactAnswered) error {
			return update(ctx, tx, `UPDATE customer_contact SET queue = ?, agent = ? WHERE contact = ?`, string(b.Queue), string(b.Agent), f.Subject)
		})
	case "contact.located":
		return withBody(f, func(b event.ContactLocated) error { return located(ctx, tx, f, b) })
	case "contact.ended":
		return withBody(f, func(b event.ContactEnded) error {
			return update(ctx, tx, `UPDATE customer_contact SET outcome = ? WHERE contact = ?`, string(b.Outcome), f.Subject)
		})
	case "contact.lost":
		return update(ctx, tx, `UPDATE customer_contact SET outcome = ? WHERE contact = ?`, string(contact.Failed), f.Subject)
	case "wrapup.saved":
		return withBody(f, func(b event.WrapupSaved) error { return saved(ctx, tx, f, b) })
	}
	return nil
}

// withBody reads the fact's body. One that cannot be read is passed over: it will not get better, and a fold
// that stands still hides every later fact.
func withBody[T any](f ledger.Fact, do func(T) error) error {
	b, ok := ledger.Read[T](&f)
	if !ok {
		return nil
	}
	return do(b)
}

// update changes a contact's row; a contact that started before the ledger did has none.
func update(ctx context.Context, tx *store.Tx, text string, args ...any) error {
	_, err := store.Exec(ctx, tx, text, args...)
	return err
}

func started(ctx context.Context, tx *store.Tx, f ledger.Fact, b event.ContactStarted) error {
	k := from(b.Medium, b.From)
	if b.Direction == contact.Out {
		k = from(b.Medium, b.To)
	}
	who, err := owner(ctx, tx, k)
	if err != nil {
		return err
	}
	_, err = store.Exec(ctx, tx, `INSERT INTO customer_contact
		(contact, at, medium, place, kind, value, person, queue, agent, outcome, topic, tax_type, question, answer)
		VALUES (?, ?, ?, ?, ?, ?, ?, '', '', '', '', '', '', '') ON CONFLICT (contact) DO NOTHING`,
		f.Subject, f.At, string(b.Medium), f.Place, k.kind, k.value, who)
	if err != nil || who == "" {
		return err
	}
	return came(ctx, tx, who, f.At, 1)
}

// owner gives the person an identifier was last seen with, "" when it is nobody's.
func owner(ctx context.Context, q store.Querier, k key) (string, error) {
	if k.value == "" {
		return "", nil
	}
	who, err := store.One(ctx, q, sqlOwner, store.Col[string], k.kind, k.value)
	if errors.Is(err, store.ErrNotFound) {
		return "", nil
	}
	return who, err
}

// came counts a contact to a person, or takes it away again.
func came(ctx context.Context, tx *store.Tx, who string, at int64, n int) error {
	_, err := store.Exec(ctx, tx, `UPDATE customer_person SET contacts = contacts + ?,
		last_at = CASE WHEN last_at < ? THEN ? ELSE last_at END WHERE id = ?`, n, at, at, who)
	return err
}

// Bounds of what is kept of a wrap-up; the whole of it is in the ledger.
const (
	longName = 64
	longText = 2000
)

func saved(ctx context.Context, tx *store.Tx, f ledger.Fact, b event.WrapupSaved) error {
	_, err := store.Exec(ctx, tx, `UPDATE customer_contact SET topic = ?, tax_type = ?, question = ?, answer = ?,
		agent = CASE WHEN agent = '' THEN ? ELSE agent END WHERE contact = ?`,
		clip(b.Topic, longName), clip(b.TaxType, longName), clip(b.Question, longText), clip(b.Answer, longText), string(b.Agent), f.Subject)
	if err != nil || !b.Final { // half a name or number identifies nobody
		return err
	}
	row, err := store.One(ctx, tx, `SELECT kind, value, person, at FROM customer_contact WHERE contact = ?`, scanFrom, f.Subject)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return identify(ctx, tx, f, row, taxid.Clean(b.TaxID), clip(b.Name, longName))
}

// origin is where a contact came from and whose it is.
type origin struct {
	key
	person string
	at     int64
}

func scanFrom(r store.Scanner) (o origin, err error) {
	return o, r.Scan(&o.kind, &o.value, &o.person, &o.at)
}

// identify finds or makes the person a wrap-up names and gives them the contact and its number.
//
// A right tax ID decides: its person, else the person of the number when they have none, else a new one. A name
// alone names the number's person as long as they have no tax ID, for then it may be somebody who calls from the
// firm; without a person it makes one. A wrong tax ID counts as none.
func identify(ctx context.Context, tx *store.Tx, f ledger.Fact, o origin, id, name string) error {
	kind := taxid.KindOf(id)
	who, err := owner(ctx, tx, o.key)
	if err != nil {
		return err
	}
	known := "" // the tax ID the number's person has
	if who != "" {
		if known, err = taxOf(ctx, tx, who); err != nil {
			return err
		}
	}
	switch {
	case kind != taxid.Bad:
		if who, err = byTax(ctx, tx, id, who, known); err != nil {
			return err
		}
	case name == "":
		return nil
	case known != "":
		name = ""
	}
	if who == "" {
		who = string(f.ID)
		_, err = store.Exec(ctx, tx, `INSERT INTO customer_person (id, name, kind, first_at, last_at, contacts) VALUES (?, '', '', ?, ?, 0)
			ON CONFLICT (id) DO NOTHING`, who, o.at, o.at)
		if err != nil {
			return err
		}
	}
	if err := describe(ctx, tx, who, id, kind, name, f.At); err != nil {
		return err
	}
	if o.value != "" {
		if err := hold(ctx, tx, o.key, who, f.At); err != nil {
			return err
		}
	}
	return give(ctx, tx, f.Subject, o, who)
}

// byTax gives the person of a tax ID, found by itself or by the organisation code it shares with a firm's other
// one; else the number's person when they have no tax ID; else nobody.
func byTax(ctx context.Context, tx *store.Tx, id, who, known string) (string, error) {
	p, err := owner(ctx, tx, key{tax, id})
	if err != nil || p != "" {
		return p, err
	}
	if code := taxid.OrganisationCode(id); code != "" {
		if p, err = owner(ctx, tx, key{organisation, code}); err != nil || p != "" {
			return p, err
		}
	}
	if known == "" {
		return who, nil
	}
	return "", nil
}

func taxOf(ctx context.Context, q store.Querier, who string) (string, error) {
	id, err := store.One(ctx, q, sqlTax, store.Col[string], who, tax)
	if errors.Is(err, store.ErrNotFound) {
		return "", nil
	}
	return id, err
}

// describe keeps what the wrap-up says about the person.
func describe(ctx context.Context, tx *store.Tx, who, id string, kind taxid.Kind, name string, at int64) error {
	if kind != taxid.Bad {
		if err := hold(ctx, tx, key{tax, id}, who, at); err != nil {
			return err
		}
		if code := taxid.OrganisationCode(id); code != "" {
			if err := hold(ctx, tx, key{organisation, code}, who, at); err != nil {
				return err
			}
		}
		if _, err := store.Exec(ctx, tx, `UPDATE customer_person SET kind = ? WHERE id = ?`, typeOf(kind), who); err != nil {
			return err
		}
	}
	if name == "" {
		return nil
	}
	n, err := store.Exec(ctx, tx, `UPDATE customer_person SET name = ? WHERE id = ? AND name <> ?`, name, who, name)
	if err != nil || n == 0 {
		return err
	}
	if _, err := store.Exec(ctx, tx, `DELETE FROM customer_gram WHERE person = ?`, who); err != nil {
		return err
	}
	for _, g := range grams(name) {
		if _, err := store.Exec(ctx, tx, `INSERT INTO customer_gram (gram, person) VALUES (?, ?) ON CONFLICT (gram, person) DO NOTHING`, g, who); err != nil {
			return err
		}
	}
	return nil
}

// hold says that an identifier was seen with the person.
func hold(ctx context.Context, tx *store.Tx, k key, who string, at int64) error {
	_, err := store.Exec(ctx, tx, `INSERT INTO customer_identifier (kind, value, person, at) VALUES (?, ?, ?, ?)
		ON CONFLICT (kind, value, person) DO UPDATE SET at = CASE WHEN excluded.at > customer_identifier.at THEN excluded.at ELSE customer_identifier.at END`,
		k.kind, k.value, who, at)
	return err
}

// give moves the contact to the person, and with them the number's contacts that were nobody's.
func give(ctx context.Context, tx *store.Tx, contact string, o origin, who string) error {
	if o.person != who {
		if o.person != "" {
			if err := came(ctx, tx, o.person, 0, -1); err != nil {
				return err
			}
		}
		if _, err := store.Exec(ctx, tx, `UPDATE customer_contact SET person = ? WHERE contact = ?`, who, contact); err != nil {
			return err
		}
		if err := came(ctx, tx, who, o.at, 1); err != nil {
			return err
		}
	}
	if o.value == "" {
		return nil
	}
	n, err := store.Exec(ctx, tx, `UPDATE customer_contact SET person = ? WHERE kind = ? AND value = ? AND person = ''`, who, o.kind, o.value)
	if err != nil || n == 0 {
		return err
	}
	return came(ctx, tx, who, 0, int(n))
}
