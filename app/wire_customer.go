package app

import (
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/modules/customer"
)

func (h *House) newCustomer() *customer.Module {
	return customer.New(customer.Deps{DB: h.db, Clock: h.clock, Users: directory{h}})
}

// directory names the agents of former contacts.
type directory struct{ h *House }

func (d directory) UserName(u id.User) string {
	if p, ok := d.h.identity.Person(u); ok {
		return p.Name
	}
	return string(u)
}
