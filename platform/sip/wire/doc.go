// Package wire is what stands on the wire of SIP (RFC 3261): start lines, headers, URIs, addresses, digests and keys,
// read from bytes that anybody may have sent and written back. It knows nothing of sockets, transactions, dialogs or
// time; package sip does.
package wire
