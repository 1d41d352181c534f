package app

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/kapok-hotline/kapok/platform/web"
)

var placeholder = regexp.MustCompile(`\{[^}]*\}`)

// sentences reads every text of the program: language, key, sentence. A key two sets give differently is a failure.
func sentences(t *testing.T) map[string]map[string]string {
	t.Helper()
	all := map[string]map[string]string{}
	for _, lang := range web.Languages() {
		all[lang] = map[string]string{}
		for i, files := range ownTexts() {
			b, err := fs.ReadFile(files, lang+".json")
			if err != nil {
				t.Fatalf("set %d: %v", i, err)
			}
			set := map[string]string{}
			if err := json.Unmarshal(b, &set); err != nil {
				t.Fatalf("set %d, %s: %v", i, lang, err)
			}
			for k, v := range set {
				if old, ok := all[lang][k]; ok && old != v {
					t.Errorf("%s: %s is said as %q and as %q", lang, k, old, v)
				}
				all[lang][k] = v
			}
		}
	}
	return all
}

// TestTextsAgree wants the same keys with the same placeholders in Chinese and English, each a sentence.
func TestTextsAgree(t *testing.T) {
	all := sentences(t)
	zh, en := all["zh"], all["en"]
	for k := range zh {
		if _, ok := en[k]; !ok {
			t.Errorf("en: no %s", k)
		}
	}
	for k, v := range en {
		w, ok := zh[k]
		if !ok {
			t.Errorf("zh: no %s", k)
			continue
		}
		if got, want := params(v), params(w); !slices.Equal(got, want) {
			t.Errorf("%s: en speaks of %v, zh of %v", k, got, want)
		}
		if strings.TrimSpace(v) == "" || strings.TrimSpace(w) == "" {
			t.Errorf("%s says nothing", k)
		}
	}
}

func params(text string) []string {
	found := placeholder.FindAllString(text, -1)
	for i, p := range found {
		found[i] = strings.Replace(p, "_en}", "}", 1) // the English name of the same thing
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// said is one place in the program that speaks in codes.
type said struct {
	at     string
	code   string
	prefix bool     // the rest of the code is made at run time
	params []string // names given with it
	whole  bool     // params are all there are
}

// TestEveryCodeHasASentence finds each code the program can answer with, and wants its sentence in both languages,
// filled by what is given with it.
func TestEveryCodeHasASentence(t *testing.T) {
	all, found := sentences(t), codes(t, "..")
	if len(found) < 100 {
		t.Fatalf("only %d codes were found in the program", len(found))
	}
	for _, c := range found {
		for lang, texts := range all {
			if c.prefix {
				if !slices.ContainsFunc(slices.Collect(maps.Keys(texts)), func(k string) bool { return strings.HasPrefix(k, "fault."+c.code) }) {
					t.Errorf("%s: %s: nothing begins with fault.%s", c.at, lang, c.code)
				}
				continue
			}
			text, ok := texts["fault."+c.code]
			if !ok {
				t.Errorf("%s: %s: no sentence for %s", c.at, lang, c.code)
			}
			for _, p := range params(text) {
				if c.whole && !slices.Contains(c.params, strings.Trim(p, "{}")) {
					t.Errorf("%s: %s: %s speaks of %s, which is not given (%v)", c.at, lang, c.code, p, c.params)
				}
			}
		}
	}
}

// codes reads the product's Go files below root for calls that make faults and problems.
func codes(t *testing.T, root string) []said {
	t.Helper()
	var out []said
	set := token.NewFileSet()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			switch d.Name() {
			case "node_modules", ".git", "test", "sim", "tools", "testdata", "webtest", "storetest", "bustest", "ledgertest":
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(set, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok {
				if c, ok := spoken(call); ok {
					c.at = set.Position(call.Pos()).String()
					out = append(out, c)
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// spoken reads fault.New(kind, code, params…) and section.Complaint(path, code, params…).
func spoken(call *ast.CallExpr) (said, bool) {
	f, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || len(call.Args) < 2 {
		return said{}, false
	}
	from, ok := f.X.(*ast.Ident)
	if !ok || from.Name+"."+f.Sel.Name != "fault.New" && from.Name+"."+f.Sel.Name != "section.Complaint" {
		return said{}, false
	}
	c := said{whole: !call.Ellipsis.IsValid()}
	code := call.Args[1]
	if sum, ok := code.(*ast.BinaryExpr); ok {
		code, c.prefix = sum.X, true
	}
	if c.code, ok = literal(code); !ok {
		return said{}, false // the code comes from elsewhere: from another fault, made there
	}
	for i := 2; i < len(call.Args); i += 2 {
		name, ok := literal(call.Args[i])
		c.params = append(c.params, name)
		c.whole = c.whole && ok
	}
	return c, true
}

// literal gives a literal's text.
func literal(e ast.Expr) (string, bool) {
	lit, ok := e.(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return "", false
	}
	s, err := strconv.Unquote(lit.Value)
	return s, err == nil
}
