package desk

import (
	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/id"
)

// Pop says who is calling and what they came for before. Numbers and tax IDs are masked.
type Pop struct {
	Number        string     `json:"number"`
	City          string     `json:"city"`
	Person        *PopPerson `json:"person,omitempty"` // absent: not known yet
	ContactsToday int        `json:"contacts_today" doc:"from this number since local midnight, this one included"`
	History       []PopPast  `json:"history" doc:"the newest first"`
}

// PopPerson is who is behind a number.
type PopPerson struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	TaxID string `json:"tax_id"`
	Type  string `json:"type"`
}

// PopPast is a former contact; At is unix ms.
type PopPast struct {
	Contact   id.Contact      `json:"contact"`
	At        int64           `json:"at"`
	Medium    contact.Medium  `json:"medium"`
	From      string          `json:"from" doc:"masked"`
	Queue     id.Queue        `json:"queue"`
	Agent     id.User         `json:"agent"`
	AgentName string          `json:"agent_name"`
	Outcome   contact.Outcome `json:"outcome" doc:"empty while it goes on"`
	Topic     string          `json:"topic"`
	TaxType   string          `json:"tax_type,omitempty"`
	Question  string          `json:"question"`
	Answer    string          `json:"answer"`
}

// Day is an agent's own figures of a day; null where there is nothing to divide by.
type Day struct {
	Day        string   `json:"day"`
	Answered   int64    `json:"answered"`
	Offered    int64    `json:"offered"`
	Missed     int64    `json:"missed"`
	AnswerRate *float64 `json:"answer_rate" doc:"answered of the offers made, 0..1"`
	AHTMs      *float64 `json:"aht_ms" doc:"mean handling time: talk, hold, wrap-up"`
	TalkMs     int64    `json:"talk_ms"`
	HoldMs     int64    `json:"hold_ms"`
	WrapMs     int64    `json:"wrap_ms"`
	ReadyMs    int64    `json:"ready_ms"`
	AwayMs     int64    `json:"away_ms"`
	SignedInMs int64    `json:"signed_in_ms"`
}
