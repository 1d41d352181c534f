package flow

import (
	"reflect"
	"slices"
	"strings"
)

// KindForm says what a node of a kind can be given, for forms and palettes.
type KindForm struct {
	Kind     Kind     `json:"kind"`
	Fields   []string `json:"fields"`   // beside id, kind, name, name_en and served, in the order of Node
	Required []string `json:"required"` // of them
	Ports    []string `json:"ports"`    // of them: each leads to another node; keys and cases hold one each
	Ends     bool     `json:"ends"`     // the contact may leave the flow here
}

// Kinds lists the kinds of node in the order of Node.Kind's own list.
func Kinds() []KindForm {
	t := reflect.TypeFor[Node]()
	kind, _ := t.FieldByName("Kind")
	var out []KindForm
	for _, name := range strings.Split(kind.Tag.Get("enum"), ",") {
		f := KindForm{Kind: Kind(name), Fields: []string{}, Required: []string{}, Ports: []string{}}
		f.Ends = (&Node{Kind: f.Kind}).Ends()
		allowed := fields(f.Kind)
		for i := range t.NumField() {
			field := yamlName(t.Field(i))
			must := slices.Contains(allowed, field+"*")
			if !must && !slices.Contains(allowed, field) {
				continue
			}
			f.Fields = append(f.Fields, field)
			if must {
				f.Required = append(f.Required, field)
			}
			if leads(f.Kind, i) {
				f.Ports = append(f.Ports, field)
			}
		}
		out = append(out, f)
	}
	return out
}

func yamlName(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
	return name
}

// leads reports whether the field of Node is a way out: whether a node that has it filled in has an edge there.
func leads(k Kind, field int) bool {
	const there = "there"
	n := &Node{Kind: k}
	v := reflect.ValueOf(n).Elem().Field(field)
	switch {
	case v.Kind() == reflect.String:
		v.SetString(there)
	case v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Struct:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		to := v.Index(0).FieldByName("To")
		if !to.IsValid() || to.Kind() != reflect.String {
			return false
		}
		to.SetString(there)
	default:
		return false
	}
	return slices.ContainsFunc(n.Edges(), func(e Edge) bool { return e.To == there })
}
