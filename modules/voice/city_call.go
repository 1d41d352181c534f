package voice

import (
	"context"
	"strings"
	"time"

	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/core/phone"
	"github.com/kapok-hotline/kapok/engine/flow"
)

// place is where a caller belongs, as far as is known. The zero place is nowhere.
type place struct {
	city City   // the zero City: none of ours
	area string // area code, where one is known
	how  string // area, keyed, remembered, segment
	away bool   // of a city with its own hotline, or of another province
}

// memoryBound is how long a call waits for what is remembered of its caller.
const memoryBound = 500 * time.Millisecond

// placeOf finds out where a caller (national form) belongs: a fixed number by its area code, a mobile one by the city
// its owner keyed in before, else by its segment. Segments say where a number was sold, not where its owner lives:
// what a person has said themselves comes first.
func (m *Module) placeOf(a *atlas, caller string) place {
	n := phone.Parse(caller, "")
	switch {
	case n.Area != "":
		return a.byArea(n.Area, "area")
	case n.Kind == phone.Foreign:
		return place{away: true, how: "area"}
	case n.Kind != phone.Mobile:
		return place{}
	}
	if city, ok := a.city(m.remembered(a, caller)); ok {
		return place{city: city, area: city.Area, how: "remembered", away: city.Away}
	}
	if code, ok := a.bySegment(n.National[1:]); ok {
		if city, ok := a.city(code); ok {
			return place{city: city, area: city.Area, how: "segment", away: city.Away}
		}
	}
	return place{}
}

// byArea gives the place of an area code; one of no city here is of another province.
func (a *atlas) byArea(area, how string) place {
	if a == nil || !phone.IsArea(area) {
		return place{}
	}
	city, ok := a.cities[a.areas[area]]
	return place{city: city, area: area, how: how, away: !ok || city.Away}
}

// remembered asks for the city the caller keyed in before; "" when there is none, or it takes too long.
func (m *Module) remembered(a *atlas, caller string) string {
	if m.deps.Cities == nil || a == nil || a.area.RememberDays == 0 {
		return ""
	}
	ctx, cancel := context.WithTimeout(m.life, memoryBound)
	defer cancel()
	city, err := m.deps.Cities.CityOf(ctx, caller, m.now().AddDate(0, 0, -a.area.RememberDays))
	if err != nil {
		m.deps.Log.Warn("nobody knows which city a caller chose before", "err", err)
	}
	return city
}

// meet finds out where the caller belongs before the contact begins, where the number's flow asks for it, so that the
// contact counts at its city from its first fact on.
func (c *call) meet(f id.Flow) {
	s := c.m.snap.Load()
	if !s.atlas.any() || !s.flows[f].cities {
		return
	}
	c.atlas = s.atlas
	c.place = c.m.placeOf(s.atlas, c.from)
	c.settle()
}

// settle makes the place's city the contact's site, where it is served for it.
func (c *call) settle() {
	if !c.place.away && c.place.city.Site != "" {
		c.site = c.place.city.Site
	}
}

// locate answers a flow's question for the city, when the caller has heard what the city has to say.
func (c *call) locate(q *flow.AskCity, lang string) {
	a := c.atlas
	if a == nil { // brought here by another flow, or by a change since the call came
		a = c.m.snap.Load().atlas
		c.atlas = a
	}
	switch {
	case q.Keyed:
		c.place = a.byArea(q.Code, "keyed")
	case c.place.how == "":
		c.place = c.m.placeOf(a, c.from)
	}
	p := c.place
	c.settle()
	fact := event.ContactLocated{City: p.city.Code, Area: p.area, How: p.how, Away: p.away}
	if !p.away {
		fact.Site = p.city.Site
	}
	c.fact("", fact)
	in := flow.Input{Kind: flow.Located, City: p.city.Code, Away: p.away, Vars: map[string]string{
		"city_name": p.city.Name, "city_name_en": p.city.NameEn, "area_code": p.area,
	}}
	prompt := p.city.Greeting
	if prompt == "" && p.away && a != nil {
		prompt = a.area.Elsewhere
	}
	if prompt == "" {
		c.next(in)
		return
	}
	c.gather = nil
	c.say(lang, []string{string(prompt)}, func() { c.next(in) })
}

// cityQueue gives the queue a flow's queue node means: with by_city the one the city has in its place.
func (c *call) cityQueue(q *flow.Queue) id.Queue {
	if q.ByCity && !c.place.away {
		if own := id.Queue(c.place.city.Queues[string(q.Queue)]); own != "" && c.m.deps.Queues.Known(own) {
			return own
		}
	}
	return q.Queue
}

// calendar gives the calendar asked where a flow names none: the city's, else the number's.
func (c *call) calendar() string {
	if own := c.place.city.Calendar; own != "" && !c.place.away {
		return own
	}
	return c.m.snap.Load().numbers[c.number].Calendar
}

// cityVars gives a further flow of the call what the one before knew of the city.
func (c *call) cityVars(v map[string]string) {
	for name, value := range c.cursor.Vars {
		if name == flow.CityVar || name == "area_code" || strings.HasPrefix(name, "city_") {
			v[name] = value
		}
	}
}

// any reports whether there is a city at all.
func (a *atlas) any() bool { return a != nil && len(a.cities) > 0 }
