package acd

import (
	"fmt"
	"slices"
	"strconv"
)

// The words of the enumerations, as logs, golden files and the ledger have them.

func eventWords() []string {
	return []string{
		"tick", "settings.changed", "queue.configured", "queue.removed", "queue.closed", "queue.opened",
		"agent.signed_in", "agent.signed_out", "agent.changed", "agent.ready", "agent.away", "endpoint.lost", "endpoint.back",
		"contact.entered", "contact.left", "offer.accepted", "offer.refused", "offer.failed", "contact.done",
		"wrap_up.done", "wrap_up.extended", "agent.took", "agent.wrapping", "matching.held", "matching.resumed",
	}
}

func commandWords() []string {
	return []string{"none", "queued", "offer", "withdraw", "connect", "void", "requeued", "exit", "agent_state", "check", "rejected"}
}

func stateWords() []string {
	return []string{"signed_out", "ready", "reserved", "talking", "wrap_up", "away"}
}

func whyWords() []string {
	return []string{
		"", "left", "moved", "missed", "refused", "failed", "signed_out", "took", "full", "max_wait", "closed", "closing",
		"no_agent", "removed", "no_queue", "no_channel", "no_such_agent", "capacity", "invalid",
	}
}

func causeWords() []string { return []string{"", "contact", "agent", "sticky"} }

func refusalWords() []string {
	return []string{
		"eligible", "not_in_queue", "not_in_ring", "no_skill", "low_level", "no_slot", "away", "reserved", "wrap_up",
		"resting", "no_room", "no_endpoint", "has_it", "kept_for",
	}
}

// word picks a value's word, or its number when there is none.
func word[T ~uint8](words []string, v T) string {
	if int(v) < len(words) {
		return words[v]
	}
	return strconv.Itoa(int(v))
}

// unword is word backwards.
func unword[T ~uint8](words []string, text []byte, v *T) error {
	i := slices.Index(words, string(text))
	if i < 0 {
		return fmt.Errorf("acd: %q is none of %q", text, words)
	}
	*v = T(i)
	return nil
}

// String gives the event as noun.past.
func (k EventKind) String() string { return word(eventWords(), k) }

// MarshalText writes the word.
func (k EventKind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads the word, so that a log can be replayed.
func (k *EventKind) UnmarshalText(text []byte) error { return unword(eventWords(), text, k) }

// String gives the command's name.
func (k CommandKind) String() string { return word(commandWords(), k) }

// MarshalText writes the word.
func (k CommandKind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads the word.
func (k *CommandKind) UnmarshalText(text []byte) error { return unword(commandWords(), text, k) }

// String gives the state's name as the ledger has it.
func (s State) String() string { return word(stateWords(), s) }

// MarshalText writes the word.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads the word.
func (s *State) UnmarshalText(text []byte) error { return unword(stateWords(), text, s) }

// String gives the reason's name as the ledger has it.
func (w Why) String() string { return word(whyWords(), w) }

// MarshalText writes the word.
func (w Why) MarshalText() ([]byte, error) { return []byte(w.String()), nil }

// UnmarshalText reads the word.
func (w *Why) UnmarshalText(text []byte) error { return unword(whyWords(), text, w) }

// String gives the cause's name.
func (c Cause) String() string { return word(causeWords(), c) }

// MarshalText writes the word.
func (c Cause) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText reads the word.
func (c *Cause) UnmarshalText(text []byte) error { return unword(causeWords(), text, c) }

// String gives the refusal's name.
func (r Refusal) String() string { return word(refusalWords(), r) }

// MarshalText writes the word.
func (r Refusal) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads the word.
func (r *Refusal) UnmarshalText(text []byte) error { return unword(refusalWords(), text, r) }
