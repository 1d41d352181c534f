package store

import (
	"database/sql/driver"
	"encoding/json"
	"strings"
	"unicode/utf8"

	"github.com/kapok-hotline/kapok/core/fault"
)

// plain makes arguments mean the same on both engines: JSON is text (SQLite would store bytes as a BLOB, which
// no text compares with), and text is UTF-8 without NUL (PostgreSQL takes nothing else, SQLite anything).
func plain(args []any) ([]any, error) {
	for i, a := range args {
		switch v := a.(type) {
		case json.RawMessage:
			if v == nil {
				args[i] = nil
				continue
			}
			args[i] = string(v)
			a = args[i]
		case driver.Valuer:
			value, err := v.Value()
			if err != nil {
				return nil, err
			}
			args[i], a = value, value
		}
		if s, ok := a.(string); ok && (strings.IndexByte(s, 0) >= 0 || !utf8.ValidString(s)) {
			return nil, fault.New(fault.Invalid, "store.text.invalid", "position", i+1)
		}
	}
	return args, nil
}

// JSON stores v as JSON text and reads it back: pass store.JSON(&t.Needs) as an argument and to Scan. An empty
// text or NULL leaves v as it is.
func JSON[T any](v *T) *Document[T] { return &Document[T]{v} }

// Document is a value kept as JSON in a TEXT column; see JSON.
type Document[T any] struct{ of *T }

// Value is driver.Valuer.
func (d *Document[T]) Value() (driver.Value, error) {
	b, err := json.Marshal(d.of)
	return string(b), err
}

// Scan is sql.Scanner.
func (d *Document[T]) Scan(src any) error {
	var b []byte
	switch v := src.(type) {
	case nil:
		return nil
	case string:
		b = []byte(v)
	case []byte:
		b = v
	default:
		return fault.New(fault.Internal, "store.column.invalid", "want", "JSON text")
	}
	if len(b) == 0 {
		return nil
	}
	return json.Unmarshal(b, d.of)
}
