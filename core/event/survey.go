package event

import "github.com/kapok-hotline/kapok/core/id"

// SurveyAsked says the person was asked how the service was, when the agent had hung up; Subject is the contact.
type SurveyAsked struct {
	Agent id.User  `json:"agent"`
	Queue id.Queue `json:"queue,omitempty"`
}

// SurveyAnswered is what the person said: 5 very satisfied, 4 satisfied, 3 by and large, 2 dissatisfied, 1 very
// dissatisfied (the five grades of 好差评; 3 and better count as satisfied).
type SurveyAnswered struct {
	Agent id.User  `json:"agent"`
	Queue id.Queue `json:"queue,omitempty"`
	Grade int      `json:"grade"`
}

// Kinds of the survey facts.
func (SurveyAsked) Kind() string    { return "survey.asked" }
func (SurveyAnswered) Kind() string { return "survey.answered" }
