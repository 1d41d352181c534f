package desk

import (
	"slices"

	"github.com/kapok-hotline/kapok/core/id"
)

// hadKept is how many contacts that are over are remembered of each agent.
const hadKept = 16

// hadOf are contacts agents have spoken with and have no more. Who was given one past the queues has no wrap-up after
// it, and may write about it all the same.
type hadOf map[id.User][]id.Contact

// keep notes one that is over.
func (h hadOf) keep(user id.User, c id.Contact) {
	list := h[user]
	if len(list) >= hadKept {
		list = list[1:]
	}
	h[user] = append(list, c)
}

// had says whether an agent has spoken with a contact lately.
func (f *floor) had(user id.User, c id.Contact) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Contains(f.past[user], c)
}
