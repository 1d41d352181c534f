-- +goose Up
-- The newest summaries, for what they suggest to the next.
CREATE INDEX desk_wrapup_final ON desk_wrapup (final, at);
