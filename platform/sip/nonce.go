package sip

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"sync"
	"time"
)

// nonceBox makes nonces that prove themselves (time + HMAC, so nothing is stored for a challenge) and remembers the
// counts used with each, so that a recorded answer cannot be played again (RFC 7616 §3.3, §5.4).
type nonceBox struct {
	key  [32]byte
	life time.Duration

	mu   sync.Mutex
	used map[string]*nonceUse // by nonce, only after a right answer
}

// nonceUse is the replay window of one nonce: the highest count seen and the 64 below it.
type nonceUse struct {
	top  uint32
	seen uint64
	made time.Time
}

const maxNonces = 50000 // remembered at once: phones × one nonce each

func newNonceBox(life time.Duration) *nonceBox {
	b := &nonceBox{life: life, used: map[string]*nonceUse{}}
	_, _ = rand.Read(b.key[:])
	return b
}

func (b *nonceBox) make(now time.Time) string {
	var raw [8 + 8 + 16]byte
	binary.BigEndian.PutUint64(raw[:], uint64(now.UnixMilli()))
	_, _ = rand.Read(raw[8:16])
	copy(raw[16:], b.sum(raw[:16]))
	return base64.RawURLEncoding.EncodeToString(raw[:])
}

func (b *nonceBox) sum(p []byte) []byte {
	h := hmac.New(sha256.New, b.key[:])
	h.Write(p)
	return h.Sum(nil)[:16]
}

// fresh says whether the nonce is ours and young enough; ours tells the stale from the invented.
func (b *nonceBox) fresh(nonce string, now time.Time) (ours, fresh bool) {
	raw, err := base64.RawURLEncoding.DecodeString(nonce)
	if err != nil || len(raw) != 32 || !hmac.Equal(raw[16:], b.sum(raw[:16])) {
		return false, false
	}
	made := time.UnixMilli(int64(binary.BigEndian.Uint64(raw)))
	age := now.Sub(made)
	return true, age >= -time.Minute && age < b.life
}

// use takes the count once: false for a replay. Without qop (nc 0) a nonce counts once only.
func (b *nonceBox) use(nonce string, nc uint32, now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	u := b.used[nonce]
	if u == nil {
		if len(b.used) >= maxNonces {
			b.expire(now)
			if len(b.used) >= maxNonces {
				return false
			}
		}
		b.used[nonce] = &nonceUse{top: nc, seen: 1, made: now}
		return true
	}
	switch {
	case nc > u.top:
		if d := nc - u.top; d < 64 {
			u.seen = u.seen<<d | 1
		} else {
			u.seen = 1
		}
		u.top = nc
		return true
	case u.top-nc >= 64 || u.seen&(1<<(u.top-nc)) != 0:
		return false
	}
	u.seen |= 1 << (u.top - nc)
	return true
}

// expire forgets nonces that are too old to be accepted anyway; the lock is held.
func (b *nonceBox) expire(now time.Time) {
	for k, u := range b.used {
		if now.Sub(u.made) > b.life {
			delete(b.used, k)
		}
	}
}

func (b *nonceBox) sweep(now time.Time) {
	b.mu.Lock()
	b.expire(now)
	b.mu.Unlock()
}
