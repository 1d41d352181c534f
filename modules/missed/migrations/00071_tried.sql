-- +goose Up
-- The call-out the last try was: told by the telephone when it ends and by the agent when they write what came of it, it is one try.
ALTER TABLE missed_row ADD COLUMN tried_contact TEXT NOT NULL DEFAULT '';
