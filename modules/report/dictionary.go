package report

import (
	"context"

	"github.com/kapok-hotline/kapok/modules/report/tally"
)

// MeasureInfo is one entry of the KPI dictionary.
type MeasureInfo struct {
	ID         string   `json:"id"`
	Name       string   `json:"name"`
	NameEn     string   `json:"name_en"`
	Formula    string   `json:"formula"`
	FormulaEn  string   `json:"formula_en"`
	Unit       string   `json:"unit" enum:"rate,ms,count"`
	Target     *float64 `json:"target" doc:"Rates 0..1, times in ms; null: none"`
	Below      bool     `json:"below" doc:"The target is an upper bound"`
	Computed   bool     `json:"computed" doc:"By the interval report; others by the module named"`
	By         string   `json:"by"`
	Definition bool     `json:"kpi" doc:"One of the standards' KPIs, not a plain count"`
}

func (m *Module) getMeasures(context.Context, *struct{}) (*body[[]MeasureInfo], error) {
	out := []MeasureInfo{}
	for _, x := range tally.Measures() {
		info := MeasureInfo{
			ID: x.ID, Unit: string(x.Unit), Below: x.Below, Computed: x.Num != nil, By: x.By,
			Name: m.texts.Say("zh", "report.measure."+x.ID, nil), NameEn: m.texts.Say("en", "report.measure."+x.ID, nil),
			Formula: m.texts.Say("zh", "report.formula."+x.ID, nil), FormulaEn: m.texts.Say("en", "report.formula."+x.ID, nil),
			Definition: x.Den != nil || x.Num == nil,
		}
		if x.By == "" {
			info.By = m.Name()
		}
		if x.Target != 0 {
			info.Target = &x.Target
		}
		out = append(out, info)
	}
	return &body[[]MeasureInfo]{out}, nil
}
