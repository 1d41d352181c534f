// Package id holds Kapok's typed identifiers. Every identifier made by Kapok is a ULID: 26 characters of
// Crockford base 32, 48 bits of unix milliseconds followed by 80 random bits (github.com/ulid/spec), so
// identifiers sort by creation time and may be made on any node without asking another.
package id

import (
	"crypto/rand"
	"time"
)

// Named identifiers. They are strings so that they travel through JSON, SQL and bus keys unchanged, and
// distinct types so that a leg cannot be passed where a contact is meant.
type (
	Contact string // one approach of a person, on any channel
	Leg     string // one talking path of a contact: the caller's, an agent's, a consulted party's
	User    string // a person with a login; an agent is a user who signs in to take contacts
	Queue   string
	Skill   string
	Site    string // a node of the tree province › city › district
	Seat    string
	Phone   string // a registered endpoint (desk phone); a browser endpoint belongs to a user
	Trunk   string
	Number  string // a number the hotline can be reached under
	Flow    string
	Prompt  string
	Fact    string
	Node    string // one running process
	Offer   string // one attempt to bring a contact to an agent
	Account string // an account of ours at a platform, or a page of ours people write from
	Message string
	File    string
)

const crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// New returns a ULID for the given time.
func New(now time.Time) string {
	var b [16]byte
	ms := uint64(now.UnixMilli())
	for i := 5; i >= 0; i-- {
		b[i] = byte(ms)
		ms >>= 8
	}
	_, _ = rand.Read(b[6:]) // crypto/rand.Read never fails since Go 1.24: it aborts the program instead
	return encode(b)
}

// encode writes 128 bits as 26 base-32 digits, most significant first; the first digit carries 3 bits.
func encode(b [16]byte) string {
	var out [26]byte
	var acc uint32
	bits := 2 // 130 bits of digits for 128 bits of value: start with two zero bits
	pos := 0
	for _, v := range b {
		acc = acc<<8 | uint32(v)
		bits += 8
		for bits >= 5 {
			bits -= 5
			out[pos] = crockford[acc>>bits&31]
			pos++
		}
	}
	return string(out[:])
}

// Valid reports whether s has the shape of a ULID: 26 Crockford digits, the first at most 7.
func Valid(s string) bool {
	if len(s) != 26 || s[0] > '7' {
		return false
	}
	for i := range len(s) {
		c := s[i]
		digit := c >= '0' && c <= '9'
		letter := c >= 'A' && c <= 'Z' && c != 'I' && c != 'L' && c != 'O' && c != 'U'
		if !digit && !letter {
			return false
		}
	}
	return true
}

// Time returns the millisecond a valid ULID was made in, and false when s is not a ULID.
func Time(s string) (time.Time, bool) {
	if !Valid(s) {
		return time.Time{}, false
	}
	var ms int64
	for i := range 10 {
		ms = ms<<5 | int64(digit(s[i]))
	}
	return time.UnixMilli(ms), true
}

func digit(c byte) int {
	for i := range len(crockford) {
		if crockford[i] == c {
			return i
		}
	}
	return 0
}
