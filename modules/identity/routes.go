package identity

import (
	"github.com/kapok-hotline/kapok/core/right"
	"github.com/kapok-hotline/kapok/platform/web"
)

// Routes registers the module's part of the API.
func (m *Module) Routes(api *web.API) {
	m.sockets = api.Hub()
	slow := web.Limit(120, 60)
	morning := web.Limit(600, 200) // a bureau behind one address signs in within minutes

	web.Post(api, "/api/v1/login", right.Public, "Sign in", m.login, morning)
	web.Post(api, "/api/v1/logout", right.Public, "Sign out", m.logout)
	web.Get(api, "/api/v1/me", right.Own, "Who I am and what I may", m.me)
	web.Put(api, "/api/v1/me/locale", right.Own, "Choose my language", m.setLocale, web.Quiet())
	web.Put(api, "/api/v1/me/password", right.Own, "Change my password", m.setPassword, slow)
	web.Post(api, "/api/v1/me/totp", right.Own, "Begin to use an authenticator app", m.beginTOTP)
	web.Put(api, "/api/v1/me/totp", right.Own, "Prove that the authenticator app works", m.confirmTOTP, slow)
	web.Post(api, "/api/v1/me/totp/remove", right.Own, "Stop using an authenticator app", m.removeTOTP, slow)

	web.Get(api, "/api/v1/sessions", right.Own, "My sessions, or somebody's", m.listSessions)
	web.Delete(api, "/api/v1/sessions/{id}", right.Own, "End a session", m.dropSession)

	web.Get(api, "/api/v1/users", right.Own, "Directory", m.listUsers)
	web.Get(api, "/api/v1/users/{code}", SeeUsers, "A user", m.getUser)
	web.Post(api, "/api/v1/users/{code}/reset-link", ManageUsers, "Make a one-time link to choose a password", m.makeResetLink)
	web.Post(api, "/api/v1/users/{code}/unlock", ManageUsers, "Let a user sign in again at once", m.unlock)
	web.Delete(api, "/api/v1/users/{code}/totp", ManageUsers, "Take a user's lost authenticator away", m.dropTOTP)
	web.Get(api, "/api/v1/password/reset", right.Public, "Whom a reset link is for", m.lookReset, slow)
	web.Post(api, "/api/v1/password/reset", right.Public, "Choose a password by a one-time link", m.reset, slow)

	web.Get(api, "/api/v1/tokens", right.Own, "API tokens: mine, or all I may manage", m.listTokens)
	web.Post(api, "/api/v1/tokens", ManageTokens, "Make an API token", m.makeToken)
	web.Delete(api, "/api/v1/tokens/{id}", right.Own, "Revoke an API token", m.dropToken)

	web.Get(api, "/api/v1/rights", ManageRoles, "Every right there is", m.listRights)
	web.Get(api, "/api/v1/sites", right.Own, "The tree of sites", m.listSites)

	web.Get(api, "/api/v1/audit", ReadAudit, "Who did and looked at what", m.readAudit)
	web.Get(api, "/api/v1/audit/verify", ReadAudit, "Check that the audit was not tampered with", m.verifyAudit)

	web.Get(api, "/api/v1/setup", right.Public, "Whether the first set-up is to be done", m.lookSetup, slow)
	web.Post(api, "/api/v1/setup", right.Public, "The first set-up, all or nothing", m.setup, slow)

	web.Get(api, "/api/v1/demo/logins", right.Public, "Logins of the demo", m.demoLogins)
	web.Post(api, "/api/v1/demo/login", right.Public, "Sign in to the demo", m.demoLogin, morning)

	web.Get(api, "/api/v1/oidc", right.Public, "Whether signing in elsewhere is offered", m.lookOIDC)
	api.Handle("GET /api/v1/oidc/start", right.Public, m.startOIDC(api), slow)
	api.Handle("GET /api/v1/oidc/callback", right.Public, m.finishOIDC(api), slow)
}
