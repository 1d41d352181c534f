-- +goose Up
-- Visits answered by calling the person back.
ALTER TABLE report_queue ADD COLUMN called_back BIGINT NOT NULL DEFAULT 0;
ALTER TABLE report_agent ADD COLUMN called_back BIGINT NOT NULL DEFAULT 0;
ALTER TABLE report_topic ADD COLUMN called_back BIGINT NOT NULL DEFAULT 0;
