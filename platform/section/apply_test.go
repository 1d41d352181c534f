package section_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/kapok-hotline/kapok/platform/section"
	"github.com/kapok-hotline/kapok/platform/store"
	"github.com/kapok-hotline/kapok/platform/store/storetest"
)

func apply(t *testing.T, b *section.Book, file string, o section.Options) section.Result {
	t.Helper()
	res, err := b.Apply(t.Context(), []byte(file), o)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// changes writes a result's changes as "create queues[vat]" or "change queues[vat] name,ring_s".
func changes(res section.Result) []string {
	var out []string
	for _, c := range res.Changes {
		out = append(out, strings.TrimSpace(fmt.Sprintf("%s %s[%s] %s", c.Kind, c.Section, c.Code, strings.Join(c.Fields, ","))))
	}
	return out
}

func TestApply(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		b, bus, audit := newBook(t, db)
		want := []string{
			"create bureau[bureau]", "create sites[gd]", "create sites[gz]", "create skills[vat]", "create skills[0101]",
			"create queues[vat]", "create users[1001]",
		}

		dry := apply(t, b, good, section.Options{DryRun: true})
		if got := changes(dry); !slices.Equal(got, want) || dry.Applied || dry.Version != 0 {
			t.Errorf("dry run: %q %+v", got, dry)
		}
		if v, err := b.Version(t.Context()); err != nil || v != 0 || len(bus.all()) != 0 {
			t.Errorf("a dry run left version %d, %v, %v", v, err, bus.all())
		}

		res := apply(t, b, good, section.Options{By: "admin"})
		if got := changes(res); !slices.Equal(got, want) || !res.Applied || res.Version != 1 {
			t.Errorf("apply: %q %+v", got, res)
		}
		if got := bus.all(); !slices.Equal(got, []any{"config.changed", section.Version{Version: 1}}) {
			t.Errorf("told: %v", got)
		}
		if len(*audit) != len(want) || (*audit)[6].By != "admin" || strings.Contains(string((*audit)[6].After), "tea") {
			t.Errorf("audit: %+v", *audit)
		}

		again := apply(t, b, good, section.Options{})
		if len(again.Changes) != 0 || len(again.Problems) != 0 || again.Version != 1 || !again.Applied {
			t.Errorf("the second time: %q %+v", changes(again), again)
		}

		other := apply(t, b, strings.ReplaceAll(strings.ReplaceAll(good, "ring_s: 15", "ring_s: 20"), "tea-and", "coffee-and"), section.Options{})
		if got := changes(other); !slices.Equal(got, []string{"change queues[vat] ring_s", "change users[1001] password"}) || other.Version != 2 {
			t.Errorf("one figure and one password: %q %+v", got, other)
		}
		h, err := b.History(t.Context(), "queues", "vat", 10)
		if err != nil || len(h) != 2 || h[0].Version != 2 || h[1].By != "admin" || !strings.Contains(string(h[1].Body), `"ring_s":15`) {
			t.Errorf("history %+v %v", h, err)
		}
	})
}

func TestExportChangesNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		b, _, _ := newBook(t, db)
		apply(t, b, good, section.Options{})
		file, err := b.Export(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		const want = `bureau:
  name: 广州12366
  timezone: Asia/Shanghai
  site: gz
sites:
  - {code: gd, name: 广东}
  - {code: gz, name: 广州, parent: gd, area_code: "020"}
skills:
  - {code: "0101", name: "0101 stays a text"}
  - {code: vat, name: 增值税}
users:
  - {code: "1001", name: 坐席甲, site: gz, roles: [agent], skills: {"0101": 1, vat: 3}, active: true}
queues:
  - {code: vat, name: 增值税与发票, site: gz, needs: [{skill: vat, level: 1}], ring_s: 15, relax_after: "20s"}
`
		if string(file) != want {
			t.Errorf("exported:\n%s", file)
		}
		if res := apply(t, b, string(file), section.Options{Prune: true}); len(res.Changes) != 0 || len(res.Problems) != 0 {
			t.Errorf("applied again: %q %v", changes(res), res.Problems)
		}
	})
}

func TestProblemsSayWhereAndWhatInstead(t *testing.T) {
	b, _, _ := newBook(t, storetest.SQLite(t))
	apply(t, b, good, section.Options{})
	for _, c := range []struct {
		name, file string
		want       []string
	}{
		{
			"a slip in a name", "queues:\n  - code: q\n    name: Q\n    site: gz\n    ring_s: 15\n    needs:\n      - {skill: vatt, level: 1}\n",
			[]string{"line 7: queues[q].needs[0].skill: section.ref.near map[name:vatt near:vat section:skills]"},
		},
		{
			"a reference by tag", "users:\n  - {code: u, name: U, site: gzz, skills: {vat: 1, cit: 2}}\n",
			[]string{
				"line 2: users[u].site: section.ref.near map[name:gzz near:gz section:sites]",
				"line 2: users[u].skills.cit: section.ref.near map[name:cit near:vat section:skills]",
			},
		},
		{
			"an unknown key", "skills:\n- code: x\n  name: X\n  nmae: Y\n  colour: red\n",
			[]string{
				"line 4: skills[x].nmae: section.key.near map[key:nmae near:name]",
				"line 5: skills[x].colour: section.key.unknown map[key:colour keys:code, name]",
			},
		},
		{
			"an unknown section", "queue:\n- {code: x}\nfax: {}\n",
			[]string{"line 1: queue: section.section.near map[key:queue near:queues]", "line 3: fax: section.section.unknown map[key:fax]"},
		},
		{
			"types and bounds", "queues:\n- {code: q, name: 'x', site: gz, ring_s: 500, relax_after: 20, kind: fax, open: maybe}\n",
			[]string{
				"line 2: queues[q].ring_s: section.value.range map[least:5 most:120]",
				"line 2: queues[q].relax_after: section.value.text map[reason:\"20\" is no length of time; write it with units, like 20s, 1m30s or 2h value:20]",
				"line 2: queues[q].kind: section.value.enum map[value:fax values:phone, chat]",
				"line 2: queues[q].open: section.value.type map[want:boolean]",
			},
		},
		{
			"what must be given", "queues:\n- {code: q, site: gz}\n- {name: no code}\n",
			[]string{
				"line 2: queues[q].name: section.value.missing map[field:name]",
				"line 2: queues[q].ring_s: section.value.missing map[field:ring_s]",
				"line 3: queues[1].code: section.value.missing map[field:code]",
			},
		},
		{"double codes", "skills:\n- {code: x, name: X}\n- {code: x, name: Y}\n", []string{"line 3: skills[x]: section.code.double map[code:x]"}},
		{"double keys", "skills:\n- {code: x, name: X, name: Y}\n", []string{`line 2: section.yaml.double map[key:name]`}},
		{"a pattern", "sites:\n- {code: sz, name: 深圳, area_code: 755}\n", []string{"line 2: sites[sz].area_code: section.value.pattern map[pattern:^0[0-9]{2,3}$ value:755]"}},
		{"a list where one is meant", "bureau:\n- {name: x}\n", []string{"line 2: bureau: section.value.type map[want:object]"}},
		{
			"a broken item is not blamed on those who need it", "skills:\n- {code: new, nam: X}\nqueues:\n- {code: q, name: Q, site: gz, ring_s: 9, needs: [{skill: new, level: 0}]}\n",
			[]string{"line 2: skills[new].nam: section.key.near map[key:nam near:name]"},
		},
		{"aliases", "skills: &a\n- {code: x, name: X}\nqueues: *a\n", []string{"line 1: section.yaml.feature map[what:Anchor]"}},
		{"a code that cannot stand in an address", "skills:\n- {code: a/b, name: X}\n", []string{"line 2: skills[a/b]: section.code.form map[code:a/b]"}},
		{"nothing", "", nil},
	} {
		res := apply(t, b, c.file, section.Options{})
		var got []string
		for _, p := range res.Problems {
			got = append(got, p.String())
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s:\n got %q\nwant %q", c.name, got, c.want)
		}
		if len(c.want) > 0 && (res.Applied || res.Version != 1) {
			t.Errorf("%s: applied nevertheless: %+v", c.name, res)
		}
	}
}

func TestAllOrNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		if err := db.Migrate(t.Context(), "sample", tables); err != nil {
			t.Fatal(err)
		}
		list := sections()
		broken := errors.New("the disk is full")
		b, err := section.New(t.Context(), section.Config{DB: db, Audit: func(_ context.Context, _ *store.Tx, c section.Change) error {
			if c.Section == "users" {
				return broken
			}
			return nil
		}}, list...)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := b.Apply(t.Context(), []byte(good), section.Options{}); !errors.Is(err, broken) {
			t.Fatalf("got %v", err)
		}
		file, err := b.Export(t.Context())
		v, err2 := b.Version(t.Context())
		if err != nil || err2 != nil || len(file) != 0 || v != 0 {
			t.Errorf("half of it stayed: version %d\n%s", v, file)
		}
	})
}

func TestPrune(t *testing.T) {
	b, _, _ := newBook(t, storetest.SQLite(t))
	apply(t, b, good, section.Options{})
	res := apply(t, b, "skills:\n- {code: vat, name: 增值税}\n", section.Options{Prune: true})
	if len(res.Problems) != 1 || res.Problems[0].Path != "users[1001].skills.0101" || res.Problems[0].Code != "section.item.needed" {
		t.Fatalf("a skill somebody has was dropped: %+v", res)
	}
	res = apply(t, b, "skills:\n- {code: vat, name: 增值税}\nusers: []\n", section.Options{Prune: true})
	if got := changes(res); !slices.Equal(got, []string{"drop skills[0101]", "drop users[1001]"}) || !res.Applied {
		t.Errorf("%q %+v", got, res.Problems)
	}
}

func TestOldProblemsDoNotBlockOthers(t *testing.T) {
	db := storetest.SQLite(t)
	b, _, _ := newBook(t, db)
	apply(t, b, good, section.Options{})
	if _, err := store.Exec(t.Context(), db, `DELETE FROM sample_skill WHERE code = ?`, "0101"); err != nil {
		t.Fatal(err)
	}
	if res := apply(t, b, "skills:\n- {code: cit, name: 企业所得税}\n", section.Options{}); !res.Applied {
		t.Errorf("a new skill is kept out by an old problem: %v", res.Problems)
	}
	if res := apply(t, b, "users:\n- {code: 1001, name: 坐席乙, site: gz, skills: {0101: 1}}\n", section.Options{}); res.Applied || len(res.Problems) != 1 {
		t.Errorf("an item that is touched must be sound: %+v", res)
	}
}

func TestNearest(t *testing.T) {
	list := []string{"vat", "general", "english", "企业所得税"}
	for s, want := range map[string]string{"vatt": "vat", "va": "vat", "tav": "vat", "genreal": "general", "Engish": "english", "企业所得": "企业所得税", "zzz": "", "": ""} {
		if got := section.Nearest(s, list); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", s, got, want)
		}
	}
}
