-- +goose Up

-- One row per contact: what its facts say so far. started_at 0: the start has not come yet.
CREATE TABLE report_contact (
  contact       TEXT PRIMARY KEY,
  site          TEXT NOT NULL DEFAULT '',
  medium        TEXT NOT NULL DEFAULT '',
  direction     TEXT NOT NULL DEFAULT '',
  sender        TEXT NOT NULL DEFAULT '',
  reached       TEXT NOT NULL DEFAULT '',
  number        TEXT NOT NULL DEFAULT '',
  started_at    BIGINT NOT NULL DEFAULT 0,
  day           TEXT NOT NULL DEFAULT '',
  slot          BIGINT NOT NULL DEFAULT 0,
  ended_at      BIGINT NOT NULL DEFAULT 0,
  ended_by      TEXT NOT NULL DEFAULT '',
  outcome       TEXT NOT NULL DEFAULT '',
  cause         TEXT NOT NULL DEFAULT '',
  lost          BIGINT NOT NULL DEFAULT 0,
  length_ms     BIGINT NOT NULL DEFAULT 0,
  starts        BIGINT NOT NULL DEFAULT 0,
  ends          BIGINT NOT NULL DEFAULT 0,
  served        BIGINT NOT NULL DEFAULT 0,
  asked_at      BIGINT NOT NULL DEFAULT 0,
  caller        TEXT NOT NULL DEFAULT '',
  first_queue   TEXT NOT NULL DEFAULT '',
  last_queue    TEXT NOT NULL DEFAULT '',
  agent         TEXT NOT NULL DEFAULT '',
  agent_at      BIGINT NOT NULL DEFAULT 0,
  wait_ms       BIGINT NOT NULL DEFAULT 0,
  talk_ms       BIGINT NOT NULL DEFAULT 0,
  hold_ms       BIGINT NOT NULL DEFAULT 0,
  wrap_ms       BIGINT NOT NULL DEFAULT 0,
  recordings    BIGINT NOT NULL DEFAULT 0,
  noted_at      BIGINT NOT NULL DEFAULT 0,
  noted_by      TEXT NOT NULL DEFAULT '',
  topic         TEXT NOT NULL DEFAULT '',
  tax_type      TEXT NOT NULL DEFAULT '',
  district      TEXT NOT NULL DEFAULT '',
  note_final    BIGINT NOT NULL DEFAULT 0,
  more          TEXT NOT NULL DEFAULT ''
) /* clustered */;
CREATE INDEX report_contact_start ON report_contact (started_at, contact);
CREATE INDEX report_contact_sender ON report_contact (sender, started_at);
CREATE INDEX report_contact_open ON report_contact (contact) WHERE ended_at = 0;

-- One row per stay in a queue. known 0: contact.queued has not come yet, the visit counts nothing.
CREATE TABLE report_visit (
  contact     TEXT NOT NULL,
  entered_at  BIGINT NOT NULL,
  queue       TEXT NOT NULL,
  known       BIGINT NOT NULL,
  day         TEXT NOT NULL,
  slot        BIGINT NOT NULL,
  site        TEXT NOT NULL,
  first       BIGINT NOT NULL,
  caller      TEXT NOT NULL,
  how         TEXT NOT NULL,
  left_at     BIGINT NOT NULL,
  wait_ms     BIGINT NOT NULL,
  why         TEXT NOT NULL,
  rule        TEXT NOT NULL,
  agent       TEXT NOT NULL,
  offer       TEXT NOT NULL,
  answers     BIGINT NOT NULL,
  offers      TEXT NOT NULL,
  parts       TEXT NOT NULL,
  PRIMARY KEY (contact, entered_at, queue)
) /* clustered */;
CREATE INDEX report_visit_entered ON report_visit (entered_at, contact, queue);

-- One row per leg.
CREATE TABLE report_leg (
  leg          TEXT PRIMARY KEY,
  contact      TEXT NOT NULL,
  role         TEXT NOT NULL,
  agent        TEXT NOT NULL,
  queue        TEXT NOT NULL,
  peer         TEXT NOT NULL,
  started_at   BIGINT NOT NULL,
  answered_at  BIGINT NOT NULL,
  ended_at     BIGINT NOT NULL,
  entered_at   BIGINT NOT NULL,
  ring_ms      BIGINT NOT NULL,
  talk_ms      BIGINT NOT NULL,
  hold_ms      BIGINT NOT NULL,
  cause        TEXT NOT NULL,
  mos          DOUBLE PRECISION NOT NULL,
  starts       BIGINT NOT NULL,
  ends         BIGINT NOT NULL
) /* clustered */;
CREATE INDEX report_leg_contact ON report_leg (contact, started_at);

-- Figures. slot -1 holds the sum of the day's slots, for days that are rolled (report_mark). restated_at: when a late fact last changed the row.
CREATE TABLE report_queue (
  day TEXT NOT NULL, slot BIGINT NOT NULL, site TEXT NOT NULL, queue TEXT NOT NULL, medium TEXT NOT NULL,
  entered BIGINT NOT NULL DEFAULT 0, entered_first BIGINT NOT NULL DEFAULT 0, answered BIGINT NOT NULL DEFAULT 0, abandoned BIGINT NOT NULL DEFAULT 0,
  exit_full BIGINT NOT NULL DEFAULT 0, exit_max_wait BIGINT NOT NULL DEFAULT 0, exit_closing BIGINT NOT NULL DEFAULT 0, exit_no_agents BIGINT NOT NULL DEFAULT 0,
  exit_other BIGINT NOT NULL DEFAULT 0, callback BIGINT NOT NULL DEFAULT 0, within15 BIGINT NOT NULL DEFAULT 0, within20 BIGINT NOT NULL DEFAULT 0,
  abandoned5 BIGINT NOT NULL DEFAULT 0, abandoned20 BIGINT NOT NULL DEFAULT 0, wait_ms BIGINT NOT NULL DEFAULT 0, lost_wait_ms BIGINT NOT NULL DEFAULT 0,
  max_wait_ms BIGINT NOT NULL DEFAULT 0, talk_ms BIGINT NOT NULL DEFAULT 0, hold_ms BIGINT NOT NULL DEFAULT 0, wrap_ms BIGINT NOT NULL DEFAULT 0,
  transferred_in BIGINT NOT NULL DEFAULT 0, transferred_out BIGINT NOT NULL DEFAULT 0, undecided BIGINT NOT NULL DEFAULT 0, callers BIGINT NOT NULL DEFAULT 0, callers_answered BIGINT NOT NULL DEFAULT 0,
  offered BIGINT NOT NULL DEFAULT 0, missed BIGINT NOT NULL DEFAULT 0, refused BIGINT NOT NULL DEFAULT 0,
  restated_at BIGINT NOT NULL,
  PRIMARY KEY (day, slot, site, queue, medium)
) /* clustered */;
CREATE INDEX report_queue_day ON report_queue (day) WHERE slot = -1;

CREATE TABLE report_agent (
  day TEXT NOT NULL, slot BIGINT NOT NULL, site TEXT NOT NULL, queue TEXT NOT NULL, medium TEXT NOT NULL, agent TEXT NOT NULL,
  entered BIGINT NOT NULL DEFAULT 0, entered_first BIGINT NOT NULL DEFAULT 0, answered BIGINT NOT NULL DEFAULT 0, abandoned BIGINT NOT NULL DEFAULT 0,
  exit_full BIGINT NOT NULL DEFAULT 0, exit_max_wait BIGINT NOT NULL DEFAULT 0, exit_closing BIGINT NOT NULL DEFAULT 0, exit_no_agents BIGINT NOT NULL DEFAULT 0,
  exit_other BIGINT NOT NULL DEFAULT 0, callback BIGINT NOT NULL DEFAULT 0, within15 BIGINT NOT NULL DEFAULT 0, within20 BIGINT NOT NULL DEFAULT 0,
  abandoned5 BIGINT NOT NULL DEFAULT 0, abandoned20 BIGINT NOT NULL DEFAULT 0, wait_ms BIGINT NOT NULL DEFAULT 0, lost_wait_ms BIGINT NOT NULL DEFAULT 0,
  max_wait_ms BIGINT NOT NULL DEFAULT 0, talk_ms BIGINT NOT NULL DEFAULT 0, hold_ms BIGINT NOT NULL DEFAULT 0, wrap_ms BIGINT NOT NULL DEFAULT 0,
  transferred_in BIGINT NOT NULL DEFAULT 0, transferred_out BIGINT NOT NULL DEFAULT 0, undecided BIGINT NOT NULL DEFAULT 0,
  offered BIGINT NOT NULL DEFAULT 0, missed BIGINT NOT NULL DEFAULT 0, refused BIGINT NOT NULL DEFAULT 0, direct BIGINT NOT NULL DEFAULT 0, direct_ms BIGINT NOT NULL DEFAULT 0,
  restated_at BIGINT NOT NULL,
  PRIMARY KEY (day, slot, site, queue, medium, agent)
) /* clustered */;
CREATE INDEX report_agent_day ON report_agent (day) WHERE slot = -1;

-- By what the wrap-up says, in days.
CREATE TABLE report_topic (
  day TEXT NOT NULL, site TEXT NOT NULL, queue TEXT NOT NULL, medium TEXT NOT NULL,
  topic TEXT NOT NULL, tax_type TEXT NOT NULL, district TEXT NOT NULL,
  entered BIGINT NOT NULL DEFAULT 0, entered_first BIGINT NOT NULL DEFAULT 0, answered BIGINT NOT NULL DEFAULT 0, abandoned BIGINT NOT NULL DEFAULT 0,
  exit_full BIGINT NOT NULL DEFAULT 0, exit_max_wait BIGINT NOT NULL DEFAULT 0, exit_closing BIGINT NOT NULL DEFAULT 0, exit_no_agents BIGINT NOT NULL DEFAULT 0,
  exit_other BIGINT NOT NULL DEFAULT 0, callback BIGINT NOT NULL DEFAULT 0, within15 BIGINT NOT NULL DEFAULT 0, within20 BIGINT NOT NULL DEFAULT 0,
  abandoned5 BIGINT NOT NULL DEFAULT 0, abandoned20 BIGINT NOT NULL DEFAULT 0, wait_ms BIGINT NOT NULL DEFAULT 0, lost_wait_ms BIGINT NOT NULL DEFAULT 0,
  talk_ms BIGINT NOT NULL DEFAULT 0, hold_ms BIGINT NOT NULL DEFAULT 0, wrap_ms BIGINT NOT NULL DEFAULT 0,
  transferred_in BIGINT NOT NULL DEFAULT 0, transferred_out BIGINT NOT NULL DEFAULT 0, undecided BIGINT NOT NULL DEFAULT 0,
  restated_at BIGINT NOT NULL,
  PRIMARY KEY (day, site, queue, medium, topic, tax_type, district)
) /* clustered */;

-- Contacts as a whole, by the number reached.
CREATE TABLE report_entry (
  day TEXT NOT NULL, slot BIGINT NOT NULL, site TEXT NOT NULL, number TEXT NOT NULL, medium TEXT NOT NULL,
  started BIGINT NOT NULL DEFAULT 0, asked BIGINT NOT NULL DEFAULT 0, served BIGINT NOT NULL DEFAULT 0, reached BIGINT NOT NULL DEFAULT 0, gave_up BIGINT NOT NULL DEFAULT 0,
  left_flow BIGINT NOT NULL DEFAULT 0, turned BIGINT NOT NULL DEFAULT 0, failed BIGINT NOT NULL DEFAULT 0, ended BIGINT NOT NULL DEFAULT 0, length_ms BIGINT NOT NULL DEFAULT 0,
  outbound BIGINT NOT NULL DEFAULT 0,
  restated_at BIGINT NOT NULL,
  PRIMARY KEY (day, slot, site, number, medium)
) /* clustered */;
CREATE INDEX report_entry_day ON report_entry (day) WHERE slot = -1;

-- A caller's day: its first request, how many contacts asked, how many were answered.
CREATE TABLE report_caller (
  day TEXT NOT NULL, medium TEXT NOT NULL, caller TEXT NOT NULL,
  first_at BIGINT NOT NULL, contact TEXT NOT NULL, slot BIGINT NOT NULL, site TEXT NOT NULL, queue TEXT NOT NULL,
  asks BIGINT NOT NULL, answers BIGINT NOT NULL,
  PRIMARY KEY (day, medium, caller)
) /* clustered */;

-- Agents' time by state, where it was spent.
CREATE TABLE report_time (
  day TEXT NOT NULL, slot BIGINT NOT NULL, site TEXT NOT NULL, agent TEXT NOT NULL, state TEXT NOT NULL, reason TEXT NOT NULL,
  ms BIGINT NOT NULL, times BIGINT NOT NULL,
  restated_at BIGINT NOT NULL,
  PRIMARY KEY (day, slot, site, agent, state, reason)
) /* clustered */;
CREATE INDEX report_time_day ON report_time (day) WHERE slot = -1;

-- What every agent is doing now.
CREATE TABLE report_presence (
  agent TEXT PRIMARY KEY, site TEXT NOT NULL, state TEXT NOT NULL, reason TEXT NOT NULL, since BIGINT NOT NULL,
  signed_in BIGINT NOT NULL, contact TEXT NOT NULL, queue TEXT NOT NULL, seat TEXT NOT NULL, at BIGINT NOT NULL
) /* clustered */;

-- One row. high: the newest time of any fact folded, at most a minute behind; what comes later from before it is
-- late. rolled: days up to this one have rows with slot -1.
CREATE TABLE report_mark (id BIGINT PRIMARY KEY, high BIGINT NOT NULL, rolled TEXT NOT NULL);
INSERT INTO report_mark (id, high, rolled) VALUES (1, 0, '');
