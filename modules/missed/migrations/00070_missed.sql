-- +goose Up
-- Missed callers: one open row a number. Everything here is a fold of the ledger and can be rebuilt.
CREATE TABLE missed_row (
  id TEXT PRIMARY KEY,         -- the contact it was opened by
  number TEXT NOT NULL,        -- to be called, national form
  also TEXT NOT NULL,          -- another number of theirs: they called from it and asked for a call at the first
  site TEXT NOT NULL,
  queue TEXT NOT NULL,         -- of the last attempt
  kind TEXT NOT NULL,          -- of the last attempt: abandoned, turned, failed, voicemail, callback
  opened_at BIGINT NOT NULL,
  last_at BIGINT NOT NULL,
  attempts BIGINT NOT NULL,
  longest_ms BIGINT NOT NULL,  -- they waited at most; what is no abandonment counts as for ever
  due_day TEXT NOT NULL,       -- local day by which they are to be rung first
  ring_day TEXT NOT NULL,      -- local day on which they are to be rung next
  again_at BIGINT NOT NULL,    -- not before this moment; 0: now
  recording TEXT NOT NULL,     -- the newest message they left
  owner TEXT NOT NULL,
  tries BIGINT NOT NULL,
  first_day TEXT NOT NULL,     -- local day of the first try
  tried_at BIGINT NOT NULL,
  result TEXT NOT NULL,        -- of the last try
  note TEXT NOT NULL,
  state TEXT NOT NULL,         -- open, or why it is closed: came_back, reached, not_wanted, wrong_number, given_up, lapsed
  closed_at BIGINT NOT NULL,
  closed_day TEXT NOT NULL,
  closed_by TEXT NOT NULL      -- the contact or the agent
);
CREATE UNIQUE INDEX missed_row_open ON missed_row (number) WHERE state = 'open';
CREATE INDEX missed_row_last ON missed_row (last_at, id);
CREATE INDEX missed_row_due ON missed_row (due_day);

-- The attempts of a row.
CREATE TABLE missed_miss (
  contact TEXT PRIMARY KEY,
  row_id TEXT NOT NULL,
  at BIGINT NOT NULL,
  kind TEXT NOT NULL,
  queue TEXT NOT NULL,
  site TEXT NOT NULL,
  wait_ms BIGINT NOT NULL,
  recording TEXT NOT NULL
) /* clustered */;
CREATE INDEX missed_miss_row ON missed_miss (row_id, at);

-- How the list is kept.
CREATE TABLE missed_rules (code TEXT PRIMARY KEY, body TEXT NOT NULL);
