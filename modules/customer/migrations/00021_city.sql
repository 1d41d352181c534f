-- +goose Up
-- The city a caller keyed in last, by number: a mobile number does not say where its owner lives.
CREATE TABLE customer_city (
    value TEXT   NOT NULL PRIMARY KEY,
    city  TEXT   NOT NULL,
    at    BIGINT NOT NULL
);
