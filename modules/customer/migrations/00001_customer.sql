-- +goose Up
CREATE TABLE customer_person (
    id       TEXT   NOT NULL PRIMARY KEY,
    name     TEXT   NOT NULL,
    kind     TEXT   NOT NULL,
    first_at BIGINT NOT NULL,
    last_at  BIGINT NOT NULL,
    contacts BIGINT NOT NULL
);
CREATE INDEX customer_person_last ON customer_person (last_at, id);
CREATE TABLE customer_identifier (
    kind   TEXT   NOT NULL,
    value  TEXT   NOT NULL,
    person TEXT   NOT NULL,
    at     BIGINT NOT NULL,
    PRIMARY KEY (kind, value, person)
) /* clustered */;
CREATE INDEX customer_identifier_person ON customer_identifier (person);
CREATE TABLE customer_gram (
    gram   TEXT NOT NULL,
    person TEXT NOT NULL,
    PRIMARY KEY (gram, person)
) /* clustered */;
CREATE INDEX customer_gram_person ON customer_gram (person);
CREATE TABLE customer_contact (
    contact  TEXT   NOT NULL PRIMARY KEY,
    at       BIGINT NOT NULL,
    medium   TEXT   NOT NULL,
    place    TEXT   NOT NULL,
    kind     TEXT   NOT NULL,
    value    TEXT   NOT NULL,
    person   TEXT   NOT NULL,
    queue    TEXT   NOT NULL,
    agent    TEXT   NOT NULL,
    outcome  TEXT   NOT NULL,
    topic    TEXT   NOT NULL,
    tax_type TEXT   NOT NULL,
    question TEXT   NOT NULL,
    answer   TEXT   NOT NULL
);
CREATE INDEX customer_contact_value ON customer_contact (kind, value, at, contact);
CREATE INDEX customer_contact_person ON customer_contact (person, at, contact);
