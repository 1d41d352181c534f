package conf

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

const maxFile = 64 << 10 // bytes

// parseFile reads the YAML file: one mapping of names to scalars or, for lists, sequences of scalars.
func parseFile(path, source string, readFile func(string) ([]byte, error)) (map[string]setting, error) {
	data, err := readFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &Error{source, fmt.Sprintf("there is no file %s: make it, or leave --config out", path)}
	}
	if err != nil {
		return nil, &Error{source, fmt.Sprintf("%s cannot be read: %v", path, err)}
	}
	return parseYAML(filepath.Base(path), data)
}

func parseYAML(name string, data []byte) (found map[string]setting, err error) {
	if len(data) > maxFile {
		return nil, &Error{name, "it is larger than 64 KiB: that is no configuration"}
	}
	defer func() { // the parser's, on input it does not expect
		if p := recover(); p != nil {
			found, err = nil, &Error{name, fmt.Sprintf("it is not YAML: %v", p)}
		}
	}()
	file, err := parser.ParseBytes(data, 0)
	if err != nil {
		return nil, &Error{name, "it is not YAML: " + strings.TrimSpace(yaml.FormatError(err, false, true))}
	}
	found = map[string]setting{}
	for _, doc := range file.Docs {
		var pairs []*ast.MappingValueNode
		switch body := doc.Body.(type) {
		case nil, *ast.NullNode, *ast.CommentGroupNode:
			continue
		case *ast.MappingNode:
			pairs = body.Values
		case *ast.MappingValueNode:
			pairs = []*ast.MappingValueNode{body}
		default:
			return nil, &Error{at(name, doc.Body), "lines of the form `name: value` are expected here"}
		}
		for _, pair := range pairs {
			if err := readPair(name, pair, found); err != nil {
				return nil, err
			}
		}
	}
	return found, nil
}

func readPair(name string, pair *ast.MappingValueNode, found map[string]setting) error {
	where := at(name, pair.Key)
	key := scalar(pair.Key)
	if find(key) == nil || key == "config" {
		return &Error{where, fmt.Sprintf("there is no setting %q%s", key, suggest("", key))}
	}
	if _, twice := found[key]; twice {
		return &Error{where, fmt.Sprintf("%q is set a second time: leave one out", key)}
	}
	switch v := pair.Value.(type) {
	case *ast.NullNode:
		return &Error{where, fmt.Sprintf("%q has no value: give it one, or leave the line out", key)}
	case *ast.SequenceNode:
		var items []string
		for _, item := range v.Values {
			if _, ok := item.(ast.ScalarNode); !ok {
				return &Error{at(name, item), fmt.Sprintf("%q is a list of single values", key)}
			}
			items = append(items, scalar(item))
		}
		found[key] = setting{strings.Join(items, ","), where}
	case ast.ScalarNode:
		found[key] = setting{scalar(v), where}
	default:
		return &Error{where, fmt.Sprintf("%q is a single value or a list of them", key)}
	}
	return nil
}

// scalar gives the value as it is written, without quotes: 0755 stays 0755.
func scalar(n ast.Node) string {
	switch v := n.(type) {
	case *ast.StringNode:
		return v.Value
	case *ast.LiteralNode:
		return strings.TrimSpace(v.Value.Value)
	}
	if t := n.GetToken(); t != nil {
		return t.Value
	}
	return ""
}

func at(name string, n ast.Node) string {
	if t := n.GetToken(); t != nil && t.Position != nil {
		return fmt.Sprintf("%s:%d", name, t.Position.Line)
	}
	return name
}
