package section

import (
	"strings"
	"testing"
	"time"
)

// Files made to cost the parser much are refused before it sees them, or read in a time that grows with
// their length alone.
func TestHostileFiles(t *testing.T) {
	for _, c := range []struct{ name, file, code string }{
		{"a million keys", strings.Repeat("k: v\n", 1_000_000), "section.yaml.run"},
		{"a text of endless lines", "a: x\n" + strings.Repeat("  y\n", 100_000), "section.yaml.run"},
		{"brackets", strings.Repeat("[", 100_000), "section.yaml.line"},
		{"brackets over lines", strings.Repeat("[\n", 10_000), "section.yaml.depth"},
		{"dashes", strings.Repeat("- ", 100_000), "section.yaml.line"},
		{"nine megabytes", strings.Repeat("# comment\n", 900_000), "section.yaml.size"},
		{"not UTF-8", "a: \xb1\xe0\xc2\xeb", "section.yaml.encoding"},
		{"aliases of aliases", "a: &a [x, x]\nb: &b [*a, *a]\n", "section.yaml.feature"},
		{"a staircase", stairs(200), "section.yaml.depth"},
		{"two documents", "a: b\n---\nc: d\n", "section.yaml.documents"},
		{"a long list", strings.Repeat("- {code: c, name: 名称}\n", 20_000), ""},
		{"a long list of blocks", strings.Repeat("- code: c\n  name: 名称\n", 20_000), ""},
	} {
		began := time.Now()
		_, p := fromYAML([]byte(c.file))
		switch {
		case p == nil && c.code != "":
			t.Errorf("%s was taken", c.name)
		case p != nil && p.Code != c.code:
			t.Errorf("%s: %v", c.name, p)
		}
		if d := time.Since(began); d > 20*time.Second {
			t.Errorf("%s took %v", c.name, d)
		}
	}
}

func stairs(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.Repeat(" ", i) + "a:\n")
	}
	return b.String()
}
