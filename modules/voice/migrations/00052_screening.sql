-- +goose Up
CREATE TABLE voice_screening (code TEXT PRIMARY KEY, body TEXT NOT NULL);
