package store

import (
	"context"
	"encoding/json"
	"fmt"
)

// Docs keeps values of T as JSON in a table `(code TEXT PRIMARY KEY, body TEXT NOT NULL)`: for configuration,
// which is read whole into a snapshot and never searched by SQL.
type Docs[T any] struct {
	Table string // a constant of the program, never input
}

// Load gives every value, in the order of its code.
func (d Docs[T]) Load(ctx context.Context, q Querier) ([]T, error) {
	return All(ctx, q, `SELECT code, body FROM `+d.Table+` ORDER BY code`, func(r Scanner) (v T, err error) {
		var code, body string
		if err = r.Scan(&code, &body); err != nil {
			return v, err
		}
		if err = json.Unmarshal([]byte(body), &v); err != nil {
			err = fmt.Errorf("%s %s: %w", d.Table, code, err)
		}
		return v, err
	})
}

// Put creates or replaces the value under code.
func (d Docs[T]) Put(ctx context.Context, q Querier, code string, v T) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = Exec(ctx, q, `INSERT INTO `+d.Table+` (code, body) VALUES (?, ?)
		ON CONFLICT (code) DO UPDATE SET body = excluded.body`, code, string(body))
	return err
}

// Drop removes the value under code; ErrNotFound when there is none.
func (d Docs[T]) Drop(ctx context.Context, q Querier, code string) error {
	return Change(ctx, q, `DELETE FROM `+d.Table+` WHERE code = ?`, code)
}
