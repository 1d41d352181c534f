package section_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/kapok-hotline/kapok/core/right"
	"github.com/kapok-hotline/kapok/platform/section"
	"github.com/kapok-hotline/kapok/platform/store"
	"github.com/kapok-hotline/kapok/platform/store/storetest"
	"github.com/kapok-hotline/kapok/platform/web/webtest"
)

// door puts a Book behind a server, with the texts a module would bring.
type door struct{ *section.Book }

func (door) Texts() fs.FS {
	return fstest.MapFS{
		"zh.json": {Data: []byte(`{"section.queues":"队列","section.queues.name":"名称","section.queues.needs.level":"等级","section.users.code":"工号","section.users.name":"姓名","section.users.skills":"技能"}`)},
		"en.json": {Data: []byte(`{"section.queues":"Queues","section.queues.name":"Name","section.queues.needs.level":"Level","section.users.code":"Code","section.users.name":"Name","section.users.skills":"Skills"}`)},
	}
}

func bench(t *testing.T, db *store.DB) *webtest.Bench {
	t.Helper()
	b, _, _ := newBook(t, db)
	bench := webtest.New(t, door{b})
	if err := bench.Server.Texts().Add(section.Texts()); err != nil {
		t.Fatal(err)
	}
	bench.Tree("gz", "gd")
	bench.Tree("sz", "gd")
	return bench
}

var (
	manage = webtest.With("sample.all.manage", "sample.all.see", section.Manage, section.See)
	look   = webtest.With("sample.all.see")
)

func TestRoutes(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		b := bench(t, db)
		province := []webtest.Option{manage, webtest.At("gd"), webtest.User("admin")}
		b.Run(
			webtest.Scenario{Name: "nobody applies", Method: "POST", URL: "/api/v1/apply", Body: good, Status: 401},
			webtest.Scenario{Name: "nor without the right", As: "none", Opts: []webtest.Option{look}, Method: "POST", URL: "/api/v1/apply", Body: good, Status: 403},
			webtest.Scenario{
				Name: "a dry run", As: "none", Opts: province, Method: "POST", URL: "/api/v1/apply?dry_run=true", Body: good, Status: 200,
				Want: []string{`{"section":"queues","code":"vat","kind":"create"}`, `"applied":false`, `"problems":[]`},
			},
			webtest.Scenario{
				Name: "problems come with line and sentence", As: "none", Opts: append(province, webtest.English()), Method: "POST", URL: "/api/v1/apply",
				Body: strings.Replace(good, "skill: vat,", "skill: vatt,", 1), Status: 200,
				Want: []string{`"applied":false`, `"path":"queues[vat].needs[0].skill"`, `"line":13`, `There is no \"vatt\" in skills; did you mean \"vat\"?`},
			},
			webtest.Scenario{Name: "a city may not change what is not its own", As: "none", Opts: []webtest.Option{manage, webtest.At("sz")}, Method: "POST", URL: "/api/v1/apply", Body: good, Status: 403},
			webtest.Scenario{Name: "apply", As: "none", Opts: province, Method: "POST", URL: "/api/v1/apply", Body: good, Status: 200, Want: []string{`"version":1`, `"applied":true`}},
			webtest.Scenario{
				Name: "the file comes back", As: "none", Opts: province, Method: "GET", URL: "/api/v1/export", Status: 200,
				Want: []string{"queues:\n  - {code: vat"}, Not: []string{"tea-and-rice"},
			},

			webtest.Scenario{
				Name: "sections with titles and schema", As: "none", Opts: []webtest.Option{look}, Method: "GET", URL: "/api/v1/config", Status: 200,
				Want: []string{`"key":"queues"`, `"title":"队列"`, `"title":"等级"`, `"minimum":5`, `"x-ref":"sites"`, `"writeOnly":true`, `"x-order":["code","name"`},
			},
			webtest.Scenario{Name: "none for who may see none", As: "none", Method: "GET", URL: "/api/v1/config", Status: 200, JSON: `[]`},
			webtest.Scenario{
				Name: "items without secrets", As: "none", Opts: []webtest.Option{look}, Method: "GET", URL: "/api/v1/config/users", Status: 200,
				Want: []string{`"version":1`, `"versions":{"1001":1}`, `"skills":{"0101":1,"vat":3}`}, Not: []string{"password", "tea"},
			},
			webtest.Scenario{Name: "items of another city are not shown", As: "none", Opts: []webtest.Option{look, webtest.At("sz")}, Method: "GET", URL: "/api/v1/config/users", Status: 200, Want: []string{`"items":[]`}},
			webtest.Scenario{Name: "no such section", As: "none", Opts: []webtest.Option{look}, Method: "GET", URL: "/api/v1/config/fax", Status: 404, Code: "section.section.unknown"},

			webtest.Scenario{
				Name: "one item", As: "none", Opts: province, Method: "PUT", URL: "/api/v1/config/queues/vat?version=1",
				Body: `{"code":"vat","name":"增值税","site":"gz","ring_s":15,"needs":[{"skill":"vat"}]}`, Status: 200, Want: []string{`"fields":["name","needs","relax_after"]`, `"version":2`},
			},
			webtest.Scenario{
				Name: "who comes second is told", As: "none", Opts: province, Method: "PUT", URL: "/api/v1/config/queues/vat?version=1",
				Body: `{"name":"VAT","site":"gz","ring_s":15,"needs":[{"skill":"vat"}]}`, Status: 409, Code: "section.item.changed",
			},
			webtest.Scenario{
				Name: "with what holds now it goes", As: "none", Opts: province, Method: "PUT", URL: "/api/v1/config/queues/vat?version=2",
				Body: `{"name":"VAT","site":"gz","ring_s":15,"needs":[{"skill":"vat"}]}`, Status: 200,
			},
			webtest.Scenario{Name: "a new item needs no code twice", As: "none", Opts: province, Method: "PUT", URL: "/api/v1/config/skills/cit", Body: `{"name":"企业所得税"}`, Status: 200, Want: []string{`"kind":"create"`}},
			webtest.Scenario{
				Name: "all flaws at once", As: "none", Opts: append(province, webtest.English()), Method: "PUT", URL: "/api/v1/config/queues/x", Body: `{"nmae":"X","site":"gz","ring_s":"15"}`, Status: 422,
				Code: "section.key.near", Want: []string{`did you mean \"name\"`, `"section.value.type"`, `"section.value.missing"`},
			},
			webtest.Scenario{
				Name: "a reference to nothing", As: "none", Opts: province, Method: "PUT", URL: "/api/v1/config/queues/x", Body: `{"name":"X","site":"gz","ring_s":15,"needs":[{"skill":"vta"}]}`, Status: 422,
				Code: "section.ref.near", Want: []string{`"field":"queues[x].needs[0].skill"`},
			},
			webtest.Scenario{Name: "another code than the address", As: "none", Opts: province, Method: "PUT", URL: "/api/v1/config/skills/a", Body: `{"code":"b","name":"B"}`, Status: 422, Code: "section.code.differs"},
			webtest.Scenario{Name: "broken JSON", As: "none", Opts: province, Method: "PUT", URL: "/api/v1/config/skills/a", Body: `{"code":`, Status: 400, Code: "web.input.unreadable"},
			webtest.Scenario{Name: "only to look", As: "none", Opts: []webtest.Option{look}, Method: "PUT", URL: "/api/v1/config/skills/a", Body: `{"name":"B"}`, Status: 403},
			webtest.Scenario{Name: "another city's queue", As: "none", Opts: []webtest.Option{manage, webtest.At("sz")}, Method: "PUT", URL: "/api/v1/config/queues/vat", Body: `{"name":"B","site":"sz","ring_s":15}`, Status: 403},
			webtest.Scenario{Name: "history", As: "none", Opts: province, Method: "GET", URL: "/api/v1/config/queues/vat/history", Status: 200, Want: []string{`"version":3`, `"by":"admin"`, `"relax_after":"20s"`}},

			webtest.Scenario{Name: "what is needed stays", As: "none", Opts: province, Method: "DELETE", URL: "/api/v1/config/skills/vat", Status: 422, Code: "section.item.needed", Want: []string{"users[1001].skills.vat", "queues[vat]"}},
			webtest.Scenario{Name: "what is not needed goes", As: "none", Opts: province, Method: "DELETE", URL: "/api/v1/config/skills/cit", Status: 200, Want: []string{`"kind":"drop"`}},
			webtest.Scenario{Name: "and is gone", As: "none", Opts: province, Method: "DELETE", URL: "/api/v1/config/skills/cit", Status: 404, Code: "section.item.missing"},
			webtest.Scenario{Name: "the one item stays", As: "none", Opts: province, Method: "DELETE", URL: "/api/v1/config/bureau/bureau", Status: 422, Code: "section.item.fixed"},
		)
		b.CheckRoutes(append(section.Rights(), right.Own)...)
	})
}

func TestImport(t *testing.T) {
	b := bench(t, storetest.SQLite(t))
	c := b.As("none", manage, webtest.At("gd"))
	c.Post("/api/v1/apply", good).OK()

	gbk, err := simplifiedchinese.GB18030.NewEncoder().String("工号,姓名,site,roles,技能,active\n1001,坐席甲甲,,,,\n1002,坐席乙,gz,agent;leader,vat:2；0101:1,否\n")
	if err != nil {
		t.Fatal(err)
	}
	var res section.Result
	c.Post("/api/v1/config/users/import?dry_run=true", gbk).OK().Into(&res)
	if got := changes(res); len(got) != 2 || res.Applied {
		t.Fatalf("dry run: %q %v", got, res.Problems)
	}
	c.Post("/api/v1/config/users/import", gbk).OK().Into(&res)
	if got := changes(res); len(got) != 2 || got[0] != "change users[1001] name" || got[1] != "create users[1002]" || !res.Applied {
		t.Fatalf("%q %v", got, res.Problems)
	}
	var items struct{ Items []json.RawMessage }
	c.Get("/api/v1/config/users").OK().Into(&items)
	if got := string(items.Items[1]); got != `{"code":"1002","name":"坐席乙","site":"gz","roles":["agent","leader"],"skills":{"0101":1,"vat":2},"active":false}` {
		t.Errorf("%s", got)
	}

	x := excelize.NewFile()
	for i, row := range [][]any{{"code", "Name", "ring_s", "site"}, {"iit", "个人所得税", 20, "gz"}, {"", "", "", ""}, {"cit", "企业所得税", "soon", "gzz"}} {
		cell, _ := excelize.CoordinatesToCellName(1, i+1)
		if err := x.SetSheetRow("Sheet1", cell, &row); err != nil {
			t.Fatal(err)
		}
	}
	var sheet, form bytes.Buffer
	if err := x.Write(&sheet); err != nil {
		t.Fatal(err)
	}
	w := multipart.NewWriter(&form)
	part, _ := w.CreateFormFile("file", "queues.xlsx")
	_, _ = part.Write(sheet.Bytes())
	_ = w.Close()
	c.Header = http.Header{}
	c.Header.Set("Content-Type", w.FormDataContentType())
	c.Post("/api/v1/config/queues/import", form.Bytes()).OK().Into(&res)
	if len(res.Problems) != 1 || res.Problems[0].Line != 4 || res.Problems[0].Path != "queues[cit].ring_s" || res.Applied {
		t.Errorf("problems by row: %+v", res)
	}
	c.Header.Del("Content-Type")
	c.Post("/api/v1/config/queues/import", "code,colour\nx,red\n").OK().Into(&res)
	if len(res.Problems) != 1 || res.Problems[0].Code != "section.key.unknown" {
		t.Errorf("an unknown column: %+v", res.Problems)
	}
	city := b.As("none", manage, webtest.At("gz"))
	city.Post("/api/v1/config/users/import", "code,name,site\n1001,Renamed,gz\n1003,A,gzz\n1004,B,gd\n").OK().Into(&res)
	var rows []string
	for _, p := range res.Problems {
		rows = append(rows, fmt.Sprintf("%d %s %s", p.Line, p.Path, p.Code))
	}
	if d := cmp.Diff([]string{"3 users[1003].site section.ref.near", "4 users[1004] web.right.missing"}, rows); d != "" || res.Applied {
		t.Error("a site that is not there, and one of others, are problems of their rows:", d)
	}
	c.Post("/api/v1/config/bureau/import", "name\nx\n").Fails(422, "section.table.single")
	c.Post("/api/v1/config/users/import", "code").Fails(422, "section.table.empty")
	c.Post("/api/v1/config/users/import", "PK\x03\x04 no zip").Fails(422, "section.table.format")
	c.Post("/api/v1/config/users/import", strings.Repeat("a,", 200)+"\n"+strings.Repeat("b,", 200)).Fails(422, "section.table.size")
}

func TestMigrations(t *testing.T) {
	storetest.Migrations(t, "section", section.Migrations())
}
