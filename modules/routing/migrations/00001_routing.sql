-- +goose Up
CREATE TABLE routing_skill (code TEXT PRIMARY KEY, body TEXT NOT NULL);
CREATE TABLE routing_queue (code TEXT PRIMARY KEY, body TEXT NOT NULL);
CREATE TABLE routing_agent (code TEXT PRIMARY KEY, body TEXT NOT NULL);
CREATE TABLE routing_rules (code TEXT PRIMARY KEY, body TEXT NOT NULL);

-- What is open right now, kept by a fold: so that a start after a crash closes it without reading the ledger.
CREATE TABLE routing_open_contact (
  contact TEXT PRIMARY KEY,
  place TEXT NOT NULL,
  started_at BIGINT NOT NULL,
  heard_at BIGINT NOT NULL
) /* clustered */;
CREATE TABLE routing_open_agent (
  agent TEXT PRIMARY KEY,
  place TEXT NOT NULL,
  signed_in_at BIGINT NOT NULL,
  state TEXT NOT NULL,
  reason TEXT NOT NULL,
  since BIGINT NOT NULL,
  heard_at BIGINT NOT NULL,
  contact TEXT NOT NULL,
  queue TEXT NOT NULL,
  entered_at BIGINT NOT NULL
) /* clustered */;
