package desk

import "github.com/kapok-hotline/kapok/platform/store"

// Reason is a reason for being away.
type Reason struct {
	Code       string `json:"code" minLength:"1" maxLength:"16"`
	Name       string `json:"name"`
	NameEn     string `json:"name_en,omitempty"`
	Work       bool   `json:"counts_as_work" doc:"counts as working time"`
	Paid       bool   `json:"paid"`
	MaxMinutes int    `json:"max_minutes,omitempty" minimum:"0" maximum:"1440" doc:"an alert comes after so long; 0: never"`
	Order      int    `json:"order,omitempty"`
}

// Topic is what a contact was about, in two levels.
type Topic struct {
	Code   string `json:"code" minLength:"1" maxLength:"16"`
	Level1 string `json:"level1"`
	Level2 string `json:"level2"`
}

// TaxType is a tax or fee with the days it was in force ("2016-05-01"; empty: no such bound).
type TaxType struct {
	Code string `json:"code" minLength:"1" maxLength:"16"`
	Name string `json:"name"`
	From string `json:"valid_from,omitempty"`
	To   string `json:"valid_to,omitempty"`
}

var (
	reasonTable  = store.Docs[Reason]{Table: "desk_reason"}
	topicTable   = store.Docs[Topic]{Table: "desk_topic"}
	taxTypeTable = store.Docs[TaxType]{Table: "desk_tax_type"}
)
