-- +goose Up
-- Recordings of calls nobody may listen to: to play one takes a right of its own.
CREATE TABLE voice_secret (
  recording TEXT PRIMARY KEY
);
