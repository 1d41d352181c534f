package acd

import "github.com/kapok-hotline/kapok/core/id"

// All spans and moments in this package are int64 milliseconds; moments are unix time. Manual as a wrap-up span
// means that only the agent ends it (bounded by Settings.MaxWrapUp).
const (
	Second int64 = 1000
	Minute       = 60 * Second
	Hour         = 60 * Minute
	Manual int64 = -1
)

// Bounds of the values taken in; larger ones are cut down to these.
const (
	MaxChannels  = 8           // kinds of channel one brain tells apart
	MaxLevel     = 4           // highest skill level
	MaxNoAgent   = 20 * Second // longest wait in a queue nobody is signed in for
	maxRings     = 8
	maxPerAgent  = 64 // contacts of one channel at one agent
	maxExtraNeed = 16
)

// Channel names a kind of contact: "voice", "chat", "wechat", ….
type Channel string

// Rule names what shall happen to a contact that leaves a queue unserved (a message, a call-back, a closing
// text, another queue). The brain carries it into the Exit command and knows nothing else of it.
type Rule string

// Need asks for a skill at a level. Relaxing lowers Level one by one, never under Floor; an agent without the
// skill is never eligible, not even at level 0.
type Need struct {
	Skill id.Skill `json:"skill"`
	Level uint8    `json:"level"`
	Floor uint8    `json:"floor,omitempty"`
}

// Skill is an agent's mastery of a skill, 0 (beginner) to 4.
type Skill struct {
	Skill id.Skill `json:"skill"`
	Level uint8    `json:"level"`
}

// Ring widens the circle of sites whose agents may take a contact: after After ms of waiting the agents of Sites
// (of the contact's own site when Own, of every site when Any) are added to those of the rings before. Ring 0 is
// open from the start. OnWait > 0 opens the ring at entry when the estimated wait is at least that long.
type Ring struct {
	After  int64     `json:"after"`
	Sites  []id.Site `json:"sites,omitempty"`
	Own    bool      `json:"own,omitempty"`
	Any    bool      `json:"any,omitempty"`
	OnWait int64     `json:"on_wait,omitempty"`
}

// Queue is the whole configuration of a queue. Zero values mean: no needs, no relaxing, no priority, every site,
// no sticky window, no limit of length; for the spans marked with a setting, that setting.
type Queue struct {
	ID         id.Queue `json:"id"`
	Needs      []Need   `json:"needs,omitempty"`
	RelaxEvery int64    `json:"relax_every,omitempty"` // one level less each RelaxEvery ms of waiting
	Rings      []Ring   `json:"rings,omitempty"`       // by ascending After; none = every site

	Priority  int   `json:"priority,omitempty"`   // points added to those of the contact
	HeadStart int64 `json:"head_start,omitempty"` // ms one point is worth (Settings.HeadStart)
	BestSkill bool  `json:"best_skill,omitempty"` // among free agents the best skilled first, then the longest idle
	Sticky    int64 `json:"sticky,omitempty"`     // wait this long for the sticky agent
	// RedialBonus is the points of who tries again and again (Settings.RedialBonus); negative: none here.
	RedialBonus int `json:"redial_bonus,omitempty"`

	Ringing int64 `json:"ringing,omitempty"` // ring time-out of an offer (Settings.Ringing)
	WrapUp  int64 `json:"wrap_up,omitempty"` // 0 = none, Manual = until the agent ends it

	MaxWait      int64 `json:"max_wait,omitempty"` // (Settings.MaxWait)
	MaxWaitRule  Rule  `json:"max_wait_rule,omitempty"`
	MaxLength    int   `json:"max_length,omitempty"` // contacts waiting or ringing
	FullRule     Rule  `json:"full_rule,omitempty"`
	NoAgentAfter int64 `json:"no_agent_after,omitempty"` // 0 = at once, at most MaxNoAgent; only with NoAgentRule
	NoAgentRule  Rule  `json:"no_agent_rule,omitempty"`

	Closed     bool `json:"closed,omitempty"`
	ClosedRule Rule `json:"closed_rule,omitempty"` // for who comes while closed
	// ClosingRule, when set, sends away those who wait at closing time; empty = they are still served.
	ClosingRule Rule `json:"closing_rule,omitempty"`
}

// Slots is how many contacts of a channel an agent takes at once.
type Slots struct {
	Channel Channel `json:"channel"`
	Max     int     `json:"max"`
}

// Agent is what an agent signs in with.
type Agent struct {
	ID     id.User    `json:"id"`
	Skills []Skill    `json:"skills,omitempty"`
	Sites  []id.Site  `json:"sites,omitempty"`  // the own site, and those above it whose rings include this agent
	Queues []id.Queue `json:"queues,omitempty"` // empty = every queue the skills allow
	Slots  []Slots    `json:"slots,omitempty"`  // empty = one contact of the first channel of Settings
	// Capacity is the sum of channel weights the agent may carry at once (Settings.Capacity).
	Capacity int `json:"capacity,omitempty"`
}

// ChannelRule gives a channel its weight and says whether it needs the agent's endpoint (a phone).
type ChannelRule struct {
	Channel  Channel `json:"channel"`
	Weight   int     `json:"weight"`
	Endpoint bool    `json:"endpoint,omitempty"`
}

// Settings hold for the whole brain. New fills zero values with those of Defaults, except where 0 is meant.
type Settings struct {
	Channels []ChannelRule `json:"channels,omitempty"`
	Capacity int           `json:"capacity,omitempty"` // sum of weights an agent carries by default

	HeadStart    int64 `json:"head_start,omitempty"`     // ms one point of priority is worth
	MaxHeadStart int64 `json:"max_head_start,omitempty"` // the most that priority can be worth: the bound of overtaking

	Ringing   int64 `json:"ringing,omitempty"`
	Slack     int64 `json:"slack,omitempty"` // the brain waits this long beyond an offer's deadline for the answer
	MaxWait   int64 `json:"max_wait,omitempty"`
	MaxWrapUp int64 `json:"max_wrap_up,omitempty"` // longest wrap-up, extensions included; then away

	MissedLimit    int   `json:"missed_limit,omitempty"`    // offers missed in a row until away; negative = never
	RefusedCounts  bool  `json:"refused_counts,omitempty"`  // a refusal counts as a miss
	MissedWindow   int64 `json:"missed_window,omitempty"`   // misses further apart than this do not add up; 0 = any
	Rest           int64 `json:"rest,omitempty"`            // no offers for so long after a miss, a failure or a refusal
	DirectWrapUp   int64 `json:"direct_wrap_up,omitempty"`  // wrap-up after a contact that came through no queue
	CheckTalking   int64 `json:"check_talking,omitempty"`   // ask whether the talk is real, each so long
	CheckOther     int64 `json:"check_other,omitempty"`     // the same for ready and away
	RedialWindow   int64 `json:"redial_window,omitempty"`   // attempts within this span belong together; negative = off
	RedialAttempts int   `json:"redial_attempts,omitempty"` // from this attempt on the caller has RedialBonus
	RedialBonus    int   `json:"redial_bonus,omitempty"`    // points of priority
	RedialMemory   int   `json:"redial_memory,omitempty"`   // callers remembered
}

// Defaults are the settings a new hotline starts with: the third attempt within 30 minutes gets a minute's
// head start, two missed offers make an agent away, priority never overtakes by more than ten minutes.
func Defaults() Settings {
	return Settings{
		Channels: []ChannelRule{
			{"voice", 100, true},
			{"chat", 30, false},
			{"wechat", 30, false},
			{"weibo", 30, false},
			{"sms", 30, false},
		},
		Capacity:       100,
		HeadStart:      Minute,
		MaxHeadStart:   10 * Minute,
		Ringing:        20 * Second,
		Slack:          2 * Second,
		MaxWait:        Hour,
		MaxWrapUp:      30 * Minute,
		MissedLimit:    2,
		Rest:           5 * Second,
		CheckTalking:   2 * Hour,
		CheckOther:     4 * Hour,
		RedialWindow:   30 * Minute,
		RedialAttempts: 3,
		RedialBonus:    1,
		RedialMemory:   1 << 16,
	}
}

// filled returns s with zero values replaced by the defaults. Slack, Rest, DirectWrapUp, MissedWindow and
// RefusedCounts mean what they say when zero.
func (s Settings) filled() Settings {
	d := Defaults()
	if len(s.Channels) == 0 {
		s.Channels = d.Channels
	}
	if len(s.Channels) > MaxChannels {
		s.Channels = s.Channels[:MaxChannels]
	}
	if s.Capacity <= 0 {
		s.Capacity = d.Capacity
	}
	for _, f := range []struct {
		v   *int64
		def int64
	}{
		{&s.HeadStart, d.HeadStart},
		{&s.MaxHeadStart, d.MaxHeadStart},
		{&s.Ringing, d.Ringing},
		{&s.MaxWait, d.MaxWait},
		{&s.MaxWrapUp, d.MaxWrapUp},
		{&s.CheckTalking, d.CheckTalking},
		{&s.CheckOther, d.CheckOther},
	} {
		if *f.v <= 0 {
			*f.v = f.def
		}
	}
	s.Slack, s.Rest = max(s.Slack, 0), max(s.Rest, 0)
	if s.MissedLimit == 0 {
		s.MissedLimit = d.MissedLimit
	}
	if s.RedialWindow == 0 {
		s.RedialWindow = d.RedialWindow
	}
	if s.RedialAttempts <= 0 {
		s.RedialAttempts = d.RedialAttempts
	}
	if s.RedialBonus <= 0 {
		s.RedialBonus = d.RedialBonus
	}
	if s.RedialMemory <= 0 {
		s.RedialMemory = d.RedialMemory
	}
	return s
}
