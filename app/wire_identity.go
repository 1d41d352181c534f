package app

import (
	"github.com/kapok-hotline/kapok/modules/identity"
)

func (h *House) newIdentity() *identity.Module {
	return identity.New(identity.Deps{
		DB: h.db, Node: h.o.Node, Key: h.keys.identity, Clock: h.clock, Log: h.log, Bus: h.bus,
		Rights: h.rights, Bootstrap: h.bootstrap, Demo: h.o.Demo,
	})
}
