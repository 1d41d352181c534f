package store

import (
	"encoding/base64"
	"encoding/json"

	"github.com/kapok-hotline/kapok/core/fault"
)

// PageLimit is the most rows a page may ask for.
const PageLimit = 500

// Page asks for a part of a long list by key, not by number: rows that come and go in between neither repeat
// nor hide others. In SQL, for a list by at then id, both downward:
//
//	WHERE (at < ? OR at = ? AND id < ?) ORDER BY at DESC, id DESC LIMIT ?
type Page struct {
	After string // the Next of the page before; "" for the first
	Limit int    // rows wanted; 0 is 50, at most PageLimit
}

// Rows gives the number of rows the page holds at most.
func (p Page) Rows() int {
	if p.Limit <= 0 {
		return 50
	}
	return min(p.Limit, PageLimit)
}

// Key reads the sort key of the last row of the page before into dest; it gives false for the first page. A
// cursor that is not one of ours is store.page.invalid.
func (p Page) Key(dest ...any) (bool, error) {
	if p.After == "" {
		return false, nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(p.After)
	var parts []json.RawMessage
	if err == nil {
		err = json.Unmarshal(raw, &parts)
	}
	if err != nil || len(parts) != len(dest) {
		return false, fault.New(fault.Invalid, "store.page.invalid").At("after").Because(err)
	}
	for i, part := range parts {
		if err := json.Unmarshal(part, dest[i]); err != nil {
			return false, fault.New(fault.Invalid, "store.page.invalid").At("after").Because(err)
		}
	}
	return true, nil
}

// Slice is one page of a list and where the next one begins.
type Slice[T any] struct {
	Rows []T    `json:"rows"`
	Next string `json:"next,omitempty"` // "" when this is the last
}

// Cut makes a page of rows read with LIMIT Rows()+1: the row too many says that there is a next page. key gives
// the sort key of a row.
func Cut[T any](p Page, rows []T, key func(T) []any) (Slice[T], error) {
	if len(rows) <= p.Rows() {
		return Slice[T]{Rows: rows}, nil
	}
	rows = rows[:p.Rows()]
	b, err := json.Marshal(key(rows[len(rows)-1]))
	if err != nil {
		return Slice[T]{}, err
	}
	return Slice[T]{Rows: rows, Next: base64.RawURLEncoding.EncodeToString(b)}, nil
}
