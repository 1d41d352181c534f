package section

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/kapok-hotline/kapok/core/fault"
)

// kind says what a tree node is. A scalar's type is decided by the schema, not by the look of the text: the
// code 0101 stays "0101" though YAML would make a number of it.
type kind int

const (
	null kind = iota
	scalar
	list
	mapping
)

// tree is input before it has a type: YAML, JSON and table rows alike, with the line each thing stood in.
type tree struct {
	kind   kind
	line   int // from 1; 0 when the source has none
	text   string
	quoted bool // a scalar that is a string whatever it looks like
	items  []*tree
	keys   []entry
}

type entry struct {
	name  string
	line  int
	value *tree
}

func (t *tree) get(name string) *tree {
	for _, e := range t.keys {
		if e.name == name {
			return e.value
		}
	}
	return nil
}

// set puts the value under the name, in place of what was there.
func (t *tree) set(name string, line int, v *tree) {
	for i := range t.keys {
		if t.keys[i].name == name {
			t.keys[i] = entry{name, line, v}
			return
		}
	}
	t.keys = append(t.keys, entry{name, line, v})
}

// lineOf finds the line of a path like `needs[0].skill` below t: of the deepest part there is.
func (t *tree) lineOf(path string) int {
	line := t.line
	for path != "" && t != nil {
		var step string
		step, path = cutStep(path)
		var next *tree
		if n, ok := strings.CutPrefix(step, "["); ok {
			i := 0
			if _, err := fmt.Sscanf(n, "%d]", &i); err == nil && i >= 0 && i < len(t.items) {
				next = t.items[i]
			}
		} else {
			for _, e := range t.keys {
				if e.name == step {
					next, line = e.value, e.line
				}
			}
		}
		if next == nil {
			break
		}
		if t = next; strings.HasPrefix(step, "[") {
			line = t.line
		}
	}
	return line
}

// cutStep takes the first step, a name or an index with its brackets, off a path.
func cutStep(path string) (step, rest string) {
	if path[0] == '[' {
		if i := strings.IndexByte(path, ']'); i >= 0 {
			return path[:i+1], strings.TrimPrefix(path[i+1:], ".")
		}
		return path, ""
	}
	i := strings.IndexAny(path, ".[")
	if i < 0 {
		return path, ""
	}
	return path[:i], strings.TrimPrefix(path[i:], ".")
}

// maxDepth bounds how deep input may nest; no section comes near it.
const maxDepth = 64

// fromJSON reads one JSON value; keys keep their order.
func fromJSON(b []byte) (*tree, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	t, err := jsonValue(d, 0)
	if err == nil {
		if _, err = d.Token(); errors.Is(err, io.EOF) {
			return t, nil
		}
		err = errors.New("more than one value")
	}
	return nil, fault.New(fault.Invalid, "section.json.syntax", "reason", err.Error()).Because(err)
}

func jsonValue(d *json.Decoder, depth int) (*tree, error) {
	tok, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch v := tok.(type) {
	case nil:
		return &tree{kind: null}, nil
	case string:
		return &tree{kind: scalar, text: v, quoted: true}, nil
	case json.Delim:
		if depth >= maxDepth {
			return nil, errors.New("nested too deep")
		}
		if v == '[' {
			return jsonList(d, depth)
		}
		return jsonMap(d, depth)
	}
	return &tree{kind: scalar, text: fmt.Sprint(tok)}, nil // a number or a truth value
}

func jsonList(d *json.Decoder, depth int) (*tree, error) {
	t := &tree{kind: list}
	for d.More() {
		v, err := jsonValue(d, depth+1)
		if err != nil {
			return nil, err
		}
		t.items = append(t.items, v)
	}
	_, err := d.Token()
	return t, err
}

func jsonMap(d *json.Decoder, depth int) (*tree, error) {
	t := &tree{kind: mapping}
	seen := map[string]bool{}
	for d.More() {
		tok, err := d.Token()
		if err != nil {
			return nil, err
		}
		v, err := jsonValue(d, depth+1)
		if err != nil {
			return nil, err
		}
		name := tok.(string) // a JSON key is a string, or the decoder has failed before
		if seen[name] {
			return nil, fmt.Errorf("the key %q comes twice", name)
		}
		seen[name] = true
		t.keys = append(t.keys, entry{name: name, value: v})
	}
	_, err := d.Token()
	return t, err
}
