package report

import "github.com/kapok-hotline/kapok/modules/report/tally"

// columns gives the measures a report shows, in order. A rate stands only where the rows hold both its parts: an
// agent has no agent answer rate, a queue no total answer rate.
func (q *Query) columns() []string {
	if q.Agent != "" && q.By != ByAgent {
		return []string{"answered", "offered", "missed", "refused", "ACC", "ASA", "AHT", "TALK", "ACW", "talk_ms", "hold_ms", "wrap_ms"}
	}
	service := []string{
		"entered", "answered", "abandoned", "exited", "JTL", "JTLU", "SL15", "SL20", "SL2", "ABN", "ASA", "max_wait_ms",
		"AHT", "TALK", "ACW", "talk_ms", "hold_ms", "wrap_ms", "transferred_in", "transferred_out", "callback", "called_back",
		"callers", "callers_answered", "abandoned5",
	}
	switch q.By {
	case ByAgent:
		return []string{
			"offered", "answered", "missed", "refused", "ACC", "ASA", "AHT", "TALK", "ACW", "talk_ms", "hold_ms", "wrap_ms",
			"direct", "direct_ms", "signed_in_ms", "ready_ms", "ringing_ms", "talking_ms", "wrapup_ms", "away_ms", "OCC", "GSL",
		}
	case ByNumber:
		return []string{"started", "served", "asked", "reached", "gave_up", "left_flow", "turned", "failed", "JTL2"}
	case ByTopic, ByDistrict, ByTaxType:
		return []string{
			"entered", "answered", "abandoned", "JTL", "SL15", "SL20", "ABN", "ASA", "AHT", "TALK", "ACW", "talk_ms",
			"hold_ms", "wrap_ms", "transferred_in", "transferred_out",
		}
	case ByQueue:
		return append(service, "offered", "missed", "refused")
	case ByAll, BySite:
	}
	if q.Queue != "" {
		return append(service, "offered", "missed", "refused")
	}
	return append([]string{"started", "served", "asked", "JTL2"}, append(service, "signed_in_ms", "OCC", "GSL")...)
}

// value gives the measure of the sums, false when there is none.
func (m *Module) value(id string, s *tally.Sums) (float64, bool) {
	measure := m.measures[id]
	return measure.Value(s)
}

// shown gives the measure as every screen and export shows it.
func (m *Module) shown(id string, s *tally.Sums) string {
	measure := m.measures[id]
	v, ok := measure.Value(s)
	return measure.Format(v, ok)
}
