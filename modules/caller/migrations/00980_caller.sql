-- +goose Up
-- The rule about people who call often, the marks on those who pester, and what was asked and decided.
CREATE TABLE caller_rules (code TEXT PRIMARY KEY, body TEXT NOT NULL);
CREATE TABLE caller_mark (code TEXT PRIMARY KEY, body TEXT NOT NULL);
CREATE TABLE caller_request (
  id TEXT PRIMARY KEY,
  contact TEXT NOT NULL,      -- the call it was asked in
  number TEXT NOT NULL,       -- national form
  site TEXT NOT NULL,         -- of the call
  reason TEXT NOT NULL,
  asked_by TEXT NOT NULL,
  asked_at BIGINT NOT NULL,
  state TEXT NOT NULL,        -- open, approved, refused, lapsed
  decided_by TEXT NOT NULL,
  decided_at BIGINT NOT NULL,
  note TEXT NOT NULL,         -- why it was refused
  mark TEXT NOT NULL          -- the mark made of it
);
CREATE UNIQUE INDEX caller_request_open ON caller_request (number) WHERE state = 'open';
CREATE INDEX caller_request_asked ON caller_request (asked_at, id);
