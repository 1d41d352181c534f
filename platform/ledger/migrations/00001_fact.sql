-- +goose Up
CREATE TABLE ledger_fact (
  seq     BIGINT  NOT NULL PRIMARY KEY, -- 1, 2, 3 … without a gap, in order of commit
  id      TEXT    NOT NULL UNIQUE,      -- ULID; a fact that comes twice is kept once
  node    TEXT    NOT NULL,             -- where it happened
  at      BIGINT  NOT NULL,             -- unix-ms UTC
  day     TEXT    NOT NULL,             -- local at the place: 2026-11-23
  slot    INTEGER NOT NULL,             -- local quarter-hour: 0..95
  kind    TEXT    NOT NULL,             -- contact.queued
  subject TEXT    NOT NULL,
  actor   TEXT    NOT NULL,
  place   TEXT    NOT NULL,
  body    TEXT    NOT NULL              -- JSON
);
CREATE INDEX ledger_fact_subject ON ledger_fact (subject, seq);
CREATE INDEX ledger_fact_kind ON ledger_fact (kind, day);
CREATE INDEX ledger_fact_place ON ledger_fact (place, day);

-- One row: the last seq given. Whoever writes facts holds this row until the commit, on any node.
CREATE TABLE ledger_head (one INTEGER NOT NULL PRIMARY KEY, seq BIGINT NOT NULL);
INSERT INTO ledger_head (one, seq) VALUES (1, 0);

-- A live fold has every fact up to the head; the others have those up to seq and are catching up.
CREATE TABLE ledger_fold (name TEXT NOT NULL PRIMARY KEY, seq BIGINT NOT NULL, live BOOLEAN NOT NULL) /* clustered */;

-- What each node has published on the bus.
CREATE TABLE ledger_relay (node TEXT NOT NULL PRIMARY KEY, seq BIGINT NOT NULL) /* clustered */;
