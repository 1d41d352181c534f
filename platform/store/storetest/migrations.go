package storetest

import (
	"io/fs"
	"path"
	"regexp"
	"strings"
	"testing"
)

// forbidden are the words that mean something on one engine alone, or that tie modules together.
var forbidden = []struct {
	word *regexp.Regexp
	why  string
}{
	{regexp.MustCompile(`(?i)\bAUTOINCREMENT\b`), "the program makes keys (core/id)"},
	{regexp.MustCompile(`(?i)\b(BIG|SMALL)?SERIAL\b|\bGENERATED\b.*\bIDENTITY\b`), "the program makes keys (core/id)"},
	{regexp.MustCompile(`(?i)\bNOW\s*\(|\bCURRENT_(TIMESTAMP|DATE|TIME)\b`), "times are BIGINT unix-ms, given by the program"},
	{regexp.MustCompile(`(?i)\b(strftime|datetime|julianday|unixepoch|date_trunc|to_char|to_timestamp|extract)\s*\(`), "no engine date functions"},
	{regexp.MustCompile(`(?i)\bjson_\w+\s*\(|\bjsonb?_\w+\s*\(|->>?|\bJSONB?\b`), "JSON is TEXT; extract a column"},
	{regexp.MustCompile(`(?i)\b(TIMESTAMPTZ?|DATETIME|DATE|TIME|INTERVAL|UUID|BYTEA|BLOB|MONEY|DECIMAL|NUMERIC|REAL|FLOAT)\b`), "columns are TEXT, BIGINT, INTEGER, BOOLEAN or DOUBLE PRECISION"},
	{regexp.MustCompile(`(?i)\b(INSERT|REPLACE)\s+OR\s+\w+|\bREPLACE\s+INTO\b`), "use ON CONFLICT"},
	{regexp.MustCompile(`(?i)\bWITHOUT\s+ROWID\b|\bSTRICT\b|\bPRAGMA\b`), "SQLite alone has it"},
	{regexp.MustCompile(`(?i)\bCREATE\s+(EXTENSION|TYPE|FUNCTION|TRIGGER|SEQUENCE|SCHEMA)\b|\bILIKE\b|::`), "PostgreSQL alone has it, or has it otherwise"},
	{regexp.MustCompile(`(?i)\bIFNULL\s*\(|\bISNULL\b|\bGROUP_CONCAT\s*\(|\bSTRING_AGG\s*\(`), "use COALESCE; join strings in Go"},
	{regexp.MustCompile("`|\\bIDENTIFIED\\b"), "quote names with \" or not at all"},
	{regexp.MustCompile(`(?i)\+goose\s+Down`), "forward only: write the next migration"},
}

var (
	fileName   = regexp.MustCompile(`^\d{5}_[a-z0-9_]+\.sql$`)
	table      = regexp.MustCompile(`(?i)\b(?:CREATE\s+TABLE(?:\s+IF\s+NOT\s+EXISTS)?|ALTER\s+TABLE|DROP\s+TABLE(?:\s+IF\s+EXISTS)?|UPDATE|INSERT\s+INTO)\s+"?(\w+)`)
	clause     = regexp.MustCompile(`(?i)^(SET|CASCADE|RESTRICT|NO)$`) // DO UPDATE SET, ON UPDATE CASCADE
	references = regexp.MustCompile(`(?i)\bREFERENCES\s+"?(\w+)`)
	comment    = regexp.MustCompile(`(?m)--.*$|(?s)/\*.*?\*/`)
	literal    = regexp.MustCompile(`'(?:[^']|'')*'`)
)

// Migrations fails the test for every line of the module's migrations that would not run alike on both engines,
// or that reaches for a table of another module. files is what the module gives to Migrate.
func Migrations(t testing.TB, module string, files fs.FS) {
	t.Helper()
	found := 0
	err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || path.Ext(name) != ".sql" {
			return err
		}
		found++
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		for _, breach := range Breaches(module, path.Base(name), string(text)) {
			t.Errorf("%s: %s", name, breach)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	if found == 0 {
		t.Errorf("%s has no migrations", module)
	}
}

// Breaches gives what is not portable in one migration, a sentence each.
func Breaches(module, name, text string) []string {
	var out []string
	if !fileName.MatchString(name) {
		out = append(out, "the file is to be named like 00001_name.sql")
	}
	if regexp.MustCompile(`(?i)\+goose\s+Down`).MatchString(text) {
		out = append(out, "+goose Down: forward only: write the next migration")
	}
	bare := literal.ReplaceAllString(comment.ReplaceAllString(text, ""), "''")
	for _, f := range forbidden {
		if hit := f.word.FindString(bare); hit != "" {
			out = append(out, hit+": "+f.why)
		}
	}
	own := func(name string) bool { return strings.HasPrefix(strings.ToLower(name), module+"_") }
	for _, m := range table.FindAllStringSubmatch(bare, -1) {
		if !own(m[1]) && !clause.MatchString(m[1]) {
			out = append(out, "table "+m[1]+" is not "+module+"_…")
		}
	}
	for _, m := range references.FindAllStringSubmatch(bare, -1) {
		if !own(m[1]) {
			out = append(out, "REFERENCES "+m[1]+": no foreign keys across modules")
		}
	}
	return out
}
