-- +goose Up

-- Ways through flows: how often something happened at a node, by the day and site of the contact's first flow.
-- what: entered, visit, pressed, timeout, invalid, served, taken, reached, left, ended, lost, gone. port and to_node as in path.go.
CREATE TABLE report_path (
  day TEXT NOT NULL, site TEXT NOT NULL, flow TEXT NOT NULL, version BIGINT NOT NULL, node TEXT NOT NULL,
  what TEXT NOT NULL, port TEXT NOT NULL, to_node TEXT NOT NULL,
  n BIGINT NOT NULL,
  PRIMARY KEY (day, site, flow, version, node, what, port, to_node)
) /* clustered */;

-- Ended contacts that a flow guided, with and without menus.
CREATE TABLE report_menu (
  day TEXT NOT NULL, site TEXT NOT NULL, flow TEXT NOT NULL, no_menu BIGINT NOT NULL,
  contacts BIGINT NOT NULL, served BIGINT NOT NULL, left_flow BIGINT NOT NULL, asked BIGINT NOT NULL, answered BIGINT NOT NULL,
  abandoned BIGINT NOT NULL, wait_ms BIGINT NOT NULL, reach_ms BIGINT NOT NULL,
  PRIMARY KEY (day, site, flow, no_menu)
) /* clustered */;

-- Where contacts stand that have not ended yet.
CREATE TABLE report_walk (contact TEXT PRIMARY KEY, body TEXT NOT NULL) /* clustered */;

-- One row: the ways of all facts up to seq are counted.
CREATE TABLE report_path_mark (id BIGINT PRIMARY KEY, seq BIGINT NOT NULL);
INSERT INTO report_path_mark (id, seq) VALUES (1, 0);
