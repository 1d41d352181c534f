package section

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// Bounds of a configuration file. The parser recurses, so nesting must be bounded before it runs: a line of
// dashes nests once per two bytes, brackets nest once per byte.
const (
	maxFile = 8 << 20
	maxLine = 16 << 10
	maxRun  = 4000 // lines in a row at one indentation that begin no list item: the parser's time grows with their square
)

// fromYAML reads a file into a tree, or says in which line it cannot be read. Anchors and aliases are not
// taken: a few bytes of them can stand for gigabytes.
func fromYAML(b []byte) (t *tree, problem *Problem) {
	defer func() {
		if p := recover(); p != nil { // the parser's mistake must not end the process
			t, problem = nil, &Problem{Code: "section.yaml.syntax", Params: map[string]any{"reason": fmt.Sprint(p)}}
		}
	}()
	b = bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))
	if p := bounded(b); p != nil {
		return nil, p
	}
	file, err := parser.ParseBytes(b, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		return nil, syntax(err)
	}
	if len(file.Docs) > 1 {
		return nil, &Problem{Code: "section.yaml.documents"}
	}
	if len(file.Docs) == 0 || file.Docs[0].Body == nil {
		return &tree{kind: mapping}, nil
	}
	r := yamlReader{}
	t = r.node(file.Docs[0].Body, 0)
	return t, r.problem
}

func bounded(b []byte) *Problem {
	switch {
	case len(b) > maxFile:
		return &Problem{Code: "section.yaml.size", Params: map[string]any{"most": maxFile}}
	case !utf8.Valid(b):
		return &Problem{Code: "section.yaml.encoding"}
	}
	depth, line := 0, 1
	var runs runs
	for row := range bytes.Lines(b) {
		if runs.longer(row) {
			return &Problem{Line: line, Code: "section.yaml.run", Params: map[string]any{"most": maxRun}}
		}
		if len(row) > maxLine {
			return &Problem{Line: line, Code: "section.yaml.line", Params: map[string]any{"most": maxLine}}
		}
		opened, closed := bytes.Count(row, []byte("["))+bytes.Count(row, []byte("{")), bytes.Count(row, []byte("]"))+bytes.Count(row, []byte("}"))
		if opened > 2*maxDepth && opened-closed > maxDepth || depth+opened-closed > maxDepth {
			return &Problem{Line: line, Code: "section.yaml.depth", Params: map[string]any{"most": maxDepth}}
		}
		depth = max(depth+opened-closed, 0)
		line++
	}
	return nil
}

// runs counts, for each indentation above the current line, the lines in a row that have it.
type runs []struct{ indent, lines int }

// longer takes in a line and tells whether its run is too long.
func (r *runs) longer(row []byte) bool {
	text := bytes.TrimLeft(row, " ")
	if len(bytes.TrimSpace(text)) == 0 || text[0] == '#' {
		return false
	}
	indent := len(row) - len(text)
	for n := len(*r); n > 0 && (*r)[n-1].indent > indent; n-- {
		*r = (*r)[:n-1]
	}
	n := len(*r)
	if n == 0 || (*r)[n-1].indent < indent {
		*r = append(*r, struct{ indent, lines int }{indent, 0})
		n++
	}
	if bytes.HasPrefix(text, []byte("- ")) {
		(*r)[n-1].lines = 0
	} else {
		(*r)[n-1].lines++
	}
	return (*r)[n-1].lines > maxRun
}

func syntax(err error) *Problem {
	p := &Problem{Code: "section.yaml.syntax", Params: map[string]any{"reason": err.Error()}}
	if e, ok := errors.AsType[yaml.Error](err); ok {
		p.Params["reason"] = e.GetMessage()
		if tk := e.GetToken(); tk != nil && tk.Position != nil {
			p.Line = tk.Position.Line
		}
	}
	return p
}

type yamlReader struct{ problem *Problem }

func (r *yamlReader) refuse(line int, code string, params ...any) *tree {
	if r.problem == nil {
		p := problem("", code, params...)
		p.Line = line
		r.problem = &p
	}
	return &tree{kind: null, line: line}
}

// node turns a node of the parser into a tree; after the first problem the result does not matter.
func (r *yamlReader) node(n ast.Node, depth int) *tree {
	if n == nil {
		return &tree{kind: null}
	}
	line := 0
	if tk := n.GetToken(); tk != nil && tk.Position != nil {
		line = tk.Position.Line
	}
	if depth > maxDepth {
		return r.refuse(line, "yaml.depth", "most", maxDepth)
	}
	switch v := n.(type) {
	case *ast.MappingNode:
		t := &tree{kind: mapping, line: line}
		seen := make(map[string]bool, len(v.Values))
		for _, pair := range v.Values {
			r.pair(t, pair, depth, seen)
		}
		if len(t.keys) > 0 {
			t.line = t.keys[0].line // the parser's own position is the colon's
		}
		return t
	case *ast.MappingValueNode:
		t := &tree{kind: mapping, line: line}
		r.pair(t, v, depth, map[string]bool{})
		return t
	case *ast.SequenceNode:
		t := &tree{kind: list, line: line}
		for _, item := range v.Values {
			t.items = append(t.items, r.node(item, depth+1))
		}
		return t
	case *ast.NullNode:
		return &tree{kind: null, line: line}
	case *ast.StringNode:
		return &tree{kind: scalar, line: line, text: v.Value, quoted: true}
	case *ast.LiteralNode:
		return &tree{kind: scalar, line: line, text: v.Value.Value, quoted: true}
	case *ast.BoolNode, *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		return &tree{kind: scalar, line: line, text: strings.TrimSpace(n.GetToken().Value)}
	case *ast.CommentGroupNode:
		return &tree{kind: null, line: line}
	}
	return r.refuse(line, "yaml.feature", "what", n.Type().String())
}

func (r *yamlReader) pair(t *tree, pair *ast.MappingValueNode, depth int, seen map[string]bool) {
	key := r.node(pair.Key, depth+1)
	if key.kind != scalar {
		r.refuse(key.line, "yaml.feature", "what", "key")
		return
	}
	if seen[key.text] {
		r.refuse(key.line, "yaml.double", "key", key.text)
		return
	}
	seen[key.text] = true
	v := r.node(pair.Value, depth+1)
	if v.line == 0 {
		v.line = key.line
	}
	t.keys = append(t.keys, entry{name: key.text, line: key.line, value: v})
}
