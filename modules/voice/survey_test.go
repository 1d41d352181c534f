package voice

import (
	"strings"
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
)

// surveying has the queue vat ask its callers how it was.
func (h *house) surveying() {
	h.t.Helper()
	must(h.t, surveyTable.Put(h.t.Context(), h.deps.DB, "vat", Survey{Queue: "vat", Prompt: "beep", Thanks: "beep"}))
	must(h.t, h.loadSurveys(h.t.Context()))
}

// TestSurvey: when the agent hangs up the person is asked and presses; the agent is free at once, talk time ends with
// the agent's leg, and the call has been ended by the agent whoever hangs up in the end.
func TestSurvey(t *testing.T) {
	for _, x := range []struct {
		name  string
		hang  func(h *house, caller, agent *line)
		press byte
		grade int
	}{
		{"at the desk, very satisfied", func(h *house, _, _ *line) { must(h.t, h.Hangup(h.t.Context(), h.contact(), "a1")) }, '1', 5},
		{"at the desk, very dissatisfied", func(h *house, _, _ *line) { must(h.t, h.Hangup(h.t.Context(), h.contact(), "a1")) }, '5', 1},
		{"while held", func(h *house, _, _ *line) {
			must(h.t, h.Hold(h.t.Context(), h.contact(), "a1", true))
			must(h.t, h.Hangup(h.t.Context(), h.contact(), "a1"))
		}, '3', 3},
	} {
		t.Run(x.name, func(t *testing.T) {
			h := newHouse(t)
			h.surveying()
			caller, agent, _ := h.talk()
			x.hang(h, caller, agent)
			agent.Expect("BYE")
			h.has("survey.asked", 1)
			h.tells("done a1")
			asked := time.Now()
			time.Sleep(700 * time.Millisecond)
			caller.press(x.press)
			h.has("survey.answered", 1)
			caller.Expect("BYE")
			h.ends(contact.ByAgent, contact.Answered)
			if got := said[event.SurveyAnswered](h); len(got) != 1 || got[0].Grade != x.grade || got[0].Agent != "a1" || got[0].Queue != "vat" {
				t.Errorf("answered %+v", got)
			}
			for _, l := range said[event.LegEnded](h) {
				if l.Role == "agent" && l.TalkMs+l.HoldMs > time.Since(asked).Milliseconds()+3000 {
					t.Errorf("the survey counts as talk: %+v", l)
				}
			}
			s := h.story()
			if strings.Index(s, "leg.ended agent") > strings.Index(s, "survey.asked") || strings.Count(s, "leg.ended agent") != 1 {
				t.Errorf("the agent's leg does not end before the question:\n%s", s)
			}
		})
	}
}

// TestSurveyUnanswered: who says nothing is asked twice and let go; who hangs up is not held; a caller who hangs up
// first, and a queue that does not ask, are asked nothing.
func TestSurveyUnanswered(t *testing.T) {
	t.Run("the caller hangs up at the question", func(t *testing.T) {
		h := newHouse(t)
		h.surveying()
		caller, _, _ := h.talk()
		must(t, h.Hangup(t.Context(), h.contact(), "a1"))
		h.has("survey.asked", 1)
		caller.Request("BYE", "")
		h.ends(contact.ByAgent, contact.Answered)
		if len(said[event.SurveyAnswered](h)) != 0 {
			t.Error("an answer nobody gave")
		}
	})
	t.Run("the caller hangs up first", func(t *testing.T) {
		h := newHouse(t)
		h.surveying()
		caller, _, _ := h.talk()
		caller.Request("BYE", "")
		h.ends(contact.ByCaller, contact.Answered)
		if len(said[event.SurveyAsked](h)) != 0 {
			t.Error("asked who had gone")
		}
	})
	t.Run("the queue does not ask", func(t *testing.T) {
		h := newHouse(t)
		_, agent, in := h.talk()
		agent.within(in, "BYE", 2, "")
		h.ends(contact.ByAgent, contact.Answered)
		if len(said[event.SurveyAsked](h)) != 0 {
			t.Error("asked")
		}
	})
	t.Run("at the phone, and never a key", func(t *testing.T) {
		h := newHouse(t)
		h.surveying()
		_, agent, in := h.talk()
		agent.within(in, "BYE", 2, "")
		h.has("survey.asked", 1)
		time.Sleep(surveyWait) // the second question
		h.ends(contact.ByAgent, contact.Answered)
	})
}
