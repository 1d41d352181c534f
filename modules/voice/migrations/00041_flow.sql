-- +goose Up

-- Who published a version of a flow, and why.
CREATE TABLE voice_flow_note (
  code TEXT NOT NULL,
  version BIGINT NOT NULL,
  actor TEXT NOT NULL,
  why TEXT NOT NULL,
  PRIMARY KEY (code, version)
);

-- A flow that is being changed: callers know nothing of it. base: the version it was made of, 0 for a new flow.
CREATE TABLE voice_flow_draft (
  code TEXT PRIMARY KEY,
  at BIGINT NOT NULL,
  actor TEXT NOT NULL,
  base BIGINT NOT NULL,
  body TEXT NOT NULL
);

-- Where the nodes of a flow stand on the canvas; no part of what it does.
CREATE TABLE voice_flow_layout (code TEXT PRIMARY KEY, body TEXT NOT NULL);
