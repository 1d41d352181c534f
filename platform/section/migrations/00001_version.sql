-- +goose Up
CREATE TABLE section_version (
    id      BIGINT NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL,
    at      BIGINT NOT NULL
);
CREATE TABLE section_item (
    section TEXT   NOT NULL,
    code    TEXT   NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (section, code)
);
CREATE TABLE section_change (
    version BIGINT NOT NULL,
    section TEXT   NOT NULL,
    code    TEXT   NOT NULL,
    kind    TEXT   NOT NULL,
    at      BIGINT NOT NULL,
    actor   TEXT   NOT NULL,
    body    TEXT   NOT NULL,
    PRIMARY KEY (section, code, version)
);
