-- +goose Up
-- Of several processes: when the holder last said that it lives, since when it calls the person, and what another one
-- asks of it. Who ended a promise by hand, and why.
ALTER TABLE voice_callback ADD COLUMN kept_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE voice_callback ADD COLUMN calling_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE voice_callback ADD COLUMN wanted TEXT NOT NULL DEFAULT '';
ALTER TABLE voice_callback ADD COLUMN wanted_by TEXT NOT NULL DEFAULT '';
ALTER TABLE voice_callback ADD COLUMN wanted_why TEXT NOT NULL DEFAULT '';
ALTER TABLE voice_callback ADD COLUMN ended_by TEXT NOT NULL DEFAULT '';
ALTER TABLE voice_callback ADD COLUMN ended_why TEXT NOT NULL DEFAULT '';
