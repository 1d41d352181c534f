-- +goose Up
-- What happened at a seat by an agent on a day that is over; who worked without a seat stands under "". Times are ms.
-- It is made of the facts when first asked for, apart from calls under way.
CREATE TABLE report_seat (
  day TEXT NOT NULL, site TEXT NOT NULL, seat TEXT NOT NULL, agent TEXT NOT NULL,
  signed_ms BIGINT NOT NULL, busy_ms BIGINT NOT NULL, talk_ms BIGINT NOT NULL, offered BIGINT NOT NULL, answered BIGINT NOT NULL,
  PRIMARY KEY (day, site, seat, agent)
) /* clustered */;

-- The days that stand in report_seat.
CREATE TABLE report_seat_day (day TEXT PRIMARY KEY);

-- What an hour of work costs at a site.
CREATE TABLE report_cost (code TEXT PRIMARY KEY, body TEXT NOT NULL);
