package report

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/kapok-hotline/kapok/modules/report/tally"
	"github.com/kapok-hotline/kapok/platform/ledger"
	"github.com/kapok-hotline/kapok/platform/store/storetest"
)

func TestMigrationsArePortable(t *testing.T) { storetest.Migrations(t, "report", migrations()) }

// Every text stands in both languages with the same placeholders, and what the code says has a text.
func TestTextsAreComplete(t *testing.T) {
	read := func(lang string) map[string]string {
		raw, err := fs.ReadFile(texts(), lang+".json")
		if err != nil {
			t.Fatal(err)
		}
		out := map[string]string{}
		if err := json.Unmarshal(raw, &out); err != nil {
			t.Fatal(err)
		}
		return out
	}
	zh, en := read("zh"), read("en")
	for k := range zh {
		if en[k] == "" {
			t.Errorf("%s is missing in English", k)
		}
		if strings.ContainsAny(zh[k]+en[k], "|@") {
			t.Errorf("%s holds a sign vue-i18n takes for its own", k)
		}
	}
	for k := range en {
		if zh[k] == "" {
			t.Errorf("%s is missing in Chinese", k)
		}
	}
	for _, m := range tally.Measures() {
		for _, k := range []string{"report.measure." + m.ID, "report.formula." + m.ID} {
			if zh[k] == "" {
				t.Errorf("%s is missing", k)
			}
		}
	}
	m := &Module{}
	for _, inv := range append([]ledger.Invariant{}, m.Invariants()...) {
		if zh[inv.Name] == "" {
			t.Errorf("%s is missing", inv.Name)
		}
	}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	code := regexp.MustCompile(`fault\.New\(fault\.\w+, "(report\.[a-z_.]+)"`)
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, hit := range code.FindAllStringSubmatch(string(raw), -1) {
			if zh["fault."+hit[1]] == "" {
				t.Errorf("%s: %s has no sentence", f, hit[1])
			}
		}
	}
}
