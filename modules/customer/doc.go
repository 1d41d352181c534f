// Package customer knows the person or firm behind the contacts: by which identifiers they are known (numbers,
// tax IDs with right check digits, accounts of text channels), and what they came for before. It is filled by
// facts alone, as a fold of the ledger, and answers the desk's screen pop. See DESIGN.md.
package customer
