package store

import "testing"

func TestNumbered(t *testing.T) {
	for text, want := range map[string]string{
		`SELECT 1`:                             `SELECT 1`,
		`a = ? AND b IN (?, ?)`:                `a = $1 AND b IN ($2, $3)`,
		`a = '?' AND b = ?`:                    `a = '?' AND b = $1`,
		`a = 'it''s ?' AND b = ?`:              `a = 'it''s ?' AND b = $1`,
		`"col?" = ? -- really?`:                `"col?" = $1 -- really?`,
		"-- what?\nSELECT ?":                   "-- what?\nSELECT $1",
		`/* ? */ ? /* 'open ? */ ?`:            `/* ? */ $1 /* 'open ? */ $2`,
		`'never ends ?`:                        `'never ends ?`,
		`?`:                                    `$1`,
		`lower(x) LIKE ? ESCAPE '\' AND y = ?`: `lower(x) LIKE $1 ESCAPE '\' AND y = $2`,
		`/*`:                                   `/*`,
		`? /*?`:                                `$1 /*?`,
		`?,?,?,?,?,?,?,?,?,?,? - '中文？' || ?`: `$1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11 - '中文？' || $12`,
	} {
		if got := numbered(text); got != want {
			t.Errorf("numbered(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestUnlocked(t *testing.T) {
	for text, want := range map[string]string{
		`SELECT 1`:                              `SELECT 1`,
		`SELECT 1 FOR UPDATE`:                   `SELECT 1 `,
		"SELECT 1\n FOR UPDATE SKIP LOCKED ;\n": "SELECT 1\n ",
		`SELECT 'FOR UPDATE' AS x`:              `SELECT 'FOR UPDATE' AS x`,
	} {
		if got := unlocked(text); got != want {
			t.Errorf("unlocked(%q) = %q, want %q", text, got, want)
		}
	}
}

func FuzzNumbered(f *testing.F) {
	f.Add(`a = '?' AND b = ? -- x`)
	f.Fuzz(func(t *testing.T, text string) {
		if got := numbered(text); len(got) < len(text) {
			t.Errorf("%q became shorter: %q", text, got)
		}
	})
}
