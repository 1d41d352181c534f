-- +goose Up
CREATE TABLE alert_rule (code TEXT PRIMARY KEY, body TEXT NOT NULL);
CREATE TABLE alert_plan (code TEXT PRIMARY KEY, body TEXT NOT NULL);

-- What was raised; cleared_at 0: it stands. The facts alert.raised, alert.cleared and alert.handled say the same.
CREATE TABLE alert_log (
  id TEXT PRIMARY KEY,
  rule TEXT NOT NULL,
  name TEXT NOT NULL,
  name_en TEXT NOT NULL,
  site TEXT NOT NULL,
  figure TEXT NOT NULL,
  queue TEXT NOT NULL,
  value DOUBLE PRECISION NOT NULL,
  bound DOUBLE PRECISION NOT NULL,
  plan TEXT NOT NULL,
  raised_at BIGINT NOT NULL,
  cleared_at BIGINT NOT NULL,
  handled_by TEXT NOT NULL
);
CREATE INDEX alert_log_at ON alert_log (raised_at);

-- Surge plans that run: steps 1 to done are done; undoing goes down to none, and the row goes.
CREATE TABLE alert_run (
  plan TEXT PRIMARY KEY,
  id TEXT NOT NULL,
  site TEXT NOT NULL,
  at BIGINT NOT NULL,
  by_user TEXT NOT NULL,
  why TEXT NOT NULL,
  done BIGINT NOT NULL,
  undoing BIGINT NOT NULL,
  body TEXT NOT NULL
);
