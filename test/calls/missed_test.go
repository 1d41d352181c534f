package calls

import (
	"strings"
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/test/house"
	"github.com/kapok-hotline/kapok/test/ua"
)

// missedRow is a row of the list of missed callers.
type missedRow struct {
	ID, Number, Kind, State, Owner, Message, Result string
	Attempts, Tries                                 int
}

// missed gives the rows of a view, by the last digits of the number.
func (s *scene) missed(c *house.Client, view string) map[string]missedRow {
	s.t.Helper()
	var list struct{ Items []missedRow }
	must(s.t, c.Get(s.ctx, "/missed?limit=200&view="+view, &list))
	out := map[string]missedRow{}
	for _, r := range list.Items {
		out[r.Number[len(r.Number)-4:]] = r
	}
	return out
}

func end(number string) string { return number[len(number)-4:] }

// TestRowB8MissedCallers: real callers give up, leave a message, are cut off by a power cut; they stand on the list, whose
// rows survive; an agent hears the message, calls one back from the list and reaches them; another calls again and is
// answered; both leave the list by themselves, and the doctor agrees.
func TestRowB8MissedCallers(t *testing.T) {
	t.Parallel()
	s := open(t)
	outside, err := ua.Open("127.0.0.1", s.h.SIP, "outside", "")
	must(t, err)
	t.Cleanup(outside.Close)
	rang := make(chan *ua.Call, 4)
	outside.OnCall = func(c *ua.Call) {
		c.Ring()
		_ = c.Answer(s.ctx, 700) // the test sees that nobody talks
		rang <- c
	}
	bureau, err := house.Bureau(1, "trunks:\n",
		"trunks:\n  - {code: aout, name: 外线, site: gz, kind: ip, caller_id: \"02012366\", peers: [\""+outside.Addr()+"\"], accept: [\"127.9.9.9/32\"]}\n",
		"numbers:\n  - {code: \"12366\"", "numbers:\n  - {code: \"12370\", name: 留言, site: gz, flow: voicemail}\n  - {code: \"12366\"",
		"prompts: [voicemail], limit: 2m", "prompts: [beep], limit: 2m",
		"\nsettings: {recording", "\nmissed_rules: {short_s: 1, tries: 5, keep_days: 7}\n\nsettings: {recording")
	must(t, err)
	must(t, s.h.Apply(s.ctx, bureau))
	s.leader, err = s.h.Login(s.ctx, "leader1")
	must(t, err)

	gaveUp, again := s.call("12367", 440), s.call("12367", 440)
	time.Sleep(3 * time.Second)
	gaveUp.Hangup(s.ctx)
	again.Hangup(s.ctx)
	speaker := s.call("12370", 440)
	for hung := false; !hung; {
		select {
		case <-speaker.Done():
			hung = true
		case <-time.After(4 * time.Second):
			_ = speaker.Info(s.ctx, '#') // it may have hung up
		}
	}
	cut := s.call("12367", 440)
	s.within(20*time.Second, "three are on the list, one with a message", func() bool {
		all := s.missed(s.leader, "due")
		return len(all) == 3 && all[end(speaker.number)].Message != "" && all[end(speaker.number)].Kind == "voicemail" && all[end(gaveUp.number)].Kind == "abandoned"
	})

	time.Sleep(2 * time.Second) // the journal writes within that
	s.h.Kill()
	cut.Media.Forget()
	must(t, s.h.Start(s.ctx))
	s.leader, err = s.h.Login(s.ctx, "leader1")
	must(t, err)
	s.within(20*time.Second, "the one who was cut off is on the list with the others", func() bool {
		all := s.missed(s.leader, "open")
		return len(all) == 4 && all[end(cut.number)].Kind == "failed"
	})
	s.doctor()

	a := s.agent(1, lift(880))
	all := s.missed(a.Client, "due")
	message := all[end(speaker.number)]
	wav, err := a.Raw(s.ctx, "GET", "/missed/"+message.ID+"/messages/"+message.Message, nil)
	if err != nil || len(wav) < 8000 || !strings.HasPrefix(string(wav), "RIFF") {
		t.Errorf("the message: %d bytes, %v", len(wav), err)
	}

	row := all[end(gaveUp.number)]
	must(t, a.Post(s.ctx, "/missed/"+row.ID+"/call", map[string]string{}, nil))
	c := <-rang
	if !strings.Contains(c.Invite.Start, strings.TrimPrefix(gaveUp.number, "0")) {
		t.Errorf("dialled %s", c.Invite.Start)
	}
	a.talks()
	time.Sleep(500 * time.Millisecond)
	c.Hangup(s.ctx)
	s.within(20*time.Second, "who was called back is off the list", func() bool {
		r, ok := s.missed(s.leader, "closed")[end(gaveUp.number)]
		return ok && r.State == "reached" && r.Owner == a.user
	})
	s.eventually("the wrap-up of the call back", func() bool { return a.desk().Wrapup != nil })
	must(t, a.WrapUp(s.ctx, a.desk().Wrapup.Contact, "0101"))

	phone, err := ua.Open("127.0.0.1", s.h.SIP, again.number, "")
	must(t, err)
	t.Cleanup(phone.Close)
	back, err := phone.Dial(s.ctx, ua.Dial{Number: "12367", Tone: 440})
	must(t, err)
	a.talks()
	s.within(20*time.Second, "who came back is off the list while they talk", func() bool {
		return s.missed(s.leader, "closed")[end(again.number)].State == "came_back"
	})
	back.Hangup(s.ctx)
	s.eventually("the agent wraps up", func() bool { return a.desk().Wrapup != nil })
	if left := s.missed(s.leader, "open"); len(left) != 2 {
		t.Errorf("on the list are still %v", left)
	}
	s.doctor()
}
