-- +goose Up
CREATE TABLE calendar_calendar (
    code TEXT NOT NULL PRIMARY KEY,
    body TEXT NOT NULL
);
CREATE TABLE calendar_year (
    book   TEXT   NOT NULL,
    year   BIGINT NOT NULL,
    edited BIGINT NOT NULL,
    PRIMARY KEY (book, year)
);
CREATE TABLE calendar_day (
    book TEXT   NOT NULL,
    day  TEXT   NOT NULL,
    year BIGINT NOT NULL,
    kind TEXT   NOT NULL,
    name TEXT   NOT NULL,
    PRIMARY KEY (book, day)
);
CREATE INDEX calendar_day_year ON calendar_day (book, year);
