package voice

import (
	"bytes"
	"testing"

	"github.com/xuri/excelize/v2"

	"github.com/kapok-hotline/kapok/platform/section"
)

// Row A1: the segments of mobile numbers come in by a spreadsheet, with the titles people read or the fields' own names;
// a row that is no beginning of a number keeps the whole table out, and is named.
func TestRowA1SegmentsBySpreadsheet(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	must(t, cityTable.Put(ctx, h.deps.DB, "guangzhou", City{Code: "guangzhou", Name: "广州", Area: "020", Site: "gz"}))
	must(t, cityTable.Put(ctx, h.deps.DB, "shaoguan", City{Code: "shaoguan", Name: "韶关", Area: "0751", Site: "sg"}))
	book, err := section.New(ctx, section.Config{DB: h.deps.DB}, h.Sections()...)
	must(t, err)
	titles := func(title string) string { return map[string]string{"号段": "code", "城市": "city"}[title] }
	table := func(rows ...[]string) []byte {
		x := excelize.NewFile()
		for i, row := range rows {
			for j, v := range row {
				at, _ := excelize.CoordinatesToCellName(j+1, i+1)
				must(t, x.SetCellStr("Sheet1", at, v))
			}
		}
		var b bytes.Buffer
		must(t, x.Write(&b))
		must(t, x.Close())
		return b.Bytes()
	}
	res, err := book.Import(ctx, "segments", table([]string{"号段", "城市"}, []string{"1390000", "shaoguan"}, []string{"139", "guangzhou"}), titles, section.Options{By: "admin"})
	if err != nil || len(res.Problems) > 0 || len(res.Changes) != 2 {
		t.Fatal(res, err)
	}
	must(t, h.reload(ctx))
	a := h.snap.Load().atlas
	if a.segments["1390000"] != "shaoguan" || a.segments["139"] != "guangzhou" {
		t.Errorf("segments %v", a.segments)
	}
	res, err = book.Import(ctx, "segments", table([]string{"code", "city"}, []string{"138", "guangzhou"}, []string{"0139", "guangzhou"}), titles, section.Options{By: "admin"})
	if err != nil || res.Applied || len(res.Problems) == 0 || res.Problems[0].Code != "voice.segment.form" {
		t.Errorf("a wrong segment: %+v, %v", res, err)
	}
}
