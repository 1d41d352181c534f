/** What stands in the audit as a method and path, as a text key that says what was done. */
const acts: Readonly<Record<string, string>> = {
  'POST /api/v1/login': 'login', 'POST /api/v1/demo/login': 'login', 'POST /api/v1/logout': 'logout', 'GET /api/v1/oidc/return': 'login',
  'PUT /api/v1/me/password': 'password', 'POST /api/v1/password/reset': 'reset', 'POST /api/v1/me/totp': 'totp_begin', 'PUT /api/v1/me/totp': 'totp_on',
  'POST /api/v1/me/totp/remove': 'totp_off', 'DELETE /api/v1/sessions/{id}': 'session_end', 'POST /api/v1/users/{code}/reset-link': 'reset_link',
  'POST /api/v1/users/{code}/unlock': 'unlock', 'DELETE /api/v1/users/{code}/totp': 'totp_drop', 'POST /api/v1/tokens': 'token', 'DELETE /api/v1/tokens/{id}': 'token_end',
  'POST /api/v1/setup': 'setup', 'POST /api/v1/people/{id}/reveal': 'reveal', 'POST /api/v1/contacts/{id}/reveal': 'reveal', 'POST /api/v1/contacts/{id}/number': 'reveal',
  'POST /api/v1/voice/trunks/{code}/test': 'trunk_test', 'PUT /api/v1/config/{section}/{code}': 'item_put', 'DELETE /api/v1/config/{section}/{code}': 'item_drop',
  'POST /api/v1/config/{section}/import': 'import', 'POST /api/v1/apply': 'apply', 'GET /api/v1/export': 'export', 'PUT /api/v1/calendar/{code}/days/{date}': 'day',
  'POST /api/v1/drain': 'drain', 'POST /api/v1/backup': 'backup', 'GET /api/v1/recordings/{id}/sound': 'listen', 'PUT /api/v1/voice/prompts/{code}/sound': 'prompt',
  'POST /api/v1/voice/speech/test': 'speech_test', 'POST /api/v1/voice/speech/again': 'speech_again',
  'config.create': 'item_create', 'config.change': 'item_change', 'config.drop': 'item_drop',
}

/** actKey gives the text key of an audited action, "" when there is no sentence for it. */
export const actKey = (action: string): string => (acts[action] ? `routing.act.${acts[action]}` : '')
