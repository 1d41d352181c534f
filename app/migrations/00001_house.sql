-- +goose Up
-- What the processes of one house must have in common, sealed under the secret they know each other by.
CREATE TABLE house_key (
  name TEXT PRIMARY KEY,
  sealed TEXT NOT NULL
);
