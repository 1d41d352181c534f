package app

import (
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/modules/caller"
)

func (h *House) newCaller() *caller.Module {
	return caller.New(caller.Deps{
		DB: h.db, Clock: h.clock, Stream: stream{h}, Publish: publisher{h}, Secret: h.secret,
		User: func(u id.User) string {
			p, _ := h.identity.Person(u)
			return p.Name
		},
		Hub: h.web.Hub(), Changed: h.changed, Log: h.log,
	})
}
