package section

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

func FuzzYAML(f *testing.F) {
	for _, s := range []string{
		"a: 1\nb: [x, {y: z}]\n", "- a\n- b: |\n    text\n", "? x\n: y\n", "a: &x 1\nb: *x\n", "<<: {a: b}\n", "---\na: b\n---\nc: d\n",
		"a: !!binary aGk=\n", "\xef\xbb\xbfa: b", "a: 0101\nb: 1_000\nc: .inf\nd: 0x1f\n", "[[[[[[[[", "- - - - - a", "a: \"\\u0000\\x41\"\n", "{a: b, a: c}", "a:\n\tb: c",
	} {
		f.Add([]byte(s))
	}
	schema := schemaOf(reflect.TypeFor[struct {
		Code string         `json:"code" minLength:"1"`
		N    int            `json:"n" minimum:"1"`
		L    []string       `json:"l"`
		M    map[string]int `json:"m"`
		Any  any            `json:"any"`
	}](), 0)
	f.Fuzz(func(t *testing.T, b []byte) {
		tr, p := fromYAML(b)
		if (tr == nil) == (p == nil) && p == nil {
			t.Fatal("neither a tree nor a problem")
		}
		if p != nil {
			return
		}
		r := &reader{}
		r.value(schema, tr, "")
		// What was read and is written again is read as the same.
		var out bytes.Buffer
		writeItem(&out, tr, 0)
		again, p := fromYAML(out.Bytes())
		if p != nil && p.Code != "section.yaml.line" && p.Code != "section.yaml.depth" {
			t.Fatalf("%q was written as %q, which cannot be read: %v", b, out.Bytes(), p)
		}
		if p == nil && shape(tr) != shape(again) {
			t.Fatalf("%q was written as %q\n%s\n%s", b, out.Bytes(), shape(tr), shape(again))
		}
	})
}

// shape writes a tree without lines: as JSON, scalars as their texts.
func shape(t *tree) string {
	var b strings.Builder
	switch t.kind {
	case null:
		return "null"
	case scalar:
		s, _ := json.Marshal(t.text)
		return string(s)
	case list:
		for _, i := range t.items {
			b.WriteString(shape(i) + ",")
		}
		return "[" + b.String() + "]"
	}
	for _, e := range t.keys {
		s, _ := json.Marshal(e.name)
		b.WriteString(string(s) + ":" + shape(e.value) + ",")
	}
	return "{" + b.String() + "}"
}

func FuzzStrings(f *testing.F) {
	for _, s := range []string{"", " ", "a b", "0101", "true", "Null", "~", "# no comment", "a: b", "- x", "多\n行", "\u2028", "\x00", "'", "\"", "\\", "{{x}}", "*a", "&a", "!x", "%", "@", "`", "=", "<<", "\t", "\U0001F600", "08:30-12:00", "\u0085", "\ufeff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if len(s) > maxLine/8 {
			return
		}
		s = strings.ToValidUTF8(s, "?")
		in := &tree{kind: mapping, keys: []entry{{name: "k", value: &tree{kind: list, items: []*tree{{kind: scalar, text: s, quoted: true}, {kind: mapping, keys: []entry{{name: s, value: &tree{kind: null}}}}}}}}}
		var out bytes.Buffer
		writeFields(&out, in, 0)
		again, p := fromYAML(out.Bytes())
		if p != nil {
			if p.Code == "section.yaml.depth" {
				return
			}
			t.Fatalf("%q was written as %q: %v", s, out.Bytes(), p)
		}
		if shape(in) != shape(again) {
			t.Fatalf("%q was written as %q and came back as %s", s, out.Bytes(), shape(again))
		}
	})
}

func FuzzTable(f *testing.F) {
	f.Add([]byte("code,name\nA,B\n"))
	f.Add([]byte("code\tname\nA\tB\n"))
	f.Add([]byte("PK\x03\x04rubbish"))
	f.Add([]byte("\xb1\xe0\xc2\xeb,x\n1,2\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		rows, err := readTable(b)
		if err == nil && (len(rows) < 2 || len(rows) > maxRows) {
			t.Fatalf("%d rows", len(rows))
		}
	})
}
