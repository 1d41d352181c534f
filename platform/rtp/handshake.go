package rtp

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/pion/dtls/v3"
	"github.com/pion/ice/v4"
	"github.com/pion/srtp/v3"

	"github.com/kapok-hotline/kapok/platform/sdp"
)

// ErrFingerprint means that the browser's certificate is not the one its description announced.
var ErrFingerprint = errors.New("rtp: the certificate is not the announced one")

// connect brings a browser leg up: ICE, the DTLS handshake, the keys. It then waits for the peer's goodbye or the
// leg's end, and closes what it opened.
func (l *Web) connect(a sdp.Agreement) {
	defer close(l.gone)
	defer func() { _ = l.agent.Close() }()
	ctx, cancel := context.WithTimeout(l.ctx, connectTime)
	defer cancel()
	conn, err := l.shake(ctx, a)
	if err != nil {
		if l.ctx.Err() == nil {
			l.down(fmt.Errorf("rtp: browser media: %w", err))
		}
		return
	}
	if l.events.Up != nil && l.ctx.Err() == nil {
		l.events.Up()
	}
	stop := context.AfterFunc(l.ctx, func() { _ = conn.Close() })
	defer stop()
	var b [maxPacket]byte
	for err == nil {
		_, err = conn.Read(b[:]) // there is no application data; the end comes as an error
	}
	_ = conn.Close()
	if l.ctx.Err() == nil {
		l.down(errors.New("rtp: the browser has closed the media connection"))
	}
}

func (l *Web) down(err error) {
	if l.events.Down != nil {
		l.events.Down(err)
	}
}

// shake runs ICE and DTLS and sets the keys.
func (l *Web) shake(ctx context.Context, a sdp.Agreement) (*dtls.Conn, error) {
	ic, err := l.agent.Accept(ctx, a.Peer.Ufrag, a.Peer.Pwd)
	if err != nil {
		return nil, fmt.Errorf("ice: %w", err)
	}
	conn, err := l.dtls(ic, a)
	if err != nil {
		return nil, fmt.Errorf("dtls: %w", err)
	}
	if err := conn.HandshakeContext(ctx); err != nil {
		return nil, fmt.Errorf("dtls: %w", err)
	}
	if err := l.keys(conn, a.Client); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return conn, nil
}

// dtls makes our side of the handshake. GCM comes first: its packets cost a quarter of SHA1_80's.
func (l *Web) dtls(ic *ice.Conn, a sdp.Agreement) (*dtls.Conn, error) {
	common := []dtls.Option{
		dtls.WithCertificates(l.mux.cert), dtls.WithInsecureSkipVerify(true), dtls.WithLoggerFactory(l.mux.logs),
		dtls.WithSRTPProtectionProfiles(dtls.SRTP_AEAD_AES_128_GCM, dtls.SRTP_AES128_CM_HMAC_SHA1_80),
		dtls.WithExtendedMasterSecret(dtls.RequireExtendedMasterSecret),
		dtls.WithVerifyPeerCertificate(func(raw [][]byte, _ [][]*x509.Certificate) error {
			return verify(raw, a.Peer.Fingerprint)
		}),
	}
	remote := ic.RemoteAddr()
	if remote == nil {
		return nil, errors.New("no pair was nominated")
	}
	if a.Client {
		var opts []dtls.ClientOption
		for _, o := range common {
			opts = append(opts, o)
		}
		return dtls.ClientWithOptions(packets{ic}, remote, opts...)
	}
	opts := []dtls.ServerOption{dtls.WithClientAuth(dtls.RequireAnyClientCert)}
	for _, o := range common {
		opts = append(opts, o)
	}
	return dtls.ServerWithOptions(packets{ic}, remote, opts...)
}

// verify compares the certificate with the announced fingerprint (RFC 8122 §5).
func verify(raw [][]byte, announced string) error {
	kind, want, _ := strings.Cut(strings.TrimSpace(announced), " ")
	sum, err := hex.DecodeString(strings.ReplaceAll(strings.TrimSpace(want), ":", ""))
	if err != nil || len(raw) == 0 {
		return ErrFingerprint
	}
	var got []byte
	switch strings.ToLower(kind) {
	case "sha-256":
		h := sha256.Sum256(raw[0])
		got = h[:]
	case "sha-384":
		h := sha512.Sum384(raw[0])
		got = h[:]
	case "sha-512":
		h := sha512.Sum512(raw[0])
		got = h[:]
	}
	if got == nil || !bytes.Equal(got, sum) {
		return ErrFingerprint
	}
	return nil
}

// keys takes the SRTP keys out of the handshake (RFC 5764 §4.2).
func (l *Web) keys(conn *dtls.Conn, client bool) error {
	state, ok := conn.ConnectionState()
	profile, chosen := conn.SelectedSRTPProtectionProfile()
	if !ok || !chosen {
		return errors.New("dtls: no SRTP profile in common")
	}
	c := &srtp.Config{Profile: srtp.ProtectionProfile(profile)}
	if err := c.ExtractSessionKeysFromDTLS(&state, client); err != nil {
		return fmt.Errorf("dtls: %w", err)
	}
	name := sdp.SuiteSHA1
	if profile == dtls.SRTP_AEAD_AES_128_GCM {
		name = sdp.SuiteGCM
	}
	in, err := newGuard(name, c.Profile, c.Keys.RemoteMasterKey, c.Keys.RemoteMasterSalt, true)
	if err != nil {
		return err
	}
	out, err := newGuard(name, c.Profile, c.Keys.LocalMasterKey, c.Keys.LocalMasterSalt, false)
	if err != nil {
		return err
	}
	l.in.mu.Lock()
	l.guardIn, l.up, l.since = in, true, l.now()
	l.in.mu.Unlock()
	l.out.mu.Lock()
	l.guardOut = out
	l.out.mu.Unlock()
	return nil
}

// packets shows an ICE connection as the packet connection that DTLS wants.
type packets struct{ *ice.Conn }

// ReadFrom reads one packet.
func (p packets) ReadFrom(b []byte) (int, net.Addr, error) {
	n, err := p.Read(b)
	return n, p.RemoteAddr(), err
}

// WriteTo writes to the nominated pair, whatever address is given.
func (p packets) WriteTo(b []byte, _ net.Addr) (int, error) { return p.Write(b) }
