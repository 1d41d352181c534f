-- +goose Up
CREATE TABLE desk_reason (code TEXT PRIMARY KEY, body TEXT NOT NULL);
CREATE TABLE desk_topic (code TEXT PRIMARY KEY, body TEXT NOT NULL);
CREATE TABLE desk_tax_type (code TEXT PRIMARY KEY, body TEXT NOT NULL);

-- The newest wrap-up of a contact by an agent; its history is in the ledger.
CREATE TABLE desk_wrapup (
  contact TEXT NOT NULL,
  agent TEXT NOT NULL,
  at BIGINT NOT NULL,
  final BIGINT NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (contact, agent)
);
