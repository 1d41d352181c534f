-- +goose Up
-- Whom an agent called last, to call again; how it went is in the ledger for good.
CREATE TABLE desk_dialled (
  contact TEXT PRIMARY KEY,
  agent TEXT NOT NULL,
  at BIGINT NOT NULL,
  number TEXT NOT NULL,
  result TEXT NOT NULL
);
CREATE INDEX desk_dialled_agent ON desk_dialled (agent, at);
