package audit

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/store"
)

// Query asks for entries; zero fields ask for nothing.
type Query struct {
	From   int64 // unix ms, included
	To     int64 // unix ms, excluded
	Actor  id.User
	Words  string    // part of the action, subject or detail
	Failed bool      // only what did not go well
	Sites  []id.Site // the actors' sites; nil: all
	Page   store.Page
}

// Read gives entries, the newest first.
func (l *Log) Read(ctx context.Context, q Query) (store.Slice[Entry], error) {
	where, args := q.where()
	var at, seq int64
	var node string
	more, err := q.Page.Key(&at, &node, &seq)
	if err != nil {
		return store.Slice[Entry]{}, err
	}
	if more {
		where = append(where, `(at < ? OR at = ? AND (node < ? OR node = ? AND seq < ?))`)
		args = append(args, at, at, node, node, seq)
	}
	text := `SELECT ` + columns + ` FROM audit_entry`
	if len(where) > 0 {
		text += ` WHERE ` + strings.Join(where, ` AND `)
	}
	args = append(args, q.Page.Rows()+1)
	rows, err := store.All(ctx, l.db, text+` ORDER BY at DESC, node DESC, seq DESC LIMIT ?`, scanEntry, args...)
	if err != nil {
		return store.Slice[Entry]{}, err
	}
	return store.Cut(q.Page, rows, func(e Entry) []any { return []any{e.At, e.Node, e.Seq} })
}

func (q Query) where() (where []string, args []any) {
	add := func(cond string, values ...any) {
		where = append(where, cond)
		args = append(args, values...)
	}
	if q.From > 0 {
		add(`at >= ?`, q.From)
	}
	if q.To > 0 {
		add(`at < ?`, q.To)
	}
	if q.Actor != "" {
		add(`actor = ?`, string(q.Actor))
	}
	if q.Failed {
		add(`outcome <> 'ok'`)
	}
	if q.Words != "" {
		like := store.Contains(q.Words)
		add(`(lower(action) LIKE ? ESCAPE '\' OR lower(subject) LIKE ? ESCAPE '\' OR lower(detail) LIKE ? ESCAPE '\')`, like, like, like)
	}
	if q.Sites != nil {
		add(`site IN (`+store.In(len(q.Sites))+`)`, store.Args(strs(q.Sites))...)
	}
	return where, args
}

func strs(sites []id.Site) []string {
	out := make([]string, len(sites))
	for i, s := range sites {
		out[i] = string(s)
	}
	return out
}

func scanEntry(s store.Scanner) (Entry, error) {
	r, err := scanRow(s)
	if err != nil {
		return Entry{}, err
	}
	e := Entry{
		Node: id.Node(r.node), Seq: r.seq, At: r.at, Actor: id.User(r.actor), Site: id.Site(r.site), IP: r.ip, Session: r.session,
		Action: r.action, Outcome: r.outcome, Request: r.request, Prev: r.prev, Hash: r.hash,
	}
	if r.subject != "" && json.Unmarshal([]byte(r.subject), &e.Subject) != nil {
		e.Subject = map[string]string{"unreadable": r.subject} // tampered with: shown as it is
	}
	if r.detail != "" && json.Unmarshal([]byte(r.detail), &e.Detail) != nil {
		e.Detail = map[string]any{"unreadable": r.detail}
	}
	return e, nil
}

// clean makes text that both engines store, whatever a client sent.
func clean(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\ufffd"), "\x00", "\ufffd")
}
