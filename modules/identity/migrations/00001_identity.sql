-- +goose Up
-- Configuration is kept as JSON by code and read whole into a snapshot.
CREATE TABLE identity_bureau (code TEXT PRIMARY KEY, body TEXT NOT NULL);
CREATE TABLE identity_site (code TEXT PRIMARY KEY, body TEXT NOT NULL);
CREATE TABLE identity_seat (code TEXT PRIMARY KEY, body TEXT NOT NULL);
CREATE TABLE identity_role (code TEXT PRIMARY KEY, body TEXT NOT NULL);
CREATE TABLE identity_oidc (code TEXT PRIMARY KEY, body TEXT NOT NULL);

CREATE TABLE identity_user (
    code TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    site TEXT NOT NULL,
    roles TEXT NOT NULL, -- JSON list of codes
    rank TEXT NOT NULL,
    locale TEXT NOT NULL,
    active BOOLEAN NOT NULL,
    password TEXT NOT NULL, -- argon2id, empty: none
    configured TEXT NOT NULL, -- keyed fingerprint of the password last set by configuration
    must_change BOOLEAN NOT NULL,
    totp TEXT NOT NULL, -- sealed secret, empty: none
    totp_on BOOLEAN NOT NULL,
    totp_step BIGINT NOT NULL, -- the last time step used: a code works once
    recovery TEXT NOT NULL, -- JSON list of SHA-256
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL -- of the password
);

CREATE TABLE identity_session (
    id TEXT PRIMARY KEY,
    secret TEXT NOT NULL, -- SHA-256 of the cookie's value
    user_code TEXT NOT NULL,
    device TEXT NOT NULL, -- the browser without its version numbers
    agent TEXT NOT NULL,
    ip TEXT NOT NULL,
    way TEXT NOT NULL, -- password, oidc, demo
    created_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX identity_session_secret ON identity_session (secret);
CREATE INDEX identity_session_user ON identity_session (user_code);

CREATE TABLE identity_token (
    id TEXT PRIMARY KEY,
    secret TEXT NOT NULL,
    user_code TEXT NOT NULL,
    name TEXT NOT NULL,
    rights TEXT NOT NULL, -- JSON list; empty: all the user's
    created_by TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL -- 0: never
);
CREATE UNIQUE INDEX identity_token_secret ON identity_token (secret);

CREATE TABLE identity_attempt (
    kind TEXT NOT NULL, -- user, ip
    name TEXT NOT NULL,
    failures BIGINT NOT NULL,
    failed_at BIGINT NOT NULL,
    blocked_until BIGINT NOT NULL,
    PRIMARY KEY (kind, name)
);

CREATE TABLE identity_link (
    secret TEXT PRIMARY KEY, -- SHA-256
    kind TEXT NOT NULL, -- reset, setup
    user_code TEXT NOT NULL,
    created_by TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
