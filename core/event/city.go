package event

import "github.com/kapok-hotline/kapok/core/id"

// ContactLocated says which city of the province the contact belongs to: one per question of its flow, the newest
// holds. City is empty when nobody knows it, or when the person belongs to another province.
type ContactLocated struct {
	City string  `json:"city,omitempty"`
	Site id.Site `json:"site,omitempty"` // the city's, where the contact is served for it
	Area string  `json:"area,omitempty"` // area code, where one is known
	How  string  `json:"how,omitempty"`  // area (of a fixed number), keyed, remembered, segment
	Away bool    `json:"away,omitempty"` // the person belongs elsewhere and has heard where to call
}

// Kind is contact.located.
func (ContactLocated) Kind() string { return "contact.located" }
