package acd

import "strconv"

// name picks the word of a small enumeration, or its number when there is none.
func name(words []string, i int) string {
	if i < len(words) {
		return words[i]
	}
	return strconv.Itoa(i)
}

// String gives the event as noun.past.
func (k EventKind) String() string {
	return name([]string{
		"tick", "settings.changed", "queue.configured", "queue.removed", "queue.closed", "queue.opened",
		"agent.signed_in", "agent.signed_out", "agent.changed", "agent.ready", "agent.away", "endpoint.lost", "endpoint.back",
		"contact.entered", "contact.left", "offer.accepted", "offer.refused", "offer.failed", "contact.done",
		"wrap_up.done", "wrap_up.extended", "agent.took", "agent.wrapping", "matching.held", "matching.resumed",
	}, int(k))
}

// String gives the command's name.
func (k CommandKind) String() string {
	return name([]string{
		"none", "queued", "offer", "withdraw", "connect", "void", "requeued", "exit", "agent_state", "check", "rejected",
	}, int(k))
}

// String gives the state's name as the ledger has it.
func (s State) String() string {
	return name([]string{"signed_out", "ready", "reserved", "talking", "wrap_up", "away"}, int(s))
}

// String gives the reason's name as the ledger has it.
func (w Why) String() string {
	return name([]string{
		"", "left", "moved", "missed", "refused", "failed", "signed_out", "took", "full", "max_wait", "closed", "closing",
		"no_agent", "removed", "no_queue", "no_channel", "no_such_agent", "capacity", "invalid",
	}, int(w))
}

// String gives the cause's name.
func (c Cause) String() string {
	return name([]string{"", "contact", "agent", "sticky"}, int(c))
}

// MarshalText writes the names into logs and golden files.
func (k EventKind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// MarshalText writes the names into logs and golden files.
func (k CommandKind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// MarshalText writes the names into logs and golden files.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// MarshalText writes the names into logs and golden files.
func (w Why) MarshalText() ([]byte, error) { return []byte(w.String()), nil }

// MarshalText writes the names into logs and golden files.
func (c Cause) MarshalText() ([]byte, error) { return []byte(c.String()), nil }
