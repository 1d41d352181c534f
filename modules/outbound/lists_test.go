package outbound

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"

	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/store"
	"github.com/kapok-hotline/kapok/platform/store/storetest"
	"github.com/kapok-hotline/kapok/platform/web/webtest"
)

func xlsx(t *testing.T, rows ...[]any) []byte {
	t.Helper()
	f := excelize.NewFile()
	for i, row := range rows {
		must(t, f.SetSheetRow("Sheet1", fmt.Sprintf("A%d", i+1), &row))
	}
	var b bytes.Buffer
	must(t, f.Write(&b))
	must(t, f.Close())
	return b.Bytes()
}

// Import: own columns are kept in order; every bad row is told by its line, and then nobody is taken.
func TestOutboundImport(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := newHouse(t, db)
		h.begins(visit(Preview), "013800000009")
		must(t, forbid(t.Context(), db, "013800000008", "投诉", 0, "", h.now()))
		leader := h.b.As("leader", webtest.At("gz"), webtest.User("3001"))
		send := func(file []byte, dry string) (out PeopleTaken) {
			t.Helper()
			leader.Post("/api/v1/outbound/lists/visit/import"+dry, file).OK().Into(&out)
			return out
		}
		bad := send([]byte("电话,姓名\n13800000001,甲\n12366,乙\n,丙\n\n138-0000-0001,丁\nabc,戊\n"), "")
		var got []string
		for _, f := range bad.Flaws {
			got = append(got, fmt.Sprintf("%d %s", f.Line, f.Code))
			if f.Say == "" || strings.HasPrefix(f.Say, "fault.") {
				t.Errorf("line %d says %q", f.Line, f.Say)
			}
		}
		want := []string{"3 outbound.number.wrong", "4 outbound.number.none", "5 outbound.number.double", "6 outbound.number.none"}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("flaws (-want +got):\n%s", d)
		}
		if n := h.people(); n != 1 || bad.Added != 0 {
			t.Errorf("%d people after a bad table", n)
		}
		for _, head := range []string{"姓名,备注\n甲,乙\n", "电话,手机\n1,2\n"} {
			if out := send([]byte(head), ""); len(out.Flaws) != 1 || out.Flaws[0].Code != "outbound.table.number" {
				t.Errorf("%q: %+v", head, out)
			}
		}
		good := xlsx(t, []any{"纳税人名称", "联系电话", "备注", "主管税务分局", "欠税事项"}, []any{"某公司", "020-83330000", "上次答复有误", "天河", "增值税"}, []any{"张某", 13800000001, "", "", ""},
			[]any{"李某", "13800000009"}, []any{"王某", "13800000008"})
		dry := send(good, "?dry_run=true")
		if n := h.people(); n != 1 || dry.Added != 2 || dry.Known != 1 || dry.Never != 1 || len(dry.Flaws) != 0 {
			t.Errorf("tried: %+v, %d people", dry, n)
		}
		if out := send(good, ""); out.Added != 2 || h.people() != 3 {
			t.Errorf("taken: %+v, %d people", out, h.people())
		}
		if again := send(good, ""); again.Added != 0 || again.Known != 3 {
			t.Errorf("taken twice: %+v", again)
		}
		p := h.person("02083330000")
		if d := cmp.Diff([]OwnCell{{"主管税务分局", "天河"}, {"欠税事项", "增值税"}}, p.more); d != "" || p.name != "某公司" || p.note != "上次答复有误" {
			t.Errorf("%+v (-want +got):\n%s", p, d)
		}
		h.b.As("leader", webtest.At("sz")).Post("/api/v1/outbound/lists/visit/import", good).Fails(403, "web.right.missing")
		h.b.As("agent", webtest.At("gz")).Post("/api/v1/outbound/lists/visit/import", good).Fails(403, "web.right.missing")
	})
}

func (h *house) people() int {
	h.t.Helper()
	n, err := store.One(h.t.Context(), h.deps.DB, `SELECT COUNT(*) FROM outbound_person`, store.Col[int])
	must(h.t, err)
	return n
}

// Numbers not to be called: for good or until a day, by hand and by table, and looked at before each call.
func TestOutboundNeverCalled(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := newHouse(t, db)
		numbers := []string{"013800000001", "013800000002", "013800000003"}
		h.begins(visit(Progressive), numbers...)
		leader := h.b.As("leader", webtest.At("gz"), webtest.User("3001"))
		leader.Post("/api/v1/outbound/never", map[string]any{"number": "13800000001", "reason": "来电要求"}).OK()
		leader.Post("/api/v1/outbound/never", map[string]any{"number": "12366", "reason": "来电要求"}).Fails(422, "outbound.number.wrong")
		leader.Post("/api/v1/outbound/never/import", []byte("电话,原因,截止日期\n13800000002,休假,2026-11-23\n")).OK()
		h.staff("1001")
		h.look()
		e := h.one()
		if e.Number != numbers[2] {
			t.Fatalf("called %s", e.Number)
		}
		h.stands(numbers[0], Closed, "never")
		h.stands(numbers[1], Closed, "never")
		var list struct {
			Rows []NeverCalled
		}
		leader.Get("/api/v1/outbound/never").OK().Into(&list)
		if len(list.Rows) != 2 || list.Rows[0].Number != "138****0002" && list.Rows[1].Number != "138****0002" {
			t.Errorf("listed %+v", list.Rows)
		}
		h.clock.Advance(24 * time.Hour)
		if never, _ := h.never(t.Context(), db, numbers[1], h.now()); never {
			t.Error("the day is over, and the number still is not called")
		}
		leader.Get("/api/v1/outbound/never?number=13800000001").OK().Into(&list)
		leader.Post("/api/v1/outbound/never/"+list.Rows[0].ID+"/remove", nil).OK()
		if never, _ := h.never(t.Context(), db, numbers[0], h.now()); never {
			t.Error("taken off, and still there")
		}
		leader.Post("/api/v1/outbound/never/"+list.Rows[0].ID+"/remove", nil).Fails(404, "outbound.number.free")
		h.sound()
	})
}

// The report is what the ledger says, by list, agent and day; a law is broken when they differ.
func TestOutboundFigures(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := newHouse(t, db)
		var numbers []string
		for i := range 12 {
			numbers = append(numbers, fmt.Sprintf("0138000001%02d", i))
		}
		l := visit(Progressive)
		l.Tries = 1
		h.begins(l, numbers...)
		results := []string{"done", "done", "refused", "machine", "never", "wrong", ""}
		for i := range 12 {
			h.staff([]id.User{"1001", "1002"}[i%2])
			h.look()
			e := h.one()
			h.clock.Advance(10 * time.Second)
			if i >= len(results) {
				h.dials(e)
				h.ends(e, []string{event.OutBusy, event.OutNoAnswer, event.OutUnreachable, event.OutRefused, event.OutAgent}[i-len(results)], "")
				continue
			}
			h.talks(e)
			h.clock.Advance(time.Minute)
			h.ends(e, event.OutAnswered, "")
			if results[i] != "" {
				must(t, h.result(t.Context(), e.Agent, h.person(e.Number).id, TalkResult{Result: results[i]}))
			}
		}
		leader := h.b.As("leader", webtest.At("gz"), webtest.User("3001"))
		for _, by := range []string{"list", "agent", "day"} {
			var f AttemptReport
			leader.Get("/api/v1/outbound/figures?from=2026-11-23&to=2026-11-23&by=" + by).OK().Into(&f)
			n := f.Total
			if n.Dialled != 12 || n.Reached != 6 || n.Done != 2 || n.Refused != 2 || n.Machine != 1 || n.TalkMs != 7*60_000 || *n.Rate != 0.5 {
				t.Errorf("by %s: %+v", by, n)
			}
			if want := map[string]int{"list": 1, "agent": 2, "day": 1}[by]; len(f.Rows) != want {
				t.Errorf("by %s: %d rows", by, len(f.Rows))
			}
		}
		h.sound()
		_, err := store.Exec(t.Context(), db, `UPDATE outbound_try SET result = 'done' WHERE result = 'refused'`)
		must(t, err)
		broken := 0
		for _, f := range h.l.Check(t.Context()) {
			broken += len(f.Breaches)
		}
		if broken != 1 {
			t.Errorf("%d breaches of a result changed by hand", broken)
		}
	})
}

// From past contacts: whoever can be called, once, with what is known of them.
func TestOutboundFill(t *testing.T) {
	h := newHouse(t, storetest.SQLite(t))
	h.begins(visit(Preview))
	h.past = []Past{
		{Contact: "01C", Number: "013800000001", At: monday.UnixMilli(), Name: "某公司", Queue: "增值税", Topic: "留抵退税", Grade: 2},
		{Contact: "01D", Number: "12366", At: monday.UnixMilli()},
	}
	leader := h.b.As("leader", webtest.At("gz"), webtest.User("3001"))
	filter := map[string]any{"from": "2026-11-16", "to": "2026-11-22", "grade": 2}
	var out PeopleTaken
	leader.Post("/api/v1/outbound/lists/visit/fill?dry_run=true", filter).OK().Into(&out)
	if out.Added != 1 || h.people() != 0 {
		t.Errorf("tried: %+v, %d people", out, h.people())
	}
	leader.Post("/api/v1/outbound/lists/visit/fill", filter).OK()
	p := h.person("013800000001")
	if d := cmp.Diff([]OwnCell{{"来电时间", "2026-11-23 10:00"}, {"队列", "增值税"}, {"业务分类", "留抵退税"}, {"满意度", "2"}}, p.more); d != "" || p.source != "01C" {
		t.Errorf("%+v (-want +got):\n%s", p, d)
	}
}

// A list is started and paused; its progress is what its people are; somebody taken off is called no more.
func TestOutboundList(t *testing.T) {
	h := newHouse(t, storetest.SQLite(t))
	h.begins(visit(Progressive), "013800000001", "013800000002")
	leader := h.b.As("leader", webtest.At("gz"), webtest.User("3001"))
	var page struct{ Lists []ListProgress }
	leader.Post("/api/v1/outbound/lists/visit/pause", nil).OK().Into(&page)
	if l := page.Lists[0]; l.On || l.People != 2 || l.States["pending"] != 2 {
		t.Errorf("paused: %+v", l)
	}
	h.staff("1001")
	h.look()
	if len(h.taken()) > 0 {
		t.Error("called while paused")
	}
	leader.Post("/api/v1/outbound/lists/visit/start", nil).OK()
	var people struct{ Rows []ListPerson }
	leader.Get("/api/v1/outbound/lists/visit/people?state=pending").OK().Into(&people)
	leader.Post("/api/v1/outbound/people/"+people.Rows[0].ID+"/remove", nil).OK()
	leader.Post("/api/v1/outbound/people/"+people.Rows[0].ID+"/remove", nil).Fails(409, "outbound.person.busy")
	h.look()
	if e := h.one(); e.Number != "013800000002" {
		t.Errorf("called %s", e.Number)
	}
	leader.Get("/api/v1/outbound/lists").OK().Into(&page)
	if l := page.Lists[0]; !l.On || l.States["calling"] != 1 || l.Outcomes["removed"] != 1 {
		t.Errorf("at work: %+v", l)
	}
	leader.Post("/api/v1/outbound/lists/ghost/start", nil).Fails(404, "outbound.list.none")
	h.b.As("leader", webtest.At("sz")).Get("/api/v1/outbound/lists").OK().Into(&page)
	if len(page.Lists) != 0 {
		t.Errorf("a leader elsewhere sees %+v", page.Lists)
	}
}
