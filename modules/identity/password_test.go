package identity

import (
	"context"
	"encoding/base32"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
)

func TestPasswordRule(t *testing.T) {
	h := newHasher(newSealer(nil))
	for _, c := range []struct{ user, password, want string }{
		{"1001", "Fresh-Start-1", ""},
		{"1001", "correct horse battery staple", ""},
		{"1001", "木棉花开春天到了热线忙", "identity.password.plain"},
		{"1001", "木棉花开春天到了热线9", ""},
		{"1001", "zxcasd9q", ""},
		{"1001", "seven77", "identity.password.short"},
		{"1001", strings.Repeat("aB3$", 33), "identity.password.long"},
		{"1001", "12345678", "identity.password.common"},
		{"1001", "Password1", "identity.password.common"},
		{"1001", "P@ssw0rd123!", "identity.password.common"},
		{"1001", "admin2024", "identity.password.common"},
		{"1001", "Kapok12366", "identity.password.common"},
		{"1001", "woaini1314", "identity.password.common"},
		{"1001", "1qaz2WSX", "identity.password.common"},
		{"1001", "onlyletters", "identity.password.plain"},
		{"1001", "97531864209", "identity.password.plain"},
		{"zhangsan", "zhangsan1", "identity.password.code"},
		{"1001", "1001-1001", "identity.password.code"},
	} {
		if got := fault.CodeOf(h.rule(id.User(c.user), c.password)); got != c.want {
			t.Errorf("%s for %s: %q, want %q", c.password, c.user, got, c.want)
		}
	}
}

func TestHash(t *testing.T) {
	h := newHasher(newSealer(nil))
	ctx := t.Context()
	a, err := h.hash(ctx, "Fresh-Start-1")
	if err != nil {
		t.Fatal(err)
	}
	b, _ := h.hash(ctx, "Fresh-Start-1")
	if a == b || !strings.HasPrefix(a, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Errorf("%s %s", a, b)
	}
	for password, want := range map[string]bool{"Fresh-Start-1": true, "Fresh-Start-2": false, "": false} {
		if ok, err := h.check(ctx, a, password); err != nil || ok != want {
			t.Errorf("check(%q) = %v, %v", password, ok, err)
		}
	}
	if ok, err := h.check(ctx, "", "Fresh-Start-1"); ok || err != nil {
		t.Errorf("nobody's password is right: %v %v", ok, err)
	}
	for _, broken := range []string{"x", "$argon2id$v=19$m=19456,t=1,p=1$YQ$YQ", "$argon2id$v=19$m=19456,t=2,p=1$!$!", "$$$$$", "$argon2id$v=19$m=4000000000,t=2,p=1$YQ$" + strings.Repeat("A", 43), "$argon2id$v=16$m=64,t=2,p=1$YQ$" + strings.Repeat("A", 43)} {
		if ok, err := h.check(ctx, broken, "x"); ok || fault.KindOf(err) != fault.Internal {
			t.Errorf("%s: %v %v", broken, ok, err)
		}
	}
	stopped, cancel := context.WithCancel(ctx)
	cancel()
	for range cap(h.turns) {
		h.turns <- struct{}{}
	}
	if _, err := h.hash(stopped, "x"); err == nil {
		t.Error("a client that went away waits for its turn")
	}
}

func TestHashingIsLimited(t *testing.T) {
	h := newHasher(newSealer(nil))
	for range cap(h.turns) {
		h.turns <- struct{}{} // every processor is at work
	}
	done := make(chan error)
	go func() {
		_, err := h.hash(context.Background(), "x")
		done <- err
	}()
	select {
	case <-done:
		t.Error("one more than there are processors")
	case <-time.After(100 * time.Millisecond):
	}
	<-h.turns
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestPause(t *testing.T) {
	for _, c := range []struct {
		kind attemptKind
		n    int64
		want time.Duration
	}{
		{byUser, 1, 0},
		{byUser, 4, 0},
		{byUser, 5, 30 * time.Second},
		{byUser, 6, time.Minute},
		{byUser, 9, 8 * time.Minute},
		{byUser, 10, 15 * time.Minute},
		{byUser, 1 << 60, 15 * time.Minute},
		{byIP, 4, 0},
		{byIP, 5, time.Second},
		{byIP, 7, 4 * time.Second},
		{byIP, 1000, 30 * time.Second},
	} {
		if got := pause(c.kind, c.n); got != c.want {
			t.Errorf("pause(%s, %d) = %v, want %v", c.kind, c.n, got, c.want)
		}
	}
}

func TestSeal(t *testing.T) {
	key := []byte("0123456789abcdef0123456789abcdef")
	s, again := newSealer(key), newSealer(key)
	box := s.seal("geheim", "totp 1001")
	if got, err := again.open(box, "totp 1001"); err != nil || got != "geheim" {
		t.Errorf("%q %v", got, err)
	}
	for name, open := range map[string]func() (string, error){
		"another's row": func() (string, error) { return s.open(box, "totp 1002") },
		"another key":   func() (string, error) { return newSealer(nil).open(box, "totp 1001") },
		"nonsense":      func() (string, error) { return s.open("!", "totp 1001") },
		"too short":     func() (string, error) { return s.open("AAAA", "totp 1001") },
	} {
		if got, err := open(); fault.CodeOf(err) != "identity.secret.unreadable" {
			t.Errorf("%s: %q %v", name, got, err)
		}
	}
	if s.fingerprint("a", "bc") == s.fingerprint("ab", "c") {
		t.Error("two things have one fingerprint")
	}
}

func TestDevice(t *testing.T) {
	chrome := "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/131.0.0.0 Safari/537.36"
	if device(chrome) != device(strings.ReplaceAll(chrome, "131", "132")) {
		t.Error("an update makes another device")
	}
	if device(chrome) == device("Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0") {
		t.Error("two browsers are one device")
	}
}

func TestRecoveryCodes(t *testing.T) {
	seen := map[string]bool{}
	for range 100 {
		c := recoveryCode()
		if seen[c] || len(c) != 11 || c[5] != '-' || normal(strings.ToUpper(c)) != c || normal(strings.ReplaceAll(c, "-", "")) != c {
			t.Errorf("%q", c)
		}
		seen[c] = true
	}
}

func FuzzPasswordRule(f *testing.F) {
	h := newHasher(newSealer(nil))
	f.Add("1001", "Fresh-Start-1")
	f.Add("", "\xff\xfe\x00")
	f.Fuzz(func(t *testing.T, user, password string) {
		if h.rule(id.User(user), password) != nil {
			return
		}
		if n := utf8.RuneCountInString(password); n < minPassword || n > maxPassword || !utf8.ValidString(password) {
			t.Errorf("%q was taken", password)
		}
	})
}

func FuzzTOTPCode(f *testing.F) {
	m := New(Deps{Key: []byte("0123456789abcdef0123456789abcdef")})
	a := account{code: "u", totp: m.sealer.seal(base32.StdEncoding.EncodeToString([]byte("12345678901234567890")), "totp u"), totpStep: 1 << 62}
	f.Add("123456")
	f.Add("００１２３４")
	f.Fuzz(func(t *testing.T, code string) {
		if _, err := m.step(a, code); err == nil { // every step has been used
			t.Errorf("%q was taken", code)
		}
		_ = normal(code)
	})
}

func FuzzNames(f *testing.F) {
	f.Add("1001\x00")
	f.Fuzz(func(t *testing.T, s string) {
		for _, out := range []string{attemptName(s), storable(s)} {
			if !utf8.ValidString(out) || strings.ContainsRune(out, 0) {
				t.Errorf("%q", out)
			}
		}
		if len(attemptName(s)) > 64 {
			t.Errorf("%q", attemptName(s))
		}
	})
}
