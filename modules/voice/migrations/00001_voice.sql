-- +goose Up
CREATE TABLE voice_phone (code TEXT PRIMARY KEY, body TEXT NOT NULL);
CREATE TABLE voice_trunk (code TEXT PRIMARY KEY, body TEXT NOT NULL);
CREATE TABLE voice_number (code TEXT PRIMARY KEY, body TEXT NOT NULL);
CREATE TABLE voice_prompt (code TEXT PRIMARY KEY, body TEXT NOT NULL);
CREATE TABLE voice_settings (code TEXT PRIMARY KEY, body TEXT NOT NULL);

-- A flow keeps every published version: live calls stay on theirs.
CREATE TABLE voice_flow (
  code TEXT NOT NULL,
  version BIGINT NOT NULL,
  at BIGINT NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (code, version)
);

-- A recording is a file under the data folder; the row says whose.
CREATE TABLE voice_recording (
  id TEXT PRIMARY KEY,
  contact TEXT NOT NULL,
  at BIGINT NOT NULL,
  place TEXT NOT NULL,
  file TEXT NOT NULL,
  ms BIGINT NOT NULL,
  left_db BIGINT NOT NULL,
  right_db BIGINT NOT NULL
);
CREATE INDEX voice_recording_contact ON voice_recording (contact);

-- The SIP messages of a finished call, for the ladder in contacts.
CREATE TABLE voice_ladder (
  contact TEXT NOT NULL,
  call_id TEXT NOT NULL,
  at BIGINT NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (contact, call_id)
);

-- Sounds uploaded or recorded in the page: files under the data folder; shipped ones are in the binary.
CREATE TABLE voice_sound (
  prompt TEXT NOT NULL,
  language TEXT NOT NULL,
  at BIGINT NOT NULL,
  file TEXT NOT NULL,
  PRIMARY KEY (prompt, language)
);
