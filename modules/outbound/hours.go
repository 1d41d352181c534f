package outbound

import (
	"strconv"
	"strings"
	"time"

	"github.com/kapok-hotline/kapok/core/day"
	"github.com/kapok-hotline/kapok/core/id"
)

// open says whether people of a list may be called at a moment, and when not, why: hours, lunch, holiday, closed.
func (m *Module) open(l List, at time.Time) (why string, ok bool) {
	local := at.In(m.zone(l.Site))
	if now := local.Hour()*60 + local.Minute(); now < minutes(l.From) || now >= minutes(l.To) {
		return "hours", false
	}
	if l.Calendar == "" || m.deps.Hours == nil {
		return "", true
	}
	if state := m.deps.Hours(l.Calendar, at); state != day.Open {
		return string(state), false
	}
	return "", true
}

func (m *Module) zone(site id.Site) *time.Location {
	if m.deps.Zone != nil {
		if z := m.deps.Zone(string(site)); z != nil {
			return z
		}
	}
	return time.UTC
}

// minutes reads 20:30 as 1230.
func minutes(s string) int {
	h, m, _ := strings.Cut(s, ":")
	hour, _ := strconv.Atoi(h)
	minute, _ := strconv.Atoi(m)
	return hour*60 + minute
}
