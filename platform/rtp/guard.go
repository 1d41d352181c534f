package rtp

import (
	"bytes"
	"fmt"

	prtp "github.com/pion/rtp"
	"github.com/pion/srtp/v3"

	"github.com/kapok-hotline/kapok/platform/sdp"
)

// guard is the SRTP state of one direction (RFC 3711, RFC 7714). It is used by one goroutine at a time.
type guard struct {
	ctx  *srtp.Context
	key  []byte // master key and salt: tells whether a new agreement brings a new key
	name string
	head prtp.Header
	buf  [maxPacket]byte
}

// newGuard makes a guard from a key and a salt; receive turns replay protection on.
func newGuard(name string, profile srtp.ProtectionProfile, key, salt []byte, receive bool) (*guard, error) {
	var opts []srtp.ContextOption
	if receive {
		opts = append(opts, srtp.SRTPReplayProtection(128), srtp.SRTCPReplayProtection(64))
	}
	ctx, err := srtp.CreateContext(key, salt, profile, opts...)
	if err != nil {
		return nil, fmt.Errorf("rtp: srtp keys: %w", err)
	}
	return &guard{ctx: ctx, key: append(bytes.Clone(key), salt...), name: name}, nil
}

// sdesGuard makes the guard of an SDES key; nil for a leg in the clear. An unchanged key keeps the old guard with
// its roll-over counter.
func sdesGuard(old *guard, c sdp.Crypto, receive bool) (*guard, error) {
	if c.Tag == 0 && c.Key == nil {
		return nil, nil
	}
	if old != nil && bytes.Equal(old.key, c.Key) && old.name == c.Suite {
		return old, nil
	}
	profile := srtp.ProtectionProfileAes128CmHmacSha1_80
	if c.Suite == sdp.SuiteGCM {
		profile = srtp.ProtectionProfileAeadAes128Gcm
	}
	key, salt := c.Split()
	return newGuard(c.Suite, profile, key, salt, receive)
}

func (g *guard) protect(packet []byte) ([]byte, error) {
	return g.ctx.EncryptRTP(g.buf[:0], packet, &g.head)
}

func (g *guard) open(packet []byte) ([]byte, error) {
	return g.ctx.DecryptRTP(g.buf[:0], packet, &g.head)
}

func (g *guard) protectReport(packet []byte) ([]byte, error) {
	return g.ctx.EncryptRTCP(nil, packet, nil)
}

func (g *guard) openReport(packet []byte) ([]byte, error) {
	return g.ctx.DecryptRTCP(nil, packet, nil)
}
