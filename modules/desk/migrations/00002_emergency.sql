-- +goose Up
CREATE TABLE desk_emergency (code TEXT PRIMARY KEY, body TEXT NOT NULL);
