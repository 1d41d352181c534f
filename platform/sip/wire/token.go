package wire

import (
	"crypto/rand"
	"encoding/hex"
)

// Token gives n random bytes in hex: tags, branches, Call-IDs (RFC 3261 §19.3 wants 32 bits or more).
func Token(n int) string {
	var buf [16]byte
	b := buf[:n]
	_, _ = rand.Read(b) // never fails (crypto/rand)
	return hex.EncodeToString(b)
}
