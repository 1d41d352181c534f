package app

import (
	"context"

	"github.com/kapok-hotline/kapok/modules/identity"
)

func (h *House) newIdentity() *identity.Module {
	return identity.New(identity.Deps{
		DB: h.db, Node: h.o.Node, Key: h.keys.identity, Clock: h.clock, Log: h.log, Bus: h.bus,
		Rights: h.rights, Bootstrap: h.bootstrap, Demo: h.o.Demo,
	})
}

// bootstrap makes the rest of a first set-up.
func (h *House) bootstrap(ctx context.Context, s identity.Setup) error {
	return nil
}
