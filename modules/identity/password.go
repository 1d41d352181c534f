package identity

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	_ "embed"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"

	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
)

//go:embed common.txt
var commonList string

// argon2id as OWASP's password storage sheet advises for little memory: 19 MiB, two passes, one lane.
const (
	argonMemory = 19 * 1024
	argonPasses = 2
	argonLanes  = 1
	argonSalt   = 16
	argonKey    = 32
)

// Length of passwords in characters. The upper end keeps a request from hashing a book.
const (
	minPassword = 8
	maxPassword = 128
)

// hasher makes and checks password hashes, as many at once as there are processors: each takes 19 MiB and some
// 45 ms of a core.
type hasher struct {
	turns  chan struct{}
	sealer *sealer
	memory uint32 // KiB a new hash takes
	dummy  string // checked when there is no such user, so that the answer takes as long
	common map[string]bool
}

func newHasher(s *sealer) *hasher {
	h := &hasher{turns: make(chan struct{}, runtime.GOMAXPROCS(0)), sealer: s, memory: argonMemory, common: map[string]bool{}}
	for line := range strings.Lines(commonList) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			h.common[line] = true
		}
	}
	h.dummy = h.encode([]byte("no such user ---"), make([]byte, argonKey))
	return h
}

// hash gives the password in the form of the argon2 reference: $argon2id$v=19$m=…,t=…,p=…$salt$key.
func (h *hasher) hash(ctx context.Context, password string) (string, error) {
	salt := make([]byte, argonSalt)
	_, _ = rand.Read(salt)
	key, err := h.key(ctx, password, salt, h.memory, argonPasses, argonLanes)
	if err != nil {
		return "", err
	}
	return h.encode(salt, key), nil
}

func (h *hasher) encode(salt, key []byte) string {
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, h.memory, argonPasses, argonLanes, b64.EncodeToString(salt), b64.EncodeToString(key))
}

func (h *hasher) key(ctx context.Context, password string, salt []byte, memory, passes uint32, lanes uint8) ([]byte, error) {
	select {
	case h.turns <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-h.turns }()
	return argon2.IDKey([]byte(password), salt, passes, memory, lanes, argonKey), nil
}

// check reports whether the password is the one hashed. An empty hash is nobody's, and takes as long to refuse.
func (h *hasher) check(ctx context.Context, hash, password string) (bool, error) {
	real := hash != ""
	if !real {
		hash = h.dummy
	}
	var version, memory, passes uint32
	var lanes uint8
	parts := strings.Split(hash, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" {
		return false, fault.New(fault.Internal, "identity.password.unreadable")
	}
	_, err1 := fmt.Sscanf(parts[2], "v=%d", &version)
	_, err2 := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &memory, &passes, &lanes)
	salt, err3 := base64.RawStdEncoding.DecodeString(parts[4])
	want, err4 := base64.RawStdEncoding.DecodeString(parts[5])
	// Other settings than today's are read, within bounds: they may have been raised since.
	if err := errors.Join(err1, err2, err3, err4); err != nil || version != argon2.Version || memory > 16*argonMemory ||
		passes == 0 || passes > 16 || lanes == 0 || lanes > 16 || len(want) != argonKey {
		return false, fault.New(fault.Internal, "identity.password.unreadable").Because(err)
	}
	got, err := h.key(ctx, password, salt, memory, passes, lanes)
	if err != nil {
		return false, err
	}
	return subtle.ConstantTimeCompare(got, want) == 1 && real, nil
}

// fingerprint tells whether configuration sets the same password as before, without hashing; its key lies outside
// the database.
func (h *hasher) fingerprint(user id.User, password string) string {
	return h.sealer.fingerprint("password", string(user), password)
}

// rule is what a new password has to keep: 8 to 128 characters, at least two kinds of them (letters, capitals,
// digits, others) unless it is a long sentence, not one that everybody tries first, and not the user's code.
func (h *hasher) rule(user id.User, password string) error {
	n := utf8.RuneCountInString(password)
	lower := strings.ToLower(password)
	code := strings.ToLower(string(user))
	switch {
	case n < minPassword:
		return fault.New(fault.Invalid, "identity.password.short", "min", minPassword).At("password")
	case n > maxPassword || !utf8.ValidString(password):
		return fault.New(fault.Invalid, "identity.password.long", "max", maxPassword).At("password")
	case h.common[lower] || h.common[strings.TrimRight(lower, "!@#.1234567890")] && n < 14:
		return fault.New(fault.Invalid, "identity.password.common").At("password")
	case n < 16 && kinds(password) < 2:
		return fault.New(fault.Invalid, "identity.password.plain").At("password")
	case code != "" && utf8.RuneCountInString(strings.ReplaceAll(lower, code, "")) < minPassword/2:
		return fault.New(fault.Invalid, "identity.password.code").At("password")
	}
	return nil
}

// kinds counts the kinds of characters in s.
func kinds(s string) int {
	var seen [4]bool
	for _, r := range s {
		switch {
		case unicode.IsLower(r):
			seen[0] = true
		case unicode.IsUpper(r):
			seen[1] = true
		case unicode.IsDigit(r):
			seen[2] = true
		default:
			seen[3] = true
		}
	}
	n := 0
	for _, s := range seen {
		if s {
			n++
		}
	}
	return n
}

// newSecret gives 32 random bytes as text, for cookies, tokens and links.
func newSecret() string {
	var b [32]byte
	_, _ = rand.Read(b[:])
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// digest is what is stored of a secret that is random already.
func digest(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

func equal(a, b string) bool { return hmac.Equal([]byte(a), []byte(b)) }
