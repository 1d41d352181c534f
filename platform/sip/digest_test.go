package sip_test

import (
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"

	"github.com/kapok-hotline/kapok/platform/sip"
)

func hashOf(a sip.Algorithm, s string) string {
	if a == sip.SHA256 {
		h := sha256.Sum256([]byte(s))
		return hex.EncodeToString(h[:])
	}
	h := md5.Sum([]byte(s))
	return hex.EncodeToString(h[:])
}
