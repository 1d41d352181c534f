package report

import (
	"context"
	"log/slog"
	"time"

	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/modules/report/tally"
	"github.com/kapok-hotline/kapok/platform/clock"
	"github.com/kapok-hotline/kapok/platform/ledger"
	"github.com/kapok-hotline/kapok/platform/web"
)

// Kind says what a code names, for Names.
type Kind string

// The kinds.
const (
	KindQueue    Kind = "queue"
	KindAgent    Kind = "agent"
	KindSite     Kind = "site"
	KindNumber   Kind = "number"
	KindTopic    Kind = "topic"
	KindTaxType  Kind = "tax_type"
	KindDistrict Kind = "district"
)

// Names gives the names of codes as they are configured now. A code nobody knows any more gives "", "" and is
// shown as it is.
type Names interface {
	Name(ctx context.Context, kind Kind, code string) (zh, en string)
}

// Floor tells how the hotline is set up: its queues, who serves them, which away reasons count as work.
type Floor interface {
	Queues(ctx context.Context) ([]Queue, error)
	Serves(ctx context.Context, agent id.User) []id.Queue
	Work(ctx context.Context, reason string) bool
}

// Queue is a configured queue.
type Queue struct {
	Code   id.Queue
	Site   id.Site
	Target float64 // of the agent answer rate; 0: the house's
}

// Sites gives a site and all below it; root "" gives every site, and so does nil.
type Sites interface {
	Subtree(ctx context.Context, root id.Site) ([]id.Site, error)
}

// Ladder gives the signalling of a contact, oldest message first, as the channel that carried it keeps it.
type Ladder interface {
	Ladder(ctx context.Context, contact id.Contact) ([]Message, error)
}

// Message is one step of a ladder.
type Message struct {
	At   int64  `json:"at" doc:"unix ms"`
	From string `json:"from"`
	To   string `json:"to"`
	Text string `json:"text" doc:"first line, such as INVITE or 180 Ringing"`
	Raw  string `json:"raw,omitempty"`
}

// Presence tells which contacts are alive somewhere: an open contact that is not is a broken one.
type Presence interface {
	Alive(ctx context.Context, contacts []id.Contact) (map[id.Contact]bool, error)
}

// Hub is the part of web.Hub the wallboard publishes by.
type Hub interface {
	Heard(topic string) bool
	Publish(topic string, to web.Audience, data any) error
}

// Deps is what the module works with.
type Deps struct {
	Ledger   *ledger.Ledger                   // required
	Clock    clock.Clock                      // nil: the machine's
	Zone     func(site string) *time.Location // nil: Asia/Shanghai everywhere
	Hub      Hub                              // nil: nothing is pushed
	Names    Names                            // nil: codes are shown
	Floor    Floor                            // nil: the queues seen in the facts
	Sites    Sites                            // nil: one flat set of sites
	Ladder   Ladder                           // nil: no signalling is shown
	Presence Presence                         // nil: open contacts are not compared with presence
	Log      *slog.Logger
}

// zone makes the tally's zone of Deps.
func (d *Deps) zone() tally.Zone {
	china, err := clock.Zone("")
	if err != nil {
		panic(err) // the program carries its zones
	}
	return func(s id.Site) *time.Location {
		if d.Zone != nil {
			if z := d.Zone(string(s)); z != nil {
				return z
			}
		}
		return china
	}
}

// name gives the names of a code, the code where there is none.
func (d *Deps) name(ctx context.Context, kind Kind, code string) (zh, en string) {
	if d.Names != nil && code != "" {
		zh, en = d.Names.Name(ctx, kind, code)
	}
	if zh == "" {
		zh = code
	}
	if en == "" {
		en = zh
	}
	return zh, en
}

// subtree gives root and the sites below it; nil means every site.
func (d *Deps) subtree(ctx context.Context, root id.Site) ([]id.Site, error) {
	if root == "" {
		return nil, nil
	}
	if d.Sites == nil {
		return []id.Site{root}, nil
	}
	return d.Sites.Subtree(ctx, root)
}

func (d *Deps) work(ctx context.Context, reason string) bool {
	return d.Floor != nil && reason != "" && d.Floor.Work(ctx, reason)
}
