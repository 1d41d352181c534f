package section

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/core/right"
	"github.com/kapok-hotline/kapok/platform/store"
)

// Options say how a change is made.
type Options struct {
	By     string // the user, for history and audit
	DryRun bool   // say what would change, and change nothing
	Prune  bool   // remove the items a file does not name, of the sections it does name
	// May asks whether the changer holds the right at the item's site; nil: they may. Its error ends the change.
	May func(section string, r right.Right, site id.Site) error
	// Since is the version the changer saw; an item changed after it is section.item.changed. 0: do not ask.
	Since int64
}

// Result is what a change came to. With Problems nothing was changed.
type Result struct {
	Version  int64     `json:"version"` // of the configuration afterwards
	Applied  bool      `json:"applied"`
	Changes  []Change  `json:"changes"`
	Problems []Problem `json:"problems"`
}

// edit is a change asked for, before it is known what it comes to.
type edit struct {
	items  []given
	drops  []ref
	prune  []string // sections
	broken []ref    // items that could not be read: who refers to them is not to blame
	table  bool     // rows of a table: what may not be touched is a problem of its row
}

type ref struct{ section, code string }

type given struct {
	section string
	tree    *tree
	item    item
	secrets bool // it carries a secret
}

// Apply brings the configuration to what the file says. Items it does not name stay (but see Options.Prune); the
// same file applied twice changes nothing the second time. Everything is put in one transaction, or, when
// there is any problem, nothing. The error is for failures of the house; the file's own are in the Result.
func (b *Book) Apply(ctx context.Context, file []byte, o Options) (Result, error) {
	t, p := fromYAML(file)
	if p != nil {
		v, err := b.Version(ctx)
		return Result{Version: v, Changes: []Change{}, Problems: []Problem{*p}}, err
	}
	e, problems := b.read(t)
	if o.Prune {
		for _, k := range t.keys {
			e.prune = append(e.prune, k.name)
		}
	}
	return b.make(ctx, e, problems, o)
}

// read turns the tree of a file into items.
func (b *Book) read(t *tree) (edit, []Problem) {
	var e edit
	r := &reader{}
	if t.kind != mapping {
		r.refuse(t, "", "value.type", "want", "object")
		return e, r.problems
	}
	for _, k := range t.keys {
		s, ok := b.section(k.name)
		switch {
		case !ok:
			at := &tree{line: k.line}
			if near := Nearest(k.name, b.Keys()); near != "" {
				r.refuse(at, k.name, "section.near", "key", k.name, "near", near)
			} else {
				r.refuse(at, k.name, "section.unknown", "key", k.name)
			}
		case k.value.kind == null:
		case s.single:
			if g, ok := r.item(s, k.value, s.key); ok {
				e.items = append(e.items, g)
			}
		case k.value.kind != list:
			r.refuse(k.value, s.key, "value.type", "want", "array")
		default:
			items, broken := r.items(s, k.value)
			e.items, e.broken = append(e.items, items...), append(e.broken, broken...)
		}
	}
	return e, r.problems
}

func (r *reader) items(s Section, t *tree) (out []given, broken []ref) {
	seen := map[string]bool{}
	for i, v := range t.items {
		path := join(s.key, "["+itoa(i)+"]")
		if code := v.get(s.idField); code != nil && code.kind == scalar && code.text != "" {
			path = s.path(code.text)
			if seen[code.text] {
				r.refuse(v, path, "code.double", "code", code.text)
				continue
			}
			seen[code.text] = true
		} else if v.kind == mapping {
			r.refuse(v, join(path, s.idField), "value.missing", "field", s.idField)
			continue
		}
		if g, ok := r.item(s, v, path); ok {
			out = append(out, g)
		} else if code := v.get(s.idField); code != nil {
			broken = append(broken, ref{s.key, code.text})
		}
	}
	return out, broken
}

// item reads one item; false when it has problems.
func (r *reader) item(s Section, t *tree, path string) (given, bool) {
	before := len(r.problems)
	v := r.value(s.schema, t, path)
	if len(r.problems) > before {
		return given{}, false
	}
	body, err := json.Marshal(v)
	var it item
	if err == nil {
		it, err = s.decode(body)
	}
	if err != nil {
		r.refuse(t, path, "value.text", "value", "", "reason", err.Error())
		return given{}, false
	}
	if !codeFits(it.code) {
		r.refuse(t, path, "code.form", "code", it.code)
		return given{}, false
	}
	g := given{section: s.key, tree: t, item: it}
	for _, name := range s.schema.secrets() {
		if v := t.get(name); v != nil && v.text != "" {
			g.secrets = true
		}
	}
	return g, true
}

// codeFits bounds codes: they stand in paths, keys and addresses.
func codeFits(code string) bool {
	return code != "" && len(code) <= 64 && !bytes.ContainsAny([]byte(code), "/[]{}?#%\\\"'\x00\n\r\t ")
}

// errKept ends the transaction of a change that is not to be kept.
var errKept = errors.New("nothing is changed")

// make does the edit in one transaction.
func (b *Book) make(ctx context.Context, e edit, problems []Problem, o Options) (Result, error) {
	var res Result
	err := b.cfg.DB.Tx(ctx, func(tx *store.Tx) error {
		if err := tx.Lock(ctx, "section"); err != nil {
			return err
		}
		p := &plan{b: b, tx: tx, o: o, problems: problems}
		if err := p.draw(ctx, e); err != nil {
			return err
		}
		res = Result{Version: p.version, Changes: p.changes, Problems: p.problems}
		if o.DryRun || len(p.problems) > 0 || len(p.changes) == 0 {
			return errKept
		}
		if err := p.execute(ctx); err != nil {
			return err
		}
		res.Version, res.Applied = p.version, true
		return nil
	})
	if errors.Is(err, errKept) {
		err = nil
	}
	if err != nil {
		return Result{}, err
	}
	if res.Changes == nil {
		res.Changes = []Change{}
	}
	if res.Problems == nil {
		res.Problems = []Problem{}
	}
	res.Applied = res.Applied || !o.DryRun && len(res.Problems) == 0
	return res, nil
}

// plan is an edit on its way through a transaction.
type plan struct {
	b        *Book
	tx       *store.Tx
	o        Options
	version  int64
	changes  []Change
	problems []Problem
	puts     []given
	drops    []ref
}

// draw finds out what the edit changes and what is wrong with it.
func (p *plan) draw(ctx context.Context, e edit) error {
	var err error
	if p.version, err = version(ctx, p.tx); err != nil {
		return err
	}
	before, err := p.b.load(ctx, p.tx)
	if err != nil {
		return err
	}
	after := before.clone()
	for _, g := range e.items {
		err := p.drawItem(ctx, before, after, g)
		if e.table && fault.KindOf(err) == fault.Forbidden {
			p.problems = append(p.problems, p.refusal(after, g, err))
			err = nil
		}
		if err != nil {
			return err
		}
	}
	for _, key := range e.prune {
		e.drops = append(e.drops, p.pruned(before, e, key)...)
	}
	for _, d := range e.drops {
		if err := p.drawDrop(ctx, before, after, d); err != nil {
			return err
		}
	}
	p.weigh(before, after, e)
	return nil
}

func (p *plan) drawItem(ctx context.Context, before, after *state, g given) error {
	s, _ := p.b.section(g.section)
	old, there := before.sections[g.section].items[g.item.code]
	c := Change{Section: g.section, Code: g.item.code, Kind: "create", After: g.item.body, By: p.o.By}
	if there {
		c.Kind, c.Before = "change", old.body
		fields, err := differing(old.body, g.item.body)
		if err != nil {
			return err
		}
		c.Fields = fields
		if g.secrets {
			same := false
			if s.secret != nil {
				if same, err = s.secret(ctx, p.tx, g.item); err != nil {
					return err
				}
			}
			if !same {
				c.Fields = append(c.Fields, s.schema.secrets()...)
			}
		}
		if len(c.Fields) == 0 {
			return nil
		}
		if err := p.allowed(ctx, s, g.item.code, old.site); err != nil {
			return err
		}
	}
	if err := p.allowed(ctx, s, g.item.code, g.item.site); err != nil {
		return err
	}
	after.sections[g.section].put(g.item)
	p.changes = append(p.changes, c)
	p.puts = append(p.puts, g)
	return nil
}

// refusal is the problem of a row whose item may not be touched: often its site is only misspelt.
func (p *plan) refusal(after *state, g given, err error) Problem {
	s, _ := p.b.section(g.section)
	path := s.path(g.item.code)
	x := Problem{Path: path, Code: fault.CodeOf(err)}
	if f, ok := errors.AsType[*fault.Fault](err); ok {
		x.Params = f.Params
	}
	if unknown := after.Need(path+".site", "sites", string(g.item.site)); len(unknown) > 0 {
		x = unknown[0]
	}
	x.Line = g.tree.line
	return x
}

func (p *plan) drawDrop(ctx context.Context, before, after *state, d ref) error {
	s, _ := p.b.section(d.section)
	old, there := before.sections[d.section].items[d.code]
	if !there {
		return fault.New(fault.NotFound, "section.item.missing", "section", d.section, "code", d.code)
	}
	if s.drop == nil || s.single {
		return fault.New(fault.Invalid, "section.item.fixed", "section", d.section, "code", d.code)
	}
	if err := p.allowed(ctx, s, d.code, old.site); err != nil {
		return err
	}
	after.sections[d.section].drop(d.code)
	p.changes = append(p.changes, Change{Section: d.section, Code: d.code, Kind: "drop", Before: old.body, By: p.o.By})
	p.drops = append(p.drops, d)
	return nil
}

// pruned lists what the file does not name of a section it names.
func (p *plan) pruned(before *state, e edit, key string) []ref {
	s, ok := p.b.section(key)
	if !ok || s.single || s.drop == nil {
		return nil
	}
	named := map[string]bool{}
	for _, g := range e.items {
		if g.section == key {
			named[g.item.code] = true
		}
	}
	var out []ref
	for _, code := range before.sections[key].codes {
		if !named[code] {
			out = append(out, ref{key, code})
		}
	}
	return out
}

// allowed asks whether the changer may touch the item, and whether somebody else did meanwhile.
func (p *plan) allowed(ctx context.Context, s Section, code string, site id.Site) error {
	if p.o.May != nil {
		if err := p.o.May(s.key, s.right, site); err != nil {
			return err
		}
	}
	if p.o.Since == 0 {
		return nil
	}
	last, err := store.One(ctx, p.tx, `SELECT COALESCE(MAX(version), 0) FROM section_item WHERE section = ? AND code = ?`,
		store.Col[int64], s.key, code)
	if err == nil && last > p.o.Since {
		err = fault.New(fault.Conflict, "section.item.changed", "section", s.key, "code", code, "version", last)
	}
	return err
}

// weigh adds the problems the change would bring; those that were there before do not stand in its way,
// unless they are of an item it touches.
func (p *plan) weigh(before, after *state, e edit) {
	old := map[string]bool{}
	for _, x := range p.b.check(before) {
		old[x.same()] = true
	}
	for _, x := range p.b.check(after) {
		ours := touched(p.b, e, &x)
		switch {
		case slices.Contains(e.broken, named(x)):
		case slices.Contains(p.drops, named(x)) && !old[x.same()]:
			to := named(x)
			needed := problem(x.Path, "item.needed", "section", to.section, "code", to.code, "by", x.Path)
			needed.Line = x.Line
			p.problems = append(p.problems, needed)
		case ours || !old[x.same()]:
			p.problems = append(p.problems, x)
		}
	}
	slices.SortStableFunc(p.problems, func(a, b Problem) int { return a.Line - b.Line })
}

// named gives the item a problem misses, the zero ref when it is of another sort.
func named(x Problem) (r ref) {
	if strings.HasPrefix(x.Code, "section.ref.") {
		r.section, _ = x.Params["section"].(string)
		r.code, _ = x.Params["name"].(string)
	}
	return r
}

// touched tells whether the problem is of an item given, and finds its line there.
func touched(b *Book, e edit, x *Problem) bool {
	for _, g := range e.items {
		s, _ := b.section(g.section)
		base := s.path(g.item.code)
		rest, ok := cutPath(x.Path, base)
		if !ok {
			continue
		}
		x.Line = g.tree.lineOf(rest)
		return true
	}
	return false
}

func cutPath(path, base string) (rest string, ok bool) {
	if len(path) < len(base) || path[:len(base)] != base {
		return "", false
	}
	rest = path[len(base):]
	if rest == "" || rest[0] == '[' {
		return rest, true
	}
	return rest[1:], rest[0] == '.'
}

// execute puts and drops, counts the version up and writes the history.
func (p *plan) execute(ctx context.Context) error {
	slices.SortStableFunc(p.puts, func(a, b given) int { return p.b.order(a.section) - p.b.order(b.section) })
	slices.SortStableFunc(p.drops, func(a, b ref) int { return p.b.order(b.section) - p.b.order(a.section) })
	for _, d := range p.drops {
		s, _ := p.b.section(d.section)
		if err := s.drop(ctx, p.tx, d.code); err != nil {
			return err
		}
	}
	for _, g := range p.puts {
		s, _ := p.b.section(g.section)
		if err := s.put(ctx, p.tx, g.item); err != nil {
			return err
		}
	}
	p.version++
	at := p.b.cfg.Clock.Now().UnixMilli()
	_, err := store.Exec(ctx, p.tx, `INSERT INTO section_version (id, version, at) VALUES (1, ?, ?)
		ON CONFLICT (id) DO UPDATE SET version = excluded.version, at = excluded.at`, p.version, at)
	if err != nil {
		return err
	}
	for _, c := range p.changes {
		if err := p.remember(ctx, c, at); err != nil {
			return err
		}
	}
	v := Version{p.version}
	p.tx.AfterCommit(func() { p.b.tell(v) })
	return nil
}

func (p *plan) remember(ctx context.Context, c Change, at int64) error {
	_, err := store.Exec(ctx, p.tx, `INSERT INTO section_item (section, code, version) VALUES (?, ?, ?)
		ON CONFLICT (section, code) DO UPDATE SET version = excluded.version`, c.Section, c.Code, p.version)
	if err != nil {
		return err
	}
	_, err = store.Exec(ctx, p.tx, `INSERT INTO section_change (version, section, code, kind, at, actor, body) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		p.version, c.Section, c.Code, c.Kind, at, c.By, string(c.After))
	if err != nil || p.b.cfg.Audit == nil {
		return err
	}
	return p.b.cfg.Audit(ctx, p.tx, c)
}

func (b *Book) order(key string) int {
	s, _ := b.section(key)
	return s.order
}

func (b *Book) tell(v Version) {
	if b.cfg.Bus == nil {
		return
	}
	if err := b.cfg.Bus.Publish(Changed, v); err != nil {
		b.cfg.Log.Error("a change of configuration could not be told", "version", v.Version, "error", err)
	}
}

// differing lists the top-level fields in which two items differ, in the order of the second.
func differing(a, b []byte) ([]string, error) {
	old, err := members(a)
	if err != nil {
		return nil, err
	}
	now, err := members(b)
	if err != nil {
		return nil, err
	}
	was := map[string]string{}
	for _, m := range old {
		was[m.name] = string(m.value)
	}
	var out []string
	for _, m := range now {
		if v, there := was[m.name]; !there || v != string(m.value) {
			out = append(out, m.name)
		}
		delete(was, m.name)
	}
	for _, m := range old {
		if _, gone := was[m.name]; gone {
			out = append(out, m.name)
		}
	}
	return out, nil
}
