-- +goose Up
-- What is told to those who work at a site and below, until it lapses or is withdrawn.
CREATE TABLE desk_notice (
  id TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  site TEXT NOT NULL,
  author TEXT NOT NULL,
  at BIGINT NOT NULL,
  until BIGINT NOT NULL,
  must BIGINT NOT NULL,
  title TEXT NOT NULL,
  text TEXT NOT NULL
);
CREATE INDEX desk_notice_until ON desk_notice (until);

-- Who has read it, and when.
CREATE TABLE desk_notice_read (
  notice TEXT NOT NULL,
  reader TEXT NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (notice, reader)
);
