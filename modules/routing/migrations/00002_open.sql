-- +goose Up
-- What an agent does is in the ledger: who is signed in is all a start needs to know beside it.
ALTER TABLE routing_open_agent DROP COLUMN state;
ALTER TABLE routing_open_agent DROP COLUMN reason;
ALTER TABLE routing_open_agent DROP COLUMN since;
ALTER TABLE routing_open_agent DROP COLUMN heard_at;
ALTER TABLE routing_open_agent DROP COLUMN contact;
ALTER TABLE routing_open_agent DROP COLUMN queue;
ALTER TABLE routing_open_agent DROP COLUMN entered_at;
