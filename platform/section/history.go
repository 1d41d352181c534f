package section

import (
	"context"
	"encoding/json"

	"github.com/kapok-hotline/kapok/platform/store"
	"github.com/kapok-hotline/kapok/platform/web"
)

// Former is one change of an item's history. Putting Body again goes back to it.
type Former struct {
	Version int64           `json:"version"`
	At      int64           `json:"at"`
	By      string          `json:"by"`
	Kind    string          `json:"kind"` // create, change, drop
	Body    json.RawMessage `json:"body,omitempty" doc:"the item after the change, without secrets; none after drop"`
}

type historyIn struct {
	Section string `path:"section" maxLength:"64"`
	Code    string `path:"code" maxLength:"64"`
	Limit   int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
}

type historyOut struct{ Body []Former }

func (b *Book) handleHistory(ctx context.Context, in *historyIn) (*historyOut, error) {
	s, err := b.seen(ctx, in.Section)
	if err != nil {
		return nil, err
	}
	if err := b.maySee(ctx, s, in.Code); err != nil {
		return nil, err
	}
	list, err := b.History(ctx, in.Section, in.Code, in.Limit)
	return &historyOut{Body: list}, err
}

// maySee asks for the right at the site of an item that is there; one that is gone shows to who may see all.
func (b *Book) maySee(ctx context.Context, s Section, code string) error {
	return b.cfg.DB.Tx(ctx, func(tx *store.Tx) error {
		list, err := s.load(ctx, tx)
		for _, it := range list {
			if it.code == code && it.site != "" {
				return web.May(ctx, s.see, it.site)
			}
		}
		return err
	})
}

// History gives the newest changes of an item, the newest first.
func (b *Book) History(ctx context.Context, key, code string, limit int) ([]Former, error) {
	return store.All(ctx, b.cfg.DB, `SELECT version, at, actor, kind, body FROM section_change
		WHERE section = ? AND code = ? ORDER BY version DESC LIMIT ?`, scanFormer, key, code, limit)
}

func scanFormer(r store.Scanner) (f Former, err error) {
	var body string
	err = r.Scan(&f.Version, &f.At, &f.By, &f.Kind, &body)
	if body != "" {
		f.Body = json.RawMessage(body)
	}
	return f, err
}
