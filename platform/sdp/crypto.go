package sdp

import (
	"encoding/base64"
	"strconv"
	"strings"
)

// The SDES suites that are spoken (RFC 4568 §6.2, RFC 7714 §14.2).
const (
	SuiteSHA1 = "AES_CM_128_HMAC_SHA1_80"
	SuiteGCM  = "AEAD_AES_128_GCM"
)

// Crypto is one a=crypto line.
type Crypto struct {
	Tag   int
	Suite string
	Key   []byte // master key then salt: 30 bytes for SuiteSHA1, 28 for SuiteGCM
}

// KeyLength gives the length of master key plus salt for a suite, 0 for one that is not spoken.
func KeyLength(suite string) int {
	switch suite {
	case SuiteSHA1:
		return 16 + 14
	case SuiteGCM:
		return 16 + 12
	}
	return 0
}

// Split gives the master key and the master salt.
func (c Crypto) Split() (key, salt []byte) { return c.Key[:16], c.Key[16:] }

// parseCrypto reads "1 AES_CM_128_HMAC_SHA1_80 inline:base64|2^20|1:4 params". Lines with a suite that is not
// spoken, with an MKI or with session parameters that change the protection (RFC 4568 §6.3) are left out.
func parseCrypto(v string) (Crypto, bool) {
	f := strings.Fields(v)
	if len(f) < 3 {
		return Crypto{}, false
	}
	tag, err := strconv.ParseUint(f[0], 10, 30)
	want := KeyLength(strings.ToUpper(f[1]))
	if err != nil || want == 0 || len(f[2]) < 7 || !strings.EqualFold(f[2][:7], "inline:") {
		return Crypto{}, false
	}
	parts := strings.Split(f[2][7:], "|")
	for _, p := range parts[1:] {
		if strings.Contains(p, ":") { // an MKI in every packet
			return Crypto{}, false
		}
	}
	for _, p := range f[3:] {
		if p = strings.ToUpper(p); strings.HasPrefix(p, "UNENCRYPTED") || strings.HasPrefix(p, "UNAUTHENTICATED") || strings.HasPrefix(p, "FEC") || strings.HasPrefix(p, "KDR") {
			return Crypto{}, false
		}
	}
	key, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(parts[0], "="))
	if err != nil || len(key) != want {
		return Crypto{}, false
	}
	return Crypto{Tag: int(tag), Suite: strings.ToUpper(f[1]), Key: key}, true
}

// String gives the attribute's value.
func (c Crypto) String() string {
	return strconv.Itoa(c.Tag) + " " + c.Suite + " inline:" + base64.StdEncoding.EncodeToString(c.Key)
}
