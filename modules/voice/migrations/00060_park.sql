-- +goose Up
-- The slots people are parked in: one person each, over all processes.
CREATE TABLE voice_park (
  slot BIGINT PRIMARY KEY,
  contact TEXT NOT NULL,
  node TEXT NOT NULL,
  at BIGINT NOT NULL
);
