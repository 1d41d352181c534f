-- +goose Up
-- 1: came from the worklist of missed callers, and goes when nobody is to be rung there any more.
ALTER TABLE outbound_person ADD COLUMN from_missed BIGINT NOT NULL DEFAULT 0;
