// Package event holds the facts of the ledger: what happened, one file per noun, named `<noun>.<past>`.
// A fact's Subject is the contact (contact.*, leg.*, recording.*, wrapup.*) or the user (agent.*) it is about,
// its Actor the user who did it (empty: the house or the caller), its Place the site. Bodies are the structs
// here; times in them are unix milliseconds UTC, durations are milliseconds. Everything shown is a fold of these.
package event

// Body is what a fact says; Kind is its name in the ledger and on the bus.
type Body interface{ Kind() string }
