package section

import (
	"encoding/json"
	"io/fs"
	"os"
	"regexp"
	"testing"
)

// Every code this package says has a sentence in both languages, and no sentence is left over.
func TestTexts(t *testing.T) {
	said := map[string]bool{}
	names, err := fs.Glob(os.DirFS("."), "*.go")
	if err != nil {
		t.Fatal(err)
	}
	call := regexp.MustCompile(`"((?:section\.)?(?:yaml|json|section|key|value|ref|code|item|table|config)\.[a-z]+)"`)
	for _, n := range names {
		if regexp.MustCompile(`_test\.go$`).MatchString(n) {
			continue
		}
		b, err := os.ReadFile(n)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range call.FindAllStringSubmatch(string(b), -1) {
			code := m[1]
			if len(code) < 8 || code[:8] != "section." || code == "section.unknown" || code == "section.near" {
				code = "section." + code
			}
			said["fault."+code] = true
		}
	}
	delete(said, "fault.section.config.changed") // a subject
	for _, lang := range []string{"zh", "en"} {
		b, err := fs.ReadFile(Texts(), lang+".json")
		if err != nil {
			t.Fatal(err)
		}
		have := map[string]string{}
		if err := json.Unmarshal(b, &have); err != nil {
			t.Fatal(err)
		}
		for k := range said {
			if have[k] == "" {
				t.Errorf("%s: no %s", lang, k)
			}
		}
		for k := range have {
			if !said[k] {
				t.Errorf("%s: nobody says %s", lang, k)
			}
		}
	}
}
