// Package audit keeps who did or looked at what, in a form that shows tampering: every entry carries a SHA-256
// over itself and the entry before, one chain per node, so that a changed, removed or slipped-in row breaks the
// chain. Somebody who rewrites a whole chain is found by a head that was noted elsewhere (Heads, Verify).
package audit

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"hash"
	"io/fs"

	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/clock"
	"github.com/kapok-hotline/kapok/platform/store"
)

//go:embed migrations/*.sql
var files embed.FS

// Migrations gives the package's tables, for store's Migrate under the name "audit".
func Migrations() fs.FS { return store.Folder(files, "migrations") }

// Entry is one line of the audit. Seq, At, Node, Prev and Hash are set by Append.
type Entry struct {
	Node    id.Node           `json:"node"`
	Seq     int64             `json:"seq"`
	At      int64             `json:"at"` // unix ms
	Actor   id.User           `json:"actor"`
	Site    id.Site           `json:"site"` // the actor's
	IP      string            `json:"ip"`
	Session string            `json:"session,omitempty"` // of the session or token
	Action  string            `json:"action"`            // "POST /api/v1/users/{code}/unlock", or a module's word
	Subject map[string]string `json:"subject,omitempty"`
	Outcome string            `json:"outcome"` // "ok" or a fault's code
	Detail  map[string]any    `json:"detail,omitempty"`
	Request string            `json:"request,omitempty"` // the id the person was told
	Prev    string            `json:"-"`
	Hash    string            `json:"hash"`
}

// Log writes and reads the audit. It is safe for use by many goroutines.
type Log struct {
	db    *store.DB
	node  id.Node
	clock clock.Clock
}

// New gives the log of the node on db, whose tables must have been migrated.
func New(db *store.DB, node id.Node, c clock.Clock) *Log { return &Log{db: db, node: node, clock: c} }

// Append writes the entry in a transaction of its own.
func (l *Log) Append(ctx context.Context, e Entry) error {
	return l.db.Tx(ctx, func(tx *store.Tx) error { return l.AppendTx(ctx, tx, e) })
}

// AppendTx writes the entry in tx: it is there if, and only if, what it tells of is.
func (l *Log) AppendTx(ctx context.Context, tx *store.Tx, e Entry) error {
	row, err := e.row()
	if err != nil {
		return err
	}
	if _, err := store.Exec(ctx, tx, `INSERT INTO audit_head (node, seq, hash) VALUES (?, 0, '') ON CONFLICT (node) DO NOTHING`, string(l.node)); err != nil {
		return err
	}
	head, err := store.One(ctx, tx, `SELECT node, seq, hash FROM audit_head WHERE node = ? FOR UPDATE`, scanHead, string(l.node))
	if err != nil {
		return err
	}
	row.node, row.seq, row.at, row.prev = string(l.node), head.Seq+1, l.clock.Now().UnixMilli(), head.Hash
	row.hash = row.sum()
	if _, err := store.Exec(ctx, tx, `INSERT INTO audit_entry (`+columns+`) VALUES (`+store.In(14)+`)`, row.args()...); err != nil {
		return err
	}
	return store.Change(ctx, tx, `UPDATE audit_head SET seq = ?, hash = ? WHERE node = ?`, row.seq, row.hash, row.node)
}

const columns = `node, seq, at, actor, site, ip, session, action, subject, outcome, detail, request, prev, hash`

// row is an entry as it lies in the table: what the hash is made of.
type row struct {
	node                                                                      string
	seq, at                                                                   int64
	actor, site, ip, session, action, subject, outcome, detail, request, prev string
	hash                                                                      string
}

func (e Entry) row() (*row, error) {
	subject, err := text(e.Subject, len(e.Subject))
	if err != nil {
		return nil, err
	}
	detail, err := text(e.Detail, len(e.Detail))
	if err != nil {
		return nil, err
	}
	return &row{
		actor: clean(string(e.Actor)), site: clean(string(e.Site)), ip: clean(e.IP), session: clean(e.Session), action: clean(e.Action),
		subject: subject, outcome: clean(e.Outcome), detail: detail, request: clean(e.Request),
	}, nil
}

func text(v any, n int) (string, error) {
	if n == 0 {
		return "", nil
	}
	b, err := json.Marshal(v)
	if err != nil {
		return "", fault.New(fault.Internal, "audit.entry.invalid").Because(err)
	}
	return string(b), nil
}

func (r *row) args() []any {
	return []any{r.node, r.seq, r.at, r.actor, r.site, r.ip, r.session, r.action, r.subject, r.outcome, r.detail, r.request, r.prev, r.hash}
}

func scanRow(s store.Scanner) (r row, err error) {
	return r, s.Scan(&r.node, &r.seq, &r.at, &r.actor, &r.site, &r.ip, &r.session, &r.action, &r.subject, &r.outcome, &r.detail, &r.request, &r.prev, &r.hash)
}

// sum is the hash of the row: SHA-256 over every column before it, each with its length, so that no two rows
// share an encoding.
func (r *row) sum() string {
	h := sha256.New()
	field(h, "kapok audit 1")
	field(h, r.node)
	_ = binary.Write(h, binary.BigEndian, [2]int64{r.seq, r.at}) // a hash does not fail
	for _, s := range []string{r.actor, r.site, r.ip, r.session, r.action, r.subject, r.outcome, r.detail, r.request, r.prev} {
		field(h, s)
	}
	return hex.EncodeToString(h.Sum(nil))
}

func field(h hash.Hash, s string) {
	_ = binary.Write(h, binary.BigEndian, uint32(len(s)))
	_, _ = h.Write([]byte(s))
}
