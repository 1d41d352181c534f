package app

import (
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/modules/desk"
	"github.com/kapok-hotline/kapok/modules/identity"
)

// seats answers the desk's questions for the places to work at.
type seats struct{ h *House }

func (s seats) Seats() []desk.Workplace {
	all := s.h.identity.Seats()
	out := make([]desk.Workplace, 0, len(all))
	for _, x := range all {
		out = append(out, s.place(x))
	}
	return out
}

func (s seats) Seat(code id.Seat) (desk.Workplace, bool) {
	x, ok := s.h.identity.Seat(code)
	return s.place(x), ok
}

func (s seats) place(x identity.Seat) desk.Workplace {
	at, _ := s.h.identity.Site(x.Site)
	w := desk.Workplace{
		Code: x.Code, Site: x.Site, Zone: x.Zone, Phone: x.Phone, Kind: x.Kind, Row: x.Row, Col: x.Col, Port: x.Port, Headset: x.Headset, Remote: x.Remote,
		SiteName: at.Name, SiteNameEn: at.NameEN,
	}
	if w.Kind == "" {
		w.Kind = "phone"
	}
	return w
}
