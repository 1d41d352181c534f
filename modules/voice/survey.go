package voice

import (
	"context"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/section"
	"github.com/kapok-hotline/kapok/platform/store"
)

// Survey has the callers of a queue asked how the service was, by keypad, when the agent has hung up.
type Survey struct {
	Queue  id.Queue  `json:"queue" ref:"queues" minLength:"1"`
	Prompt id.Prompt `json:"prompt,omitempty" ref:"prompts" doc:"the question: 1 very satisfied to 5 very dissatisfied; empty: the shipped one"`
	Thanks id.Prompt `json:"thanks,omitempty" ref:"prompts" doc:"said after an answer; empty: the shipped one"`
}

// The shipped prompts of a survey.
const (
	promptSurvey = id.Prompt("survey")
	promptThanks = id.Prompt("survey_thanks")
)

var surveyTable = store.Docs[Survey]{Table: "voice_survey"}

func surveySection() section.Spec[Survey] {
	return section.Spec[Survey]{
		Key: "surveys", Order: 79, Right: ManageNumbers,
		ID:   func(s Survey) string { return string(s.Queue) },
		Load: func(ctx context.Context, tx *store.Tx) ([]Survey, error) { return surveyTable.Load(ctx, tx) },
		Put: func(ctx context.Context, tx *store.Tx, s Survey) error {
			return surveyTable.Put(ctx, tx, string(s.Queue), s)
		},
		Drop: func(ctx context.Context, tx *store.Tx, code string) error { return surveyTable.Drop(ctx, tx, code) },
	}
}

// loadSurveys reads which queues ask.
func (m *Module) loadSurveys(ctx context.Context) error {
	all, err := surveyTable.Load(ctx, m.deps.DB)
	if err != nil {
		return err
	}
	by := make(map[id.Queue]Survey, len(all))
	for _, s := range all {
		by[s.Queue] = s
	}
	m.surveys.Store(&by)
	return nil
}

// surveying: the agent has hung up, and the person is asked how it was.
const surveying phase = "surveying"

const (
	surveyWait  = 5 * time.Second // for a key, after the question
	surveyTimes = 2               // the question is asked so often
)

// asking is a survey under way.
type asking struct {
	Survey
	agent id.User
	cause string // how the agent hung up
	left  int    // how often it is asked yet
	done  bool   // an answer is there
}

// endByAgent ends the call at the agent's word; who is to be asked how it was is asked first. The agent's leg ends
// either way: talk time, wrap-up and every rate are what they were without a survey.
func (c *call) endByAgent(cause string) {
	a := c.agent
	if all := c.m.surveys.Load(); all != nil && a != nil && a.role == "agent" && c.phase == talking {
		q := a.queue
		if q == "" {
			q = c.queue
		}
		if s, ok := (*all)[q]; ok && c.caller.dialog.End().Cause == "" {
			c.survey(&asking{Survey: s, agent: a.agent, cause: cause, left: surveyTimes})
			return
		}
	}
	c.end(contact.ByAgent, cause)
}

// survey lets the agent go and asks the person.
func (c *call) survey(s *asking) {
	ctx, cancel := context.WithTimeout(c.ctx, goodbye)
	defer cancel()
	c.dropAgent(ctx, s.cause)
	c.outcome = contact.Answered
	c.stopRecording() // the talk is over
	c.phase, c.gather, c.ask5 = surveying, nil, s
	c.player.Music(nil)
	c.fact("", event.SurveyAsked{Agent: s.agent, Queue: s.Queue})
	c.askGrade()
}

func (c *call) askGrade() {
	s := c.ask5
	if s.left == 0 {
		c.surveyed()
		return
	}
	s.left--
	c.sayClips(c.m.sounds.clips(c.lang(), []string{string(orPrompt(s.Prompt, promptSurvey))}), func() {
		c.after(surveyWait, c.askGrade)
	})
}

// grade takes a key: 1 is very satisfied, 5 very dissatisfied; others are not heard.
func (c *call) grade(key byte) {
	s := c.ask5
	if s == nil || s.done || key < '1' || key > '5' {
		return
	}
	s.done = true
	c.play++ // the question ends here
	c.player.Hush()
	c.fact("", event.SurveyAnswered{Agent: s.agent, Queue: s.Queue, Grade: 6 - int(key-'0')})
	c.sayClips(c.m.sounds.clips(c.lang(), []string{string(orPrompt(s.Thanks, promptThanks))}), c.surveyed)
}

// surveyed ends the call as the agent did.
func (c *call) surveyed() { c.end(contact.ByAgent, c.ask5.cause) }

func orPrompt(p, shipped id.Prompt) id.Prompt {
	if p == "" {
		return shipped
	}
	return p
}
