-- +goose Up
-- Who is to be called back, with the place they had in the queue: live state that survives a restart.
CREATE TABLE voice_callback (
  id TEXT PRIMARY KEY,
  node TEXT NOT NULL,
  contact TEXT NOT NULL,
  queue TEXT NOT NULL,
  entered_at BIGINT NOT NULL,
  since BIGINT NOT NULL,
  site TEXT NOT NULL,
  line TEXT NOT NULL,
  number TEXT NOT NULL,
  caller TEXT NOT NULL,
  lang TEXT NOT NULL,
  priority BIGINT NOT NULL,
  needs TEXT NOT NULL,
  asked_at BIGINT NOT NULL,
  due_at BIGINT NOT NULL,
  tries BIGINT NOT NULL,
  most BIGINT NOT NULL,
  every_ms BIGINT NOT NULL,
  state TEXT NOT NULL,
  ended_at BIGINT NOT NULL
);
-- One number is promised one call.
CREATE UNIQUE INDEX voice_callback_open ON voice_callback (number) WHERE state = 'open';
CREATE INDEX voice_callback_asked ON voice_callback (asked_at);
