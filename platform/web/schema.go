package web

import (
	"encoding/json"
	"io"
	"reflect"
	"strings"
	"unicode"

	"github.com/danielgtaylor/huma/v2"
)

// A list that is empty is [], never null (see filled), so its schema does not say null either. The switch is a
// variable of huma's package; it is set here once, before any schema is made.
func init() { huma.DefaultArrayNullable = false }

// schemaName puts the package before the type's name, so that two modules may each have a Row.
func schemaName(t reflect.Type, hint string) string {
	name := huma.DefaultSchemaNamer(t, hint)
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Name() == "" || t.PkgPath() == "" {
		return name
	}
	pkg := t.PkgPath()[strings.LastIndex(t.PkgPath(), "/")+1:]
	if pkg == "web" {
		return name
	}
	r := []rune(pkg)
	r[0] = unicode.ToUpper(r[0])
	return string(r) + name
}

func jsonFormat() huma.Format {
	return huma.Format{
		Marshal: func(w io.Writer, v any) error {
			enc := json.NewEncoder(w)
			enc.SetEscapeHTML(false)
			return enc.Encode(filled(v))
		},
		Unmarshal: json.Unmarshal,
	}
}

var marshaler = reflect.TypeFor[json.Marshaler]()

// filled gives v with every nil slice and map replaced by an empty one. What v shares with the rest of the program is
// not written to: parts are copied where something changes.
func filled(v any) any {
	if v == nil {
		return nil
	}
	if out, changed := fill(reflect.ValueOf(v), 0); changed {
		return out.Interface()
	}
	return v
}

// fill is filled for one value; depth bounds cycles of pointers, which JSON could not show either.
func fill(v reflect.Value, depth int) (reflect.Value, bool) {
	if depth > 32 || v.Type().Implements(marshaler) {
		return v, false
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		return fillPointer(v, depth)
	case reflect.Slice:
		return fillSlice(v, depth)
	case reflect.Struct:
		return fillStruct(v, depth)
	case reflect.Map:
		return fillMap(v, depth)
	}
	return v, false
}

func fillPointer(v reflect.Value, depth int) (reflect.Value, bool) {
	if v.IsNil() {
		return v, false
	}
	elem, changed := fill(v.Elem(), depth+1)
	if !changed || v.Kind() == reflect.Interface {
		return elem, changed
	}
	p := reflect.New(v.Type().Elem())
	p.Elem().Set(elem)
	return p, true
}

func fillSlice(v reflect.Value, depth int) (reflect.Value, bool) {
	if v.IsNil() {
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return v, false
		}
		return reflect.MakeSlice(v.Type(), 0, 0), true
	}
	if plain(v.Type().Elem()) {
		return v, false
	}
	var out reflect.Value
	for i := range v.Len() {
		elem, changed := fill(v.Index(i), depth+1)
		if !changed {
			continue
		}
		if !out.IsValid() {
			out = reflect.MakeSlice(v.Type(), v.Len(), v.Len())
			reflect.Copy(out, v)
		}
		out.Index(i).Set(elem)
	}
	if out.IsValid() {
		return out, true
	}
	return v, false
}

func fillStruct(v reflect.Value, depth int) (reflect.Value, bool) {
	var out reflect.Value
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if !f.IsExported() || strings.Contains(f.Tag.Get("json"), ",omit") || plain(f.Type) {
			continue
		}
		elem, changed := fill(v.Field(i), depth+1)
		if !changed {
			continue
		}
		if !out.IsValid() {
			out = reflect.New(v.Type()).Elem()
			out.Set(v)
		}
		out.Field(i).Set(elem)
	}
	if out.IsValid() {
		return out, true
	}
	return v, false
}

func fillMap(v reflect.Value, depth int) (reflect.Value, bool) {
	if v.IsNil() {
		return reflect.MakeMap(v.Type()), true
	}
	if plain(v.Type().Elem()) {
		return v, false
	}
	var out reflect.Value
	for it := v.MapRange(); it.Next(); {
		elem, changed := fill(it.Value(), depth+1)
		if !changed {
			continue
		}
		if !out.IsValid() {
			out = reflect.MakeMapWithSize(v.Type(), v.Len())
			for all := v.MapRange(); all.Next(); {
				out.SetMapIndex(all.Key(), all.Value())
			}
		}
		out.SetMapIndex(it.Key(), elem)
	}
	if out.IsValid() {
		return out, true
	}
	return v, false
}

// plain reports that no slice can hide in a value of the type.
func plain(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Pointer, reflect.Interface, reflect.Slice, reflect.Struct, reflect.Map:
		return false
	}
	return true
}
