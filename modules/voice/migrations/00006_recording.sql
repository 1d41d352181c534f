-- +goose Up
-- What decides how long a recording is kept, who holds it, and how it went. node is the process whose disk has the
-- file ("": of before there were several).
ALTER TABLE voice_recording ADD COLUMN node TEXT NOT NULL DEFAULT '';
ALTER TABLE voice_recording ADD COLUMN queue TEXT NOT NULL DEFAULT '';
ALTER TABLE voice_recording ADD COLUMN number TEXT NOT NULL DEFAULT '';
ALTER TABLE voice_recording ADD COLUMN outcome TEXT NOT NULL DEFAULT '';
ALTER TABLE voice_recording ADD COLUMN missing TEXT NOT NULL DEFAULT '';
ALTER TABLE voice_recording ADD COLUMN key_id TEXT NOT NULL DEFAULT '1';
ALTER TABLE voice_recording ADD COLUMN held_why TEXT NOT NULL DEFAULT '';
ALTER TABLE voice_recording ADD COLUMN erased_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE voice_recording ADD COLUMN shredded BIGINT NOT NULL DEFAULT 0;
CREATE INDEX voice_recording_due ON voice_recording (erased_at, at);

CREATE TABLE voice_retention (code TEXT PRIMARY KEY, body TEXT NOT NULL);

-- The ring of master keys after the first one, each sealed under the first, which lies in the data folder alone.
CREATE TABLE voice_key (
  id TEXT PRIMARY KEY,
  at BIGINT NOT NULL,
  sealed TEXT NOT NULL
);
