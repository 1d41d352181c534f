package identity

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"errors"
	"slices"
	"strings"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"

	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/store"
	"github.com/kapok-hotline/kapok/platform/web"
)

// Codes by RFC 6238: six digits, SHA-1, 30 seconds, one step early or late; what every authenticator app speaks.
const (
	totpPeriod    = 30
	totpSkew      = 1
	recoveryCodes = 10
)

type beginTOTPOut struct {
	Body struct {
		Secret string `json:"secret" doc:"Base 32, for typing"`
		URI    string `json:"uri" doc:"otpauth:// for a QR code"`
	}
}

// beginTOTP makes a secret; it counts only after confirmTOTP.
func (m *Module) beginTOTP(ctx context.Context, _ *struct{}) (*beginTOTPOut, error) {
	a, err := m.own(ctx)
	if err != nil {
		return nil, err
	}
	if a.totpOn {
		return nil, fault.New(fault.Conflict, "identity.code.on")
	}
	var raw [20]byte
	_, _ = rand.Read(raw[:])
	secret := base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(raw[:])
	if err := store.Change(ctx, m.db, `UPDATE identity_user SET totp = ?, totp_on = FALSE, totp_step = 0 WHERE code = ?`,
		m.sealer.seal(secret, "totp "+a.code), a.code); err != nil {
		return nil, err
	}
	out := &beginTOTPOut{}
	out.Body.Secret = secret
	out.Body.URI = otpURI(m.Bureau().NameEN, a.code, secret)
	return out, nil
}

type codeBodyIn struct {
	Body struct {
		Code string `json:"code" minLength:"6" maxLength:"20"`
	}
}

type confirmTOTPOut struct {
	Body struct {
		Recovery []string `json:"recovery" doc:"Each signs in once without the app; shown this once"`
	}
}

// confirmTOTP turns codes on once the app has shown a right one, and gives the recovery codes.
func (m *Module) confirmTOTP(ctx context.Context, in *codeBodyIn) (*confirmTOTPOut, error) {
	a, err := m.own(ctx)
	if err != nil {
		return nil, err
	}
	if a.totpOn || a.totp == "" {
		return nil, fault.New(fault.Conflict, "identity.code.not_begun")
	}
	step, err := m.step(a, in.Body.Code)
	if err != nil {
		return nil, err
	}
	plain := make([]string, recoveryCodes)
	hashed := make([]string, recoveryCodes)
	for i := range plain {
		plain[i] = recoveryCode()
		hashed[i] = digest(plain[i])
	}
	err = m.db.Tx(ctx, func(tx *store.Tx) error {
		if err := store.Change(ctx, tx, `UPDATE identity_user SET totp_on = TRUE, totp_step = ?, recovery = ? WHERE code = ?`,
			step, store.JSON(&hashed), a.code); err != nil {
			return err
		}
		return m.endAll(ctx, tx, id.User(a.code), web.CallerOf(ctx).Session)
	})
	out := &confirmTOTPOut{}
	out.Body.Recovery = plain
	return out, err
}

// removeTOTP turns codes off; it asks for one, so that a page left open is not enough.
func (m *Module) removeTOTP(ctx context.Context, in *codeBodyIn) (*struct{}, error) {
	a, err := m.own(ctx)
	if err != nil {
		return nil, err
	}
	from := web.OriginOf(ctx)
	if err := m.allowed(ctx, a.code, from.IP); err != nil {
		return nil, err
	}
	if err := m.spend(ctx, id.User(a.code), in.Body.Code); err != nil {
		return nil, errors.Join(err, m.failed(ctx, a.code, from.IP))
	}
	return nil, m.clearTOTP(ctx, id.User(a.code))
}

// dropTOTP helps somebody who lost the app and the recovery codes.
func (m *Module) dropTOTP(ctx context.Context, in *codeIn) (*struct{}, error) {
	if err := m.mayManage(ctx, in.Code); err != nil {
		return nil, err
	}
	return nil, m.clearTOTP(ctx, in.Code)
}

func (m *Module) clearTOTP(ctx context.Context, u id.User) error {
	return store.Change(ctx, m.db, `UPDATE identity_user SET totp = '', totp_on = FALSE, totp_step = 0, recovery = '' WHERE code = ?`, string(u))
}

// own gives the caller's account; tokens and the system have none to change.
func (m *Module) own(ctx context.Context) (account, error) {
	c := web.CallerOf(ctx)
	if c.Session == "" {
		return account{}, fault.New(fault.Forbidden, "identity.session.required")
	}
	return m.account(ctx, m.db, c.User)
}

// spend accepts a code of the app or a recovery code, and sees to it that it works once.
func (m *Module) spend(ctx context.Context, u id.User, code string) error {
	return m.db.Tx(ctx, func(tx *store.Tx) error {
		a, err := store.One(ctx, tx, `SELECT `+accountColumns+` FROM identity_user WHERE code = ? FOR UPDATE`, scanAccount, string(u))
		if err != nil {
			return err
		}
		if step, err := m.step(a, code); err == nil {
			return store.Change(ctx, tx, `UPDATE identity_user SET totp_step = ? WHERE code = ?`, step, a.code)
		} else if fault.KindOf(err) == fault.Internal {
			return err
		}
		var left []string
		if err := store.JSON(&left).Scan(a.recovery); err != nil {
			return err
		}
		i := slices.IndexFunc(left, func(h string) bool { return equal(h, digest(normal(code))) })
		if i < 0 {
			return fault.New(fault.Unauthorised, "identity.code.wrong").At("code")
		}
		left = slices.Delete(left, i, i+1)
		web.Note(ctx, "recovery_codes_left", len(left))
		return store.Change(ctx, tx, `UPDATE identity_user SET recovery = ? WHERE code = ?`, store.JSON(&left), a.code)
	})
}

// step gives the time step a code is right for; a step that was used, or an earlier one, is not right again.
func (m *Module) step(a account, code string) (int64, error) {
	secret, err := m.sealer.open(a.totp, "totp "+a.code)
	if err != nil {
		return 0, err
	}
	now := m.clock.Now().Unix() / totpPeriod
	for step := now - totpSkew; step <= now+totpSkew; step++ {
		ok, err := hotp.ValidateCustom(strings.TrimSpace(code), uint64(step), secret, hotp.ValidateOpts{Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
		if err == nil && ok && step > a.totpStep {
			return step, nil
		}
	}
	return 0, fault.New(fault.Unauthorised, "identity.code.wrong").At("code")
}

// recoveryCode gives ten characters, 50 random bits, in two groups.
func recoveryCode() string {
	var b [7]byte
	_, _ = rand.Read(b[:])
	s := strings.ToLower(base32.NewEncoding("0123456789ABCDEFGHJKMNPQRSTVWXYZ").WithPadding(base32.NoPadding).EncodeToString(b[:]))[:10]
	return s[:5] + "-" + s[5:]
}

// normal takes a recovery code as people type it: capitals, blanks, no dash.
func normal(code string) string {
	s := strings.ToLower(strings.NewReplacer(" ", "", "-", "").Replace(code))
	if len(s) == 10 {
		s = s[:5] + "-" + s[5:]
	}
	return s
}

func otpURI(bureau, user, secret string) string {
	issuer := "Kapok"
	if bureau != "" {
		issuer += " " + bureau
	}
	esc := strings.NewReplacer(" ", "%20", ":", "", "&", "", "?", "", "#", "", "/", "", "%", "").Replace
	return "otpauth://totp/" + esc(issuer) + ":" + esc(user) + "?secret=" + secret + "&issuer=" + esc(issuer) + "&period=30&digits=6"
}
