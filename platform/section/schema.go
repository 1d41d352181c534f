package section

import (
	"encoding"
	"encoding/json"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Schema describes a section's items: JSON Schema for pages and the API, and what strict reading goes by. It
// is derived from the struct's tags, those huma knows: json, doc, enum, minimum, maximum, minLength,
// maxLength, maxItems, pattern, default, format, writeOnly; and ref, the section whose codes the field holds.
type Schema struct {
	Type       string    `json:"type,omitempty"` // string, integer, number, boolean, array, object; empty: anything
	Title      string    `json:"title,omitempty"`
	Doc        string    `json:"description,omitempty"`
	Format     string    `json:"format,omitempty"` // duration, date, email …
	Enum       []string  `json:"enum,omitempty"`
	Minimum    *float64  `json:"minimum,omitempty"`
	Maximum    *float64  `json:"maximum,omitempty"`
	MinLength  int       `json:"minLength,omitempty"`
	MaxLength  int       `json:"maxLength,omitempty"`
	MaxItems   int       `json:"maxItems,omitempty"`
	Pattern    string    `json:"pattern,omitempty"`
	Default    any       `json:"default,omitempty"`
	WriteOnly  bool      `json:"writeOnly,omitempty"` // a secret: taken, never shown
	Ref        string    `json:"x-ref,omitempty"`     // codes of this section
	Properties Fields    `json:"properties,omitempty"`
	Required   []string  `json:"required,omitempty"`
	Items      *Schema   `json:"items,omitempty"`
	Values     *Schema   `json:"additionalProperties,omitempty"` // of a map
	Order      []string  `json:"x-order,omitempty"`              // the fields in the order of the struct
	codec      bool      // a text type checked by its own UnmarshalText
	zero       bool      // the zero value is left out of JSON: it may be missing
	probe      probeFunc // tries a text against the Go type; nil: no need
}

// Fields maps a field's name to its schema.
type Fields map[string]*Schema

type probeFunc func(text string) error

// deepest is how many structs may nest before a type counts as recursive.
const deepest = 12

// schemaOf derives the schema of a Go type.
func schemaOf(t reflect.Type, depth int) *Schema {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if p := reflect.PointerTo(t); p.Implements(reflect.TypeFor[encoding.TextUnmarshaler]()) {
		return &Schema{Type: "string", codec: true, probe: func(text string) error {
			return reflect.New(t).Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(text))
		}}
	}
	if t == reflect.TypeFor[json.RawMessage]() || depth > deepest {
		return &Schema{}
	}
	switch t.Kind() {
	case reflect.String:
		return &Schema{Type: "string"}
	case reflect.Bool:
		return &Schema{Type: "boolean"}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return &Schema{Type: "integer", probe: func(text string) error {
			return json.Unmarshal([]byte(text), reflect.New(t).Interface())
		}}
	case reflect.Float32, reflect.Float64:
		return &Schema{Type: "number"}
	case reflect.Slice, reflect.Array:
		return &Schema{Type: "array", Items: schemaOf(t.Elem(), depth+1)}
	case reflect.Map:
		return &Schema{Type: "object", Values: schemaOf(t.Elem(), depth+1)}
	case reflect.Struct:
		s := &Schema{Type: "object", Properties: Fields{}}
		s.addFields(t, depth)
		return s
	}
	return &Schema{}
}

func (s *Schema) addFields(t reflect.Type, depth int) {
	for i := range t.NumField() {
		f := t.Field(i)
		name, opts, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case name == "-" || !f.IsExported():
			continue
		case f.Anonymous && name == "":
			s.addFields(f.Type, depth)
			continue
		case name == "":
			name = f.Name
		}
		p := schemaOf(f.Type, depth+1)
		p.tags(f.Tag, name)
		p.zero = strings.Contains(opts, "omitempty") || strings.Contains(opts, "omitzero") || f.Type.Kind() == reflect.Pointer
		s.Properties[name] = p
		s.Order = append(s.Order, name)
		if p.needed(f.Tag) {
			s.Required = append(s.Required, name)
		}
	}
}

func (s *Schema) tags(tag reflect.StructTag, name string) {
	s.Doc, s.Format, s.Pattern, s.Ref = tag.Get("doc"), tag.Get("format"), tag.Get("pattern"), tag.Get("ref")
	s.MinLength, s.MaxLength, s.MaxItems = number(tag, "minLength"), number(tag, "maxLength"), number(tag, "maxItems")
	s.Minimum, s.Maximum = limit(tag, "minimum"), limit(tag, "maximum")
	s.WriteOnly = tag.Get("writeOnly") == "true" || name == "password"
	inner := s
	if s.Type == "array" && s.Items != nil { // as huma: enum, pattern and ref of a list are its items'
		inner = s.Items
		inner.Pattern, s.Pattern = s.Pattern, ""
		inner.Ref, s.Ref = s.Ref, ""
	}
	if e := tag.Get("enum"); e != "" {
		inner.Enum = strings.Split(e, ",")
	}
	if d, ok := tag.Lookup("default"); ok {
		s.Default = defaultOf(s.Type, d)
	}
}

func defaultOf(kind, text string) any {
	if kind == "string" {
		return text
	}
	var v any
	if json.Unmarshal([]byte(text), &v) != nil {
		return text
	}
	return v
}

// needed tells whether a field must be given: it is said to be required, or its zero value breaks its own
// rules and there is no default.
func (s *Schema) needed(tag reflect.StructTag) bool {
	if r := tag.Get("required"); r != "" {
		return r == "true"
	}
	if s.zero || s.Default != nil || s.WriteOnly {
		return false
	}
	switch s.Type {
	case "string":
		return s.MinLength > 0 || len(s.Enum) > 0 && !slices.Contains(s.Enum, "")
	case "integer", "number":
		return s.Minimum != nil && *s.Minimum > 0
	}
	return false
}

func number(tag reflect.StructTag, name string) int {
	n, err := strconv.Atoi(tag.Get(name))
	if err != nil {
		return 0
	}
	return n
}

func limit(tag reflect.StructTag, name string) *float64 {
	v, err := strconv.ParseFloat(tag.Get(name), 64)
	if err != nil {
		return nil
	}
	return &v
}

// secrets lists the names of the item's write-only fields.
func (s *Schema) secrets() []string {
	var out []string
	for _, name := range s.Order {
		if s.Properties[name].WriteOnly {
			out = append(out, name)
		}
	}
	return out
}

// matches tells whether the text fits the field's pattern; a pattern that does not compile is the program's
// mistake and found by the first test that makes the section.
func (s *Schema) matches(text string) bool {
	return s.Pattern == "" || regexp.MustCompile(s.Pattern).MatchString(text)
}
