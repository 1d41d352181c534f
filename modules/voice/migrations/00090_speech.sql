-- +goose Up
-- The speech engine: one row; its key is in it, as a trunk's password is in its row.
CREATE TABLE voice_speech (code TEXT PRIMARY KEY, body TEXT NOT NULL);
