-- +goose Up
-- The cities of the province, the segments of mobile numbers, what is said to callers from elsewhere, and who may
-- call where.
CREATE TABLE voice_city (code TEXT PRIMARY KEY, body TEXT NOT NULL);
CREATE TABLE voice_segment (code TEXT PRIMARY KEY, body TEXT NOT NULL);
CREATE TABLE voice_area (code TEXT PRIMARY KEY, body TEXT NOT NULL);
CREATE TABLE voice_call_rule (code TEXT PRIMARY KEY, body TEXT NOT NULL);
