-- +goose Up
CREATE TABLE voice_survey (code TEXT PRIMARY KEY, body TEXT NOT NULL);
