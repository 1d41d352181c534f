package sip

import (
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"time"
)

// Feign has the server believe that what is ready waits for a processor as long as f says. Call it before Start.
func (s *Server) Feign(f func() (delay time.Duration, busy float64)) {
	s.overload.sense = func(time.Duration) (time.Duration, float64) { return f() }
}

// HashOf is the plain hash, for the scripted phones of the tests.
func HashOf(a Algorithm, s string) string {
	if a == SHA256 {
		h := sha256.Sum256([]byte(s))
		return hex.EncodeToString(h[:])
	}
	h := md5.Sum([]byte(s))
	return hex.EncodeToString(h[:])
}
