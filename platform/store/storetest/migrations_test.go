package storetest

import (
	"strings"
	"testing"
)

func TestBreaches(t *testing.T) {
	const fine = `-- +goose Up
CREATE TABLE ticket_row (
  id        TEXT    NOT NULL PRIMARY KEY,
  made_at   BIGINT  NOT NULL, -- unix-ms; not NOW(), not AUTOINCREMENT
  birth_date TEXT   NOT NULL DEFAULT 'the DATE; a SERIAL',
  parent    TEXT    REFERENCES ticket_row (id) ON UPDATE CASCADE,
  share     DOUBLE PRECISION NOT NULL,
  open      BOOLEAN NOT NULL DEFAULT TRUE
);
CREATE UNIQUE INDEX ticket_row_made ON ticket_row (made_at) WHERE open;
INSERT INTO ticket_row (id) VALUES ('1') ON CONFLICT (id) DO UPDATE SET open = TRUE;
`
	if got := Breaches("ticket", "00001_start.sql", fine); len(got) > 0 {
		t.Errorf("portable, but: %s", strings.Join(got, "; "))
	}
	for text, want := range map[string]string{
		`CREATE TABLE ticket_a (id INTEGER PRIMARY KEY AUTOINCREMENT)`:   "AUTOINCREMENT",
		`CREATE TABLE ticket_a (id BIGSERIAL)`:                           "BIGSERIAL",
		`CREATE TABLE ticket_a (id BIGINT GENERATED ALWAYS AS IDENTITY)`: "GENERATED",
		`CREATE TABLE ticket_a (at BIGINT DEFAULT now())`:                "now(",
		`CREATE TABLE ticket_a (at TEXT DEFAULT CURRENT_TIMESTAMP)`:      "CURRENT_TIMESTAMP",
		`UPDATE ticket_a SET d = strftime('%Y', at)`:                     "strftime(",
		`UPDATE ticket_a SET d = json_extract(body, '$.x')`:              "json_extract(",
		`UPDATE ticket_a SET d = body->>'x'`:                             "->>",
		`CREATE TABLE ticket_a (body JSONB)`:                             "JSONB",
		`CREATE TABLE ticket_a (at TIMESTAMPTZ)`:                         "TIMESTAMPTZ",
		`CREATE TABLE ticket_a (b BLOB)`:                                 "BLOB",
		`CREATE TABLE ticket_a (r REAL)`:                                 "REAL",
		`INSERT OR IGNORE INTO ticket_a VALUES (1)`:                      "INSERT OR IGNORE",
		`CREATE TABLE ticket_a (a TEXT PRIMARY KEY) WITHOUT ROWID`:       "WITHOUT ROWID",
		`CREATE EXTENSION pg_trgm`:                                       "CREATE EXTENSION",
		`UPDATE ticket_a SET a = b::text`:                                "::",
		`CREATE TABLE customer_row (a TEXT)`:                             "table customer_row",
		`ALTER TABLE "customer_row" ADD COLUMN a TEXT`:                   "table customer_row",
		`CREATE TABLE ticket_a (c TEXT REFERENCES customer_row (id))`:    "REFERENCES customer_row",
		"-- +goose Down\nDROP TABLE ticket_a":                            "+goose Down",
		"CREATE TABLE ticket_a (`a` TEXT)":                               "`",
		`SELECT IFNULL(a, b) FROM ticket_a`:                              "IFNULL(",
	} {
		got := strings.Join(Breaches("ticket", "00001_start.sql", text), "; ")
		if !strings.Contains(got, want) {
			t.Errorf("%s: %q, want word of %s", text, got, want)
		}
	}
	if got := Breaches("ticket", "start.sql", fine); len(got) != 1 {
		t.Errorf("a file without a number: %v", got)
	}
}
