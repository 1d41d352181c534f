package section

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/kapok-hotline/kapok/platform/store"
)

// width is the longest line an item is written on; longer ones are spread over several.
const width = 120

// Export gives the whole configuration as a file. Applied again it changes nothing. Secrets are not in it, nor is
// what is just as the program ships it.
func (b *Book) Export(ctx context.Context) ([]byte, error) {
	var out bytes.Buffer
	err := b.cfg.DB.Tx(ctx, func(tx *store.Tx) error {
		st, err := b.load(ctx, tx)
		if err != nil {
			return err
		}
		for _, s := range b.sections {
			h := st.sections[s.key]
			codes := slices.DeleteFunc(st.Codes(s.key), func(code string) bool { return h.items[code].plain })
			if len(codes) == 0 {
				continue
			}
			out.WriteString(s.key + ":\n")
			for _, code := range codes {
				t, err := fromJSON(h.items[code].body)
				if err != nil {
					return err
				}
				if s.single {
					writeFields(&out, t, 2)
					continue
				}
				out.WriteString("  - ")
				writeItem(&out, t, 4)
			}
		}
		return nil
	})
	return out.Bytes(), err
}

// writeItem writes a value whose first line has begun; further lines stand at indent.
func writeItem(out *bytes.Buffer, t *tree, indent int) {
	line := flowText(t)
	switch {
	case len(line)+indent <= width || t.kind == scalar || t.kind == null || empty(t):
		out.WriteString(line + "\n")
	case t.kind == mapping:
		for i, e := range t.keys {
			if i > 0 {
				out.WriteString(strings.Repeat(" ", indent))
			}
			writeField(out, e, indent)
		}
	default:
		for i, item := range t.items {
			if i > 0 {
				out.WriteString(strings.Repeat(" ", indent))
			}
			out.WriteString("- ")
			writeItem(out, item, indent+2)
		}
	}
}

func writeFields(out *bytes.Buffer, t *tree, indent int) {
	if len(t.keys) == 0 {
		out.WriteString(strings.Repeat(" ", indent) + "{}\n")
	}
	for _, e := range t.keys {
		out.WriteString(strings.Repeat(" ", indent))
		writeField(out, e, indent)
	}
}

func writeField(out *bytes.Buffer, e entry, indent int) {
	out.WriteString(plainText(e.name) + ":")
	line := flowText(e.value)
	if len(line)+len(e.name)+indent <= width || e.value.kind == scalar || empty(e.value) {
		out.WriteString(" " + line + "\n")
		return
	}
	out.WriteString("\n" + strings.Repeat(" ", indent+2))
	writeItem(out, e.value, indent+2)
}

func empty(t *tree) bool {
	return t.kind == null || t.kind == mapping && len(t.keys) == 0 || t.kind == list && len(t.items) == 0
}

// flowText writes a value on one line.
func flowText(t *tree) string {
	var parts []string
	switch t.kind {
	case null:
		return "null"
	case scalar:
		if !t.quoted {
			return t.text
		}
		return plainText(t.text)
	case list:
		for _, i := range t.items {
			parts = append(parts, flowText(i))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	}
	for _, e := range t.keys {
		parts = append(parts, plainText(e.name)+": "+flowText(e.value))
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

// plainText writes a string bare where nothing could be taken for something else, and quoted as JSON does
// otherwise, which YAML reads alike.
func plainText(s string) string {
	bare := s != "" && len(s) <= 80
	for i, r := range s {
		letter := r == '_' || unicode.Is(unicode.Han, r) || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		inner := r >= '0' && r <= '9' || r == '-' || r == '.' || r == '/'
		if !letter && (i == 0 || !inner) {
			bare = false
		}
	}
	switch strings.ToLower(s) {
	case "true", "false", "null", "yes", "no", "on", "off", "y", "n", "nan", "inf":
		bare = false
	}
	if bare {
		return s
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // a string can always be written
	return strings.TrimSuffix(b.String(), "\n")
}

func itoa(i int) string { return strconv.Itoa(i) }
