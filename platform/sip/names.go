package sip

import (
	"time"

	"github.com/kapok-hotline/kapok/platform/sip/wire"
)

// What stands on the wire is read and written in package wire; these are its words that who makes calls needs too.

// URI is wire.URI.
type URI = wire.URI

// Address is wire.Address.
type Address = wire.Address

// Header is wire.Header.
type Header = wire.Header

// Replaces is wire.Replaces.
type Replaces = wire.Replaces

// Algorithm is wire.Algorithm.
type Algorithm = wire.Algorithm

// Credentials is wire.Credentials.
type Credentials = wire.Credentials

// The digest algorithms we speak, weaker last.
const (
	SHA256 = wire.SHA256
	MD5    = wire.MD5
)

// ParseURI reads a URI; see wire.ParseURI.
func ParseURI(s string) (URI, error) { return wire.ParseURI(s) }

// ParseAddress reads a name-addr or addr-spec; see wire.ParseAddress.
func ParseAddress(s string) (Address, error) { return wire.ParseAddress(s) }

// ParseReplaces reads a Replaces header value (RFC 3891).
func ParseReplaces(v string) (Replaces, error) { return wire.ParseReplaces(v) }

// ParseDTMF reads a key from the body of an INFO; see wire.ParseDTMF.
func ParseDTMF(contentType string, body []byte) (key byte, d time.Duration, ok bool) {
	return wire.ParseDTMF(contentType, body)
}

// HA1 is H(user:realm:password) in lower-case hex: what is stored in place of a password (RFC 7616 §3.4.2).
func HA1(a Algorithm, user, realm, password string) string { return wire.HA1(a, user, realm, password) }
