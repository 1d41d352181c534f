-- +goose Up
-- What a recording is of: '' a talk, voicemail a message somebody left.
ALTER TABLE voice_recording ADD COLUMN kind TEXT NOT NULL DEFAULT '';
