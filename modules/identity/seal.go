package identity

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"

	"github.com/kapok-hotline/kapok/core/fault"
)

// sealer keeps secrets that must be read back (TOTP, OIDC) unreadable to who has the database alone.
type sealer struct {
	aead cipher.AEAD
	mark []byte // key of fingerprints
}

// newSealer derives its keys from key, which lies outside the database. Without a key it makes one for this
// process, and what it seals is lost at the end: for tests.
func newSealer(key []byte) *sealer {
	if len(key) < 16 {
		key = make([]byte, 32)
		_, _ = rand.Read(key)
	}
	derive := func(what string) []byte {
		k, err := hkdf.Key(sha256.New, key, nil, "kapok identity "+what, 32)
		if err != nil {
			panic("identity: " + err.Error()) // lengths are constant
		}
		return k
	}
	block, err := aes.NewCipher(derive("seal"))
	if err != nil {
		panic("identity: " + err.Error())
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic("identity: " + err.Error())
	}
	return &sealer{aead: aead, mark: derive("mark")}
}

// seal gives the text encrypted; about binds it to its owner, so that rows cannot be exchanged.
func (s *sealer) seal(text, about string) string {
	nonce := make([]byte, s.aead.NonceSize())
	_, _ = rand.Read(nonce)
	return base64.RawStdEncoding.EncodeToString(s.aead.Seal(nonce, nonce, []byte(text), []byte(about)))
}

// open gives what seal was given.
func (s *sealer) open(sealed, about string) (string, error) {
	b, err := base64.RawStdEncoding.DecodeString(sealed)
	if err != nil || len(b) < s.aead.NonceSize() {
		return "", fault.New(fault.Internal, "identity.secret.unreadable").Because(err)
	}
	plain, err := s.aead.Open(nil, b[:s.aead.NonceSize()], b[s.aead.NonceSize():], []byte(about))
	if err != nil {
		return "", fault.New(fault.Internal, "identity.secret.unreadable").Because(err)
	}
	return string(plain), nil
}

// fingerprint is a keyed hash of the parts.
func (s *sealer) fingerprint(parts ...string) string {
	h := hmac.New(sha256.New, s.mark)
	for _, p := range parts {
		_, _ = h.Write([]byte(p))
		_, _ = h.Write([]byte{0})
	}
	return hex.EncodeToString(h.Sum(nil))
}
