-- +goose Up
CREATE TABLE outbound_list (code TEXT PRIMARY KEY, body TEXT NOT NULL);

-- Which lists are being worked off.
CREATE TABLE outbound_run (list TEXT PRIMARY KEY, by_user TEXT NOT NULL, at BIGINT NOT NULL);

-- Everybody on a list. state: pending, shown (to an agent), calling (the agent's telephone), dialled (the person's),
-- reached (no result yet), closed. since: when the state began. contact: of the attempt under way, or the last.
CREATE TABLE outbound_person (
  id TEXT PRIMARY KEY,
  list TEXT NOT NULL,
  number TEXT NOT NULL,
  name TEXT NOT NULL,
  note TEXT NOT NULL,
  more TEXT NOT NULL,
  source TEXT NOT NULL,
  added_at BIGINT NOT NULL,
  state TEXT NOT NULL,
  since BIGINT NOT NULL,
  due_at BIGINT NOT NULL,
  tries BIGINT NOT NULL,
  agent TEXT NOT NULL,
  contact TEXT NOT NULL,
  how TEXT NOT NULL
);
CREATE UNIQUE INDEX outbound_person_once ON outbound_person (list, number);
CREATE INDEX outbound_person_due ON outbound_person (list, state, due_at);
CREATE INDEX outbound_person_number ON outbound_person (number);
CREATE INDEX outbound_person_contact ON outbound_person (contact);
CREATE INDEX outbound_person_agent ON outbound_person (agent, state);
-- Nobody is called for two lists at once.
CREATE UNIQUE INDEX outbound_person_busy ON outbound_person (number) WHERE state IN ('shown', 'calling', 'dialled');

-- Attempts: a row when the person is about to be called. how: as in outbound.ended, empty while under way.
CREATE TABLE outbound_try (
  contact TEXT PRIMARY KEY,
  person TEXT NOT NULL,
  list TEXT NOT NULL,
  site TEXT NOT NULL,
  agent TEXT NOT NULL,
  mode TEXT NOT NULL,
  try BIGINT NOT NULL,
  day TEXT NOT NULL,
  at BIGINT NOT NULL,
  reached_at BIGINT NOT NULL,
  ended_at BIGINT NOT NULL,
  how TEXT NOT NULL,
  result TEXT NOT NULL,
  note TEXT NOT NULL
);
CREATE INDEX outbound_try_day ON outbound_try (day, list);
CREATE INDEX outbound_try_open ON outbound_try (at) WHERE how = '';
CREATE INDEX outbound_try_person ON outbound_try (person, at);

-- Numbers that are not called. until_at 0: for good.
CREATE TABLE outbound_never (
  number TEXT PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  reason TEXT NOT NULL,
  until_at BIGINT NOT NULL,
  at BIGINT NOT NULL,
  by_user TEXT NOT NULL
);
